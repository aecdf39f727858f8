// Several attempts for one order, let on to the same hold: the one that is paid keeps its seats,
// whatever becomes of the others.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { proveHolds } from '../../src/expiry/prove-holds.ts';
import { cancelOrder } from '../../src/orders/cancel-order.ts';
import { settlePayment } from '../../src/payments/settle-payment.ts';
import type { PaymentApi } from '../../src/portone/payment.ts';
import type { PortOne } from '../../src/portone/portone.ts';
import type { PayRequest } from '../../src/sandbox/types.ts';
import { endHolds } from '../../src/seats/end-holds.ts';
import { Scene, type SceneOptions } from './scene.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.close());

async function scene(options: Partial<SceneOptions> = {}): Promise<Scene> {
  const made = new Scene(stage, { dialect: 'v1', ...options });
  await made.setUp();
  return made;
}

/** The first attempt is paid, but its webhook is late; the second took the hold over from it. */
async function paidBehind(play: Scene, second: Partial<PayRequest> | null): Promise<void> {
  const [a = '', b = ''] = play.newPaymentIds(2);
  await play.confirm(a);
  await play.pay(a, { buyer: 'vanish' });
  await play.confirm(b);
  if (second) await play.pay(b, second);
  stage.sandbox.approve(a);
  for (const message of play.messages().filter((m) => m.includes(b))) await stage.deliver(message);
  stage.pass(21_000);
  await stage.turn();
  stage.pass(6_000);
  await stage.turn();
  await play.othersTakeAll();
  for (const message of play.messages()) await stage.deliver(message);
  await play.settle();
}

test.each<[string, Partial<PayRequest> | null, Partial<SceneOptions>]>([
  ['unknown to PortOne', null, {}],
  ['declined', { buyer: 'decline' }, {}],
  ['a virtual account that is forbidden', { method: 'vbank' }, { virtualAccounts: 'forbid' }],
  ['paid with a wrong amount', { amount: 10 }, {}],
  ['paid over a test channel', { test: true }, {}],
])('the second attempt is %s: the first, paid one keeps its seat', async (_, second, options) => {
  const play = await scene(options);
  await paidBehind(play, second);
  expect(await play.final()).toMatchObject({ order: 'paid', sold: 1, balance: 0 });
  expect(await stage.audit(play.slug)).toMatchObject({ clean: true });
});

/** The two looks at what asked without a signature, long before the hold would expire. */
async function lookedUp(): Promise<void> {
  stage.pass(21_000);
  await stage.turn();
  stage.pass(6_000);
  await stage.turn();
}

async function seats(play: Scene): Promise<string[]> {
  const rows = await stage.rows<{ state: string }>(
    `SELECT s.state FROM seats s JOIN events e ON e.id = s.event_id WHERE e.slug = $1
      ORDER BY s.state`,
    play.slug,
  );
  return rows.map(({ state }) => state);
}

test.each(['v1', 'v2-2024-01-01'] as const)(
  '%s two invented payments for one order: the seat comes back early all the same',
  async (dialect) => {
    const play = await scene({ dialect, holdSeconds: 3_600 });
    for (const paymentId of play.newPaymentIds(2)) await play.confirm(paymentId);
    expect(await seats(play)).toEqual(['available', 'held']);
    await lookedUp();
    expect(await seats(play)).toEqual(['available', 'available']);
  },
);

test('an invented payment after one that is open: the hold is kept while that one is', async () => {
  const play = await scene({ holdSeconds: 3_600 });
  const [open = '', invented = ''] = play.newPaymentIds(2);
  await play.confirm(open);
  await play.pay(open, { buyer: 'vanish' });
  await play.confirm(invented);
  await lookedUp();
  expect(await seats(play)).toEqual(['available', 'held']);
  // In silence, as V1 has it: only by looking again is it seen.
  stage.sandbox.fail(open);
  stage.pass(61_000);
  await stage.turn();
  expect(await seats(play)).toEqual(['available', 'available']);
});

test('an invented payment after one that was paid: the look finds it, and its seat is sold', async () => {
  const play = await scene({ holdSeconds: 3_600 });
  const [paid = '', invented = ''] = play.newPaymentIds(2);
  await play.confirm(paid);
  await play.pay(paid);
  await play.confirm(invented);
  await lookedUp();
  expect(await play.final()).toMatchObject({ order: 'paid', sold: 1 });
});

test('where PortOne is silent about another attempt, the hold is kept until it tells', async () => {
  const play = await scene({ holdSeconds: 3_600 });
  const [a = '', b = ''] = play.newPaymentIds(2);
  const { merchantUid } = play;
  const [event] = await stage.rows<{ id: number }>(
    'SELECT id FROM events WHERE slug = $1',
    play.slug,
  );
  await stage.confirm(event?.id ?? 0, merchantUid, a, 'v2');
  await play.confirm(b);
  const mended = stage.sandbox.faults.rest({ kind: 'error', endpoint: 'payment', world: 'v2' });
  await lookedUp();
  mended();
  expect(await seats(play)).toEqual(['available', 'held']);
  stage.pass(16_000);
  await stage.turn();
  expect(await seats(play)).toEqual(['available', 'available']);
});

