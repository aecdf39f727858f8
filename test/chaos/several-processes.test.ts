import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PayRequest } from '../../src/sandbox/types.ts';
import { type ServiceProcess, startProcess } from '../support/service-process.ts';
import { until } from '../support/wait.ts';
import { type OrderView, openWorld, type World } from '../support/world.ts';

/** By turns: most pay, some are declined, vanish, hang up, repeat, or pay late. */
const BUYERS = ['pay', 'pay', 'pay', 'decline', 'vanish', 'hang_up', 'repeat', 'pay_late'] as const;
const DIALECTS = ['v1', 'v2-2024-01-01', 'v2-2024-04-25'] as const;
const SEATS = 60;
const BUYERS_COUNT = 240;

describe('one api process and two worker processes on Redis', () => {
  let world: World;
  const workers: ServiceProcess[] = [];

  beforeAll(async () => {
    world = await openWorld({ carrier: 'redis', env: { ROLE: 'api' } });
    workers.push(
      ...(await Promise.all([1, 2].map(() => startProcess({ ...world.env, ROLE: 'worker' })))),
    );
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
    await world?.close();
  });

  function payRequest(order: OrderView, index: number): PayRequest {
    return {
      dialect: DIALECTS[index % DIALECTS.length] ?? 'v1',
      merchantUid: order.merchantUid,
      amount: order.amount,
      currency: order.currency,
      method: 'card',
      confirmUrl: world.local(order.confirmUrl),
      buyer: BUYERS[index % BUYERS.length] ?? 'pay',
      hangUpAfterMs: 5,
      lateMs: 1_500,
    } as PayRequest;
  }

  test('a whole sale with every kind of buyer leaves money and seats in agreement', async () => {
    const event = await world.event(SEATS, { holdSeconds: 2 });
    const orders = await world.orders(event, BUYERS_COUNT);
    const outcomes = await Promise.all(
      orders.map((order, index) => world.sandbox.pay(payRequest(order, index))),
    );
    await world.sandbox.idle();
    // In one look: a webhook that waits may yet ask for a refund.
    await until(
      'every hold is paid for or ended, every webhook worked, every refund done',
      async () => {
        const [left] = await world.sql<{ n: number }>(
          `SELECT (SELECT count(*) FROM holds WHERE state = 'held')::int
                + (SELECT count(*) FROM webhooks WHERE state = 'pending')::int
                + (SELECT count(*) FROM refunds WHERE state <> 'done')::int AS n`,
        );
        return left?.n === 0;
      },
      60_000,
    );

    expect(outcomes.filter((o) => o.confirm.status === 200).length).toBeGreaterThan(0);
    expect(await world.audit(event)).toMatchObject({ clean: true });
    const paid = world.sandbox.books().payments.filter((p) => p.state === 'paid');
    expect((await world.seats(event)).sold).toBe(paid.length);
    for (const worker of workers) {
      expect(worker.logs.filter((line) => line.level === 'error')).toEqual([]);
    }
  });
});

describe('a process that is told to stop', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ carrier: 'redis', env: { ROLE: 'worker' } });
  });
  afterAll(() => world?.close());

  test('answers what it accepted before it goes', async () => {
    const api = await startProcess({ ...world.env, ROLE: 'api' });
    Object.defineProperty(world, 'url', { value: api.url });
    const event = await world.event(300);
    const orders = await world.orders(event, 300);
    const asked = orders.map((order) => world.confirm(order));
    // The requests are on their way: every connection is open once the first verdict is there.
    const first = Promise.race(asked);
    await first;
    const stopping = api.kill('SIGTERM');
    const answers = await Promise.allSettled(asked);
    await stopping;
    const accepted = answers.flatMap((a) => (a.status === 'fulfilled' ? [a.value] : []));
    expect(accepted.length).toBeGreaterThan(0);
    for (const answer of accepted) expect([200, 503]).toContain(answer.status);
    const confirmed = accepted.filter((a) => a.status === 200).length;
    const [held] = await world.sql<{ seats: number }>(
      `SELECT count(*)::int AS seats FROM holds WHERE state = 'held'`,
    );
    expect(held?.seats).toBe(confirmed);
  });
});
