// A sale with every kind of buyer at once, and the question that ends it: do money and seats agree?

import { expect } from 'vitest';
import type { Dialect, PayRequest } from '../../src/sandbox/types.ts';
import { books, pay, seen } from './buyer.ts';
import { until } from './wait.ts';
import type { OrderView, World } from './world.ts';

const PRICE = 10_000;
const DIALECTS: Dialect[] = ['v1', 'v2-2024-01-01', 'v2-2024-04-25'];

/** What comes of it where seats are left. `after`: what happens at the gateway once all have paid. */
interface Kind {
  name: string;
  how: Partial<PayRequest>;
  after?: (world: World, paymentId: string) => unknown;
}

const KINDS: Kind[] = [
  { name: 'pays', how: {} },
  { name: 'pays too', how: {} },
  { name: 'is declined', how: { buyer: 'decline' } },
  { name: 'closes the window', how: { buyer: 'vanish' } },
  { name: 'pays late', how: { buyer: 'pay_late', lateMs: 1_500 } },
  { name: 'fails, then pays', how: { buyer: 'fail_then_paid', lateMs: 1_500 } },
  { name: 'drops confirm_url', how: { confirmUrl: null } },
  { name: 'pays less', how: { amount: 10 } },
  { name: 'uses a test channel', how: { test: true } },
  {
    name: 'pays into an account',
    how: { method: 'vbank' },
    after: (world, paymentId) => world.sandbox.deposit(paymentId),
  },
  { name: 'never pays into its account', how: { method: 'vbank', dueInMs: 3_000 } },
  {
    name: 'is cancelled in the console',
    how: {},
    after: (world, paymentId) => world.sandbox.cancelInConsole(paymentId),
  },
];

export interface Told {
  order: OrderView;
  kind: string;
  paymentId: string;
}

/** Everybody at once, on all dialects; resolves when the gateway has nothing more to do. */
export async function runMixedSale(world: World, event: string, rounds: number): Promise<Told[]> {
  const buyers = Array.from({ length: rounds }, (_, round) => round).flatMap((round) =>
    KINDS.map((kind) => ({ kind, dialect: DIALECTS[round % DIALECTS.length] ?? 'v1' })),
  );
  const orders = await world.orders(event, buyers.length);
  const told = await Promise.all(
    buyers.map(async ({ kind, dialect }, n): Promise<Told & { kindOf: Kind }> => {
      const order = orders[n];
      if (!order) throw new Error('no order');
      const { paymentId } = await pay(world, order, { dialect, ...kind.how });
      return { order, kind: `${dialect} ${kind.name}`, paymentId, kindOf: kind };
    }),
  );
  for (const { kindOf, paymentId } of told) await kindOf.after?.(world, paymentId);
  await world.sandbox.idle();
  return told;
}

/** Waits until nothing is held, owed or waiting, then compares both sides to the won. */
export async function expectAgreement(world: World, event: string, told: Told[], waitMs: number) {
  await until(
    'the sale has come to rest',
    async () => {
      const [row] = await world.sql<{ n: number }>(
        `SELECT (SELECT count(*) FROM holds h JOIN events e ON e.id = h.event_id
                  WHERE e.slug = $1 AND h.state = 'held')::int
              + (SELECT count(*) FROM refunds WHERE state = 'requested')::int
              + (SELECT count(*) FROM webhooks WHERE state = 'pending')::int AS n`,
        event,
      );
      return row?.n === 0 && (await disagreements(world, told)).length === 0;
    },
    waitMs,
  ).catch(async (error: Error) => {
    const left = await disagreements(world, told);
    throw new Error(`${error.message}\n${left.join('\n')}`);
  });
  expect(await world.audit(event)).toMatchObject({ clean: true });
}

/** Orders whose seats are worth more, or less, than PortOne says the organizer has for them. */
async function disagreements(world: World, told: Told[]): Promise<string[]> {
  const found: string[] = [];
  for (const { order, kind } of told) {
    const view = await seen(world, order);
    const payments = books(world, order);
    const kept = payments.filter((p) => !p.test).reduce((sum, p) => sum + p.kept, 0);
    const worth = view.status === 'paid' ? view.seats.length * PRICE : 0;
    // A virtual account's money waits until its buyer has named an account to send it to.
    const waits = view.payments.some((p) => p.refund?.state === 'needs_person');
    const testLeft = payments.some((p) => p.test && p.kept > 0);
    if ((kept !== worth && !waits) || testLeft) {
      found.push(`${kind}: order ${view.status}, seats worth ${worth}, PortOne has ${kept}`);
    }
  }
  return found;
}
