// With PORTONE_PREREGISTER=on PortOne knows an order's amount before its payment window can open.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { pay } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import { type OrderView, openWorld, type World } from '../support/world.ts';

let world: World;
let event: string;
beforeAll(async () => {
  const env = {
    PORTONE_PREREGISTER: 'on',
    SWEEP_INTERVAL_MS: '100',
    // A call that hangs is at work until the test lets it go.
    PORTONE_TIMEOUT_MS: '60000',
  };
  world = await openWorld({ carrier: 'postgres', env });
  event = await world.event(50);
});
afterAll(() => world?.close());
afterEach(() => world.sandbox.faults.clear());

type Registered = OrderView & { amountRegistered: boolean };

const wish = (merchantUid = world.name('order')) => ({
  merchantUid,
  event,
  buyer: { id: 'buyer-1' },
  items: [{ ticketType: 'ga', quantity: 1 }],
});

async function register(wanted: unknown = wish()): Promise<Registered> {
  const answer = await world.call('POST', '/api/orders', wanted);
  expect(answer.status).toBe(201);
  return answer.body;
}

async function isRegistered({ merchantUid }: { merchantUid: string }): Promise<boolean> {
  return (await world.call('GET', `/api/orders/${merchantUid}`)).body.amountRegistered;
}

async function isDue({ merchantUid }: OrderView): Promise<boolean> {
  const text = 'SELECT register_at IS NOT NULL AS due FROM orders WHERE merchant_uid = $1';
  return (await world.sql<{ due: boolean }>(text, merchantUid))[0]?.due ?? false;
}

/** Calls to PortOne by which an amount was told, answered or not. */
async function callsMade(): Promise<number> {
  const text: string = (await world.call('GET', '/metrics')).body;
  const counts = text.matchAll(/^seatline_portone_call_seconds_count\{.*"register".*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Refused with a status that is no answer: PortOne is away. */
function away(): () => void {
  return world.sandbox.faults.rest({ kind: 'error', endpoint: 'prepare' });
}

describe('before the answer', () => {
  test('PortOne knows the amount, so that no window opens for another', async () => {
    const order = await register();
    expect(order.amountRegistered).toBe(true);
    expect(await isRegistered(order)).toBe(true);
    for (const dialect of ['v1', 'v2'] as const) {
      const opened = await pay(world, order, { dialect, amount: 1, confirmUrl: null });
      expect(opened.notOpened).toBe('amount_not_as_registered');
    }
    expect((await pay(world, order)).state).toBe('paid');
  });

  test('of many orders every one is told, those that took too long soon after', async () => {
    const wanted = Array.from({ length: 200 }, () => wish());
    const orders: Registered[] = (await world.call('POST', '/api/orders', wanted)).body;
    expect(orders.some((order) => order.amountRegistered)).toBe(true);
    const left = orders.filter((order) => !order.amountRegistered);
    await until('all are told', async () =>
      (await Promise.all(left.map(isRegistered))).every(Boolean),
    );
  });

  test.each(['v1', 'v2'] as const)(
    'an answer that is lost on %s is asked for again',
    async (at) => {
      world.sandbox.faults.rest({ kind: 'error', endpoint: 'prepare', world: at, times: 1 });
      expect(await register()).toMatchObject({ amountRegistered: true });
    },
  );

  test('an order that is there already is told of where it was not', async () => {
    const order = wish();
    const mended = away();
    expect(await register(order)).toMatchObject({ amountRegistered: false });
    mended();
    await until('PortOne is heard again', async () => (await register(order)).amountRegistered);
  });
});

describe('after the answer', () => {
  test('while PortOne is slow it is not waited for, and is told all the same', async () => {
    const hold = { answer: 'hang', hold: 'before' } as const;
    for (const at of ['v1', 'v2'] as const) world.sandbox.faults.at(at, 'prepare', hold);
    const before = await callsMade();
    const order = await register();
    expect(await callsMade()).toBe(before);
    expect(order.amountRegistered).toBe(false);
    await until('it is told', () => isRegistered(order));
    const opened = await pay(world, order, { amount: 1, confirmUrl: null });
    expect(opened.notOpened).toBe('amount_not_as_registered');
  });

  test('through an outage it is tried on, and told after it', async () => {
    const mended = away();
    const order = await register();
    expect(order.amountRegistered).toBe(false);
    const before = await callsMade();
    await until('it was tried again', async () => (await callsMade()) > before);
    expect(await isRegistered(order)).toBe(false);
    mended();
    await until('it is told', () => isRegistered(order));
  });

  test('what a process left undone when it died is told by another', async () => {
    const order = await register();
    await world.sql(
      `UPDATE orders SET register_at = now(), amount_registered = false WHERE merchant_uid = $1`,
      order.merchantUid,
    );
    await until('it is told', () => isRegistered(order));
  });

  test('what PortOne will never take is not tried for ever', async () => {
    const order = await register(wish('x'.repeat(41)));
    expect(order.amountRegistered).toBe(false);
    expect(await isDue(order)).toBe(false);
  });

  test('an order that can be paid no more is left alone', async () => {
    away();
    const order = await register();
    expect(await isDue(order)).toBe(true);
    await world.call('POST', `/api/orders/${order.merchantUid}/cancel`);
    await until('nobody tries it any more', async () => !(await isDue(order)));
    expect(await isRegistered(order)).toBe(false);
  });
});
