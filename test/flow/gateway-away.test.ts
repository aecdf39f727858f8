// PortOne is away: nothing is given away, nothing is lost, and all is settled once it is back.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { becomes, books, pay, refunded, seen } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, type OrderView, openWorld, type World } from '../support/world.ts';

describe.each(CARRIERS)('while PortOne is away, on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({
      carrier,
      env: {
        SWEEP_INTERVAL_MS: '100',
        PORTONE_TIMEOUT_MS: '1000',
        PORTONE_TEST_PAYMENTS: 'refuse',
      },
    });
  });
  afterAll(() => world?.close());

  /** Waits until PortOne was asked about the overdue hold, in vain. */
  const askedInVain = (order: OrderView) =>
    until(`PortOne is asked about ${order.merchantUid}`, async () => {
      const [hold] = await world.sql<{ asks: number }>(
        `SELECT asks FROM holds h JOIN orders o ON o.id = h.order_id
          WHERE o.merchant_uid = $1 AND h.next_ask_at > now() AND h.next_ask_at < now() + interval '10 s'`,
        order.merchantUid,
      );
      return (hold?.asks ?? 0) > 0;
    });

  test('holds are kept beyond their time, and paid, declined and mistaken payments settled after', async () => {
    const event = await world.event(10, { holdSeconds: 1 });
    const [v1, v2, declined, vanished, test] = await world.orders(event, 5);
    if (!v1 || !v2 || !declined || !vanished || !test) throw new Error('no orders');
    await world.sandbox.faults.unplug();
    await Promise.all([
      pay(world, v1),
      pay(world, v2, { dialect: 'v2-2024-04-25' }),
      pay(world, declined, { buyer: 'decline' }),
      pay(world, vanished, { buyer: 'vanish' }),
      pay(world, test, { test: true }),
    ]);
    for (const order of [v1, v2, declined, vanished, test]) await askedInVain(order);
    expect(await world.seats(event)).toMatchObject({ held: 5, available: 5 });
    const view = await seen(world, v1);
    expect(Date.parse(view.holdExpiresAt ?? '')).toBeLessThan(Date.now());
    // The sale goes on: confirms need no PortOne.
    expect(await world.confirm(await world.order(event))).toMatchObject({ status: 200 });
    expect(await world.audit(event)).toMatchObject({ overdueHolds: 0 });
    await world.sandbox.faults.plugIn();
    await Promise.all([becomes(world, v1, 'paid'), becomes(world, v2, 'paid')]);
    await Promise.all([becomes(world, declined, 'pending'), becomes(world, vanished, 'pending')]);
    await refunded(world, test);
    expect(books(world, test)[0]?.cancellations).toHaveLength(1);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('one answer lost, one page of errors and one dead token delay a sale by seconds at most', async () => {
    const event = await world.event(4, { holdSeconds: 600 });
    for (const kind of ['answer_lost', 'error', 'refuse'] as const) {
      world.sandbox.faults.rest({ kind, times: 1 });
      const order = await world.order(event);
      await pay(world, order);
      await becomes(world, order, 'paid');
    }
    world.sandbox.faults.expireTokens();
    const order = await world.order(event);
    await pay(world, order);
    await becomes(world, order, 'paid');
    world.sandbox.faults.clear();
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('a PortOne that hangs is given up on, and asked again', async () => {
    const event = await world.event(1, { holdSeconds: 600 });
    const order = await world.order(event);
    const hung = [1, 2].map(() => world.sandbox.faults.at('v1', 'payment'));
    await pay(world, order);
    for (const { reached } of hung) await reached;
    await becomes(world, order, 'paid');
    world.sandbox.faults.clear();
  });

  test('a payment that PortOne does not know keeps no seat for ever', async () => {
    const event = await world.event(1, { holdSeconds: 1 });
    const order = await world.order(event);
    expect(await world.confirm(order)).toMatchObject({ status: 200 });
    await becomes(world, order, 'pending');
    expect(await world.seats(event)).toMatchObject({ available: 1 });
  });
});
