// Holds end: by time where nobody can be asked, and by themselves where nobody was answered.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { becomes, moves, seen } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, openWorld, type World } from '../support/world.ts';

describe.each(CARRIERS)('expiry without credentials on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ carrier, gateway: false, env: { SWEEP_INTERVAL_MS: '100' } });
  });
  afterAll(() => world?.close());

  test('overdue holds are released by time, and others can have the seats at once', async () => {
    const event = await world.event(30, { holdSeconds: 3 });
    const orders = await world.orders(event, 30);
    const answers = await Promise.all(orders.map((order) => world.confirm(order)));
    for (const answer of answers) expect(answer.status).toBe(200);
    await until('every seat is free', async () => (await world.seats(event)).available === 30);
    for (const [n, order] of orders.entries()) {
      const [move] = await world.sql<{ at: Date }>(
        `SELECT m.at FROM moves m JOIN holds h ON h.id = m.from_hold JOIN orders o ON o.id = h.order_id
          WHERE o.merchant_uid = $1 AND m.to_state = 'available'`,
        order.merchantUid,
      );
      // Never before the time that the buyer was told.
      const told = Date.parse(answers[n]?.body.holdExpiresAt);
      expect(new Date(move?.at ?? 0).getTime()).toBeGreaterThanOrEqual(told);
    }
    expect((await moves(world, event)).at(-1)).toMatchObject({
      actor: 'expiry',
      reason: 'expired',
    });
    expect(await world.confirm(await world.order(event))).toMatchObject({ status: 200 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('a hold that nobody was answered for ends soon, however long it might have lived', async () => {
    const event = await world.event(1, { holdSeconds: 600 });
    const order = await world.order(event);
    expect(await world.confirm(order)).toMatchObject({ status: 200 });
    // As if the process had died between the verdict and the answer.
    await world.sql(
      `UPDATE holds SET answered_at = NULL, answer_by = now() - interval '1 s',
                        check_at = now() - interval '1 s'
        WHERE order_id = (SELECT id FROM orders WHERE merchant_uid = $1)`,
      order.merchantUid,
    );
    await becomes(world, order, 'pending');
    expect(await world.seats(event)).toMatchObject({ available: 1 });
    expect((await moves(world, event)).at(-1)).toMatchObject({
      actor: 'expiry',
      reason: 'unanswered',
    });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('a hold whose 200 was written is kept for its whole time', async () => {
    const event = await world.event(1, { holdSeconds: 600 });
    const order = await world.order(event);
    await world.confirm(order);
    await world.sql(
      `UPDATE holds SET answer_by = now() - interval '1 h', check_at = now() - interval '1 h'
        WHERE order_id = (SELECT id FROM orders WHERE merchant_uid = $1)`,
      order.merchantUid,
    );
    const other = await world.event(1, { holdSeconds: 1 });
    const passing = await world.order(other);
    await world.confirm(passing);
    await becomes(world, passing, 'pending');
    expect((await seen(world, order)).status).toBe('held');
  });

  test('an order whose hold ran out can be tried again', async () => {
    const event = await world.event(1, { holdSeconds: 1 });
    const order = await world.order(event);
    await world.confirm(order);
    await becomes(world, order, 'pending');
    expect(await world.confirm(order)).toMatchObject({ status: 200 });
  });
});