describe('an attempt that is let on while invented ones are looked up', () => {
  /** @param meanwhile done between the last look and its consequence */
  async function lookWhile(play: Scene, meanwhile: () => Promise<unknown>): Promise<void> {
    for (const paymentId of play.newPaymentIds(2)) await play.confirm(paymentId);
    stage.pass(21_000);
    await stage.turn();
    stage.pass(6_000);
    const { portone } = stage.options;
    const v1 = portone.api('v1');
    if (!v1) throw new Error('no V1');
    const slow: PaymentApi = {
      ...v1,
      read: async (ref) => {
        const told = await v1.read(ref);
        await meanwhile();
        return told;
      },
    };
    const api: PortOne['api'] = (gateway) => (gateway === 'v1' ? slow : portone.api(gateway));
    await proveHolds({ ...stage.options, portone: { api } }, 100, 5_000);
  }

  test('keeps the seat', async () => {
    const play = await scene({ holdSeconds: 3_600 });
    const [late = ''] = play.newPaymentIds(1);
    await lookWhile(play, () => play.confirm(late));
    expect(await seats(play)).toEqual(['available', 'held']);
    await play.pay(late);
    for (const message of play.messages()) await stage.deliver(message);
    expect(await play.final()).toMatchObject({ order: 'paid', sold: 1 });
  });

  test('control: ended whoever has the hold, it would lose it', async () => {
    const play = await scene({ holdSeconds: 3_600 });
    const [late = ''] = play.newPaymentIds(1);
    await lookWhile(play, async () => {
      expect(await play.confirm(late)).toBe('confirmed');
      const [hold] = await stage.rows<{ id: string }>(
        'SELECT id FROM holds WHERE payment_id = $1',
        late,
      );
      await endHolds(stage.database.prisma, {
        holds: [{ id: hold?.id ?? '', paymentId: null }],
        now: stage.now,
        actor: 'expiry',
        reason: 'unknown_payment',
        orderStatus: 'pending',
      });
    });
    expect(await seats(play)).toEqual(['available', 'available']);
  });
});

test('a confirm for one order does not speak for another', async () => {
  const play = await scene({ bypassedPayments: 'refund', seats: 4 });
  const [paymentId = ''] = play.newPaymentIds(1);
  const other = `${play.merchantUid}-other`;
  await play.addOrder(other, 1);
  await play.confirm(paymentId, other);
  await play.pay(paymentId);
  for (const message of play.messages()) await stage.deliver(message);
  await play.settle();
  expect(await play.final()).toMatchObject({ kept: 0, refunds: ['done bypassed_confirm'] });
});

test('an answer older than what is on record closes no case', async () => {
  const play = await scene({ party: 2 });
  const [paymentId = ''] = play.newPaymentIds(1);
  await play.confirm(paymentId);
  await play.pay(paymentId);
  for (const message of play.messages()) await stage.deliver(message);
  const read = () =>
    stage.options.portone
      .api('v1')
      ?.read({ gateway: 'v1', paymentId, merchantUid: play.merchantUid });
  const before = await read();
  stage.sandbox.cancelInConsole(paymentId, 200);
  const after = await read();
  if (!before || !after) throw new Error('no answer');
  await settlePayment(stage.options, after);
  await settlePayment(stage.options, { ...before, cancelledAmount: 0 });
  expect(await play.final()).toMatchObject({ cases: ['partial_cancel'], balance: -200 });
});

test('an account that an earlier attempt was given keeps the hold until its due date', async () => {
  const play = await scene();
  const [a = '', b = ''] = play.newPaymentIds(2);
  await play.confirm(a);
  await play.confirm(b);
  await play.pay(a, { method: 'vbank', dueInMs: 86_400_000 });
  for (const message of play.messages()) await stage.deliver(message);
  stage.pass(3_600_000);
  await stage.turn();
  expect(stage.sandbox.deposit(a)).toMatchObject({ accepted: true });
  for (const message of play.messages()) await stage.deliver(message);
  expect(await play.final()).toMatchObject({ order: 'paid', sold: 1 });
});

test('V2 an account is waited for, though a later window of the same order is open', async () => {
  const play = await scene({ dialect: 'v2-2024-04-25' });
  const [a = '', b = ''] = play.newPaymentIds(2);
  await play.confirm(a);
  await play.pay(a, { method: 'vbank', dueInMs: 86_400_000 });
  await play.pay(b, { buyer: 'vanish' });
  for (const message of play.messages()) await stage.deliver(message);
  stage.pass(3_600_000);
  await stage.turn();
  expect(stage.sandbox.deposit(a)).toMatchObject({ accepted: true });
  for (const message of play.messages()) await stage.deliver(message);
  expect(await play.final()).toMatchObject({ order: 'paid', sold: 1 });
});

test('two attempts paid, the later one wrongly: the earlier one is found and sold', async () => {
  const play = await scene();
  const [a = '', b = ''] = play.newPaymentIds(2);
  await play.confirm(a);
  await play.pay(a, { buyer: 'vanish' });
  await play.confirm(b);
  await play.pay(b, { amount: 10 });
  stage.sandbox.approve(a);
  stage.pass(600_000);
  await play.settle();
  expect(await play.final()).toMatchObject({
    order: 'paid',
    sold: 1,
    refunds: ['done amount_mismatch'],
  });
});

test('a late payment for an order that was called off is paid back', async () => {
  const play = await scene();
  const [paymentId = ''] = play.newPaymentIds(1);
  await play.confirm(paymentId);
  await play.pay(paymentId);
  const { database, clock } = stage.options;
  expect(await cancelOrder({ database, clock }, play.merchantUid)).toMatchObject({ ok: true });
  for (const message of play.messages()) await stage.deliver(message);
  await play.settle();
  expect(await play.final()).toMatchObject({
    order: 'cancelled',
    sold: 0,
    kept: 0,
    refunds: ['done order_closed'],
  });
});

/** The first attempt is declined, the second one sold. */
async function secondSold(play: Scene): Promise<[first: string, second: string]> {
  const [a = '', b = ''] = play.newPaymentIds(2);
  await play.confirm(a);
  await play.pay(a, { buyer: 'decline' });
  await play.confirm(b);
  await play.pay(b);
  for (const message of play.messages()) await stage.deliver(message);
  await play.settle();
  return [a, b];
}

/** The second attempt is sold, the first one paid after all; the console cancels the second. */
async function duplicateCancelled(play: Scene): Promise<{ first: string; cancelled: string }> {
  const [a, b] = await secondSold(play);
  stage.sandbox.approve(a);
  const before = new Set(play.messages());
  stage.sandbox.cancelInConsole(b);
  const cancelled = play.messages().find((message) => !before.has(message)) ?? '';
  const first = [...before].filter((message) => message.includes(a)).at(-1) ?? '';
  return { first, cancelled };
}

test('a duplicate is cancelled in the console, and told of first: the other one has the seat', async () => {
  const play = await scene();
  const { first, cancelled } = await duplicateCancelled(play);
  await stage.deliver(cancelled);
  await play.settle();
  await stage.deliver(first);
  await play.reconcile();
  expect(await play.final()).toMatchObject({ order: 'paid', sold: 1, kept: 1_000, balance: 0 });
  expect(await stage.audit(play.slug)).toMatchObject({ clean: true });
});

test('the organizer refunded one payment of the order: no other one seats it again', async () => {
  const play = await scene();
  const [a, b] = await secondSold(play);
  await stage.rows(
    `INSERT INTO refunds (payment_id, amount, reason, requested_by, requested_at, next_try_at)
     VALUES ($1, 1000, 'asked', 'organizer:api', $2, $2)`,
    b,
    stage.now,
  );
  await play.settle();
  stage.sandbox.approve(a);
  for (const message of play.messages()) await stage.deliver(message);
  await play.settle();
  expect(await play.final()).toMatchObject({
    order: 'refunded',
    sold: 0,
    kept: 0,
    refunds: ['done asked', 'done order_closed'],
  });
});

test.each(['first', 'after it was cancelled'] as const)(
  'paid late for seats that are gone and cancelled in the console, told %s: the order is refunded',
  async (told) => {
    const play = await scene();
    const [a = ''] = play.newPaymentIds(1);
    await play.confirm(a);
    await play.pay(a, { buyer: 'vanish' });
    stage.pass(600_000);
    await play.settle();
    await play.othersTakeAll();
    stage.sandbox.approve(a);
    if (told === 'first') {
      for (const message of play.messages()) await stage.deliver(message);
    }
    stage.sandbox.cancelInConsole(a);
    for (const message of play.messages()) await stage.deliver(message);
    await play.settle();
    expect(await play.final()).toMatchObject({ order: 'refunded', sold: 0, kept: 0, balance: 0 });
  },
);

test('a deposit in the last minute of an account is a sale, though PortOne hears of it later', async () => {
  const play = await scene({ virtualAccounts: 'allow' });
  const [a = ''] = play.newPaymentIds(1);
  await play.confirm(a);
  await play.pay(a, { method: 'vbank' });
  for (const message of play.messages()) await stage.deliver(message);
  await stage.turn();
  const [payment] = await stage.rows<{ due: Date }>(
    'SELECT deposit_by AS due FROM payments WHERE payment_id = $1',
    a,
  );
  stage.pass((payment?.due.getTime() ?? 0) - stage.now.getTime() + 60_000);
  await stage.turn();
  await stage.turn();
  expect(await play.final()).toMatchObject({ order: 'held' });
  stage.sandbox.deposit(a);
  for (const message of play.messages()) await stage.deliver(message);
  await play.settle();
  expect(await play.final()).toMatchObject({ order: 'paid', sold: 1, refunds: [] });
});
