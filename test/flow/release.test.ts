// The organizer's hand over HTTP: by order, by seat, overdue or all, with a reason, or as a trial.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { becomes, labels, moves, pay, seen } from '../support/buyer.ts';
import {
  CARRIERS,
  type HttpResult,
  type OrderView,
  openWorld,
  type World,
} from '../support/world.ts';

describe.each(CARRIERS)('release on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    // No sweep within the test: what is overdue stays so until the organizer comes.
    world = await openWorld({ carrier, env: { SWEEP_INTERVAL_MS: '60000' } });
  });
  afterAll(() => world?.close());

  const release = (event: string, body: Record<string, unknown>): Promise<HttpResult> =>
    world.call('POST', `/api/events/${event}/release`, { reason: 'no-show', ...body });

  async function held(event: string, count: number): Promise<OrderView[]> {
    const orders = await world.orders(event, count);
    for (const order of orders) expect(await world.confirm(order)).toMatchObject({ status: 200 });
    return orders;
  }

  async function expectHeldBy(orders: OrderView[]): Promise<void> {
    for (const order of orders) expect((await seen(world, order)).status).toBe('held');
  }

  test('by order: its seats and no others, with who and why on record', async () => {
    const event = await world.event(3);
    const [first, ...others] = await held(event, 3);
    if (!first) throw new Error('no order');
    const answer = await release(event, { orders: [first.merchantUid] });
    const seats = [{ label: 'ga-1', ticketType: 'ga', merchantUid: first.merchantUid }];
    expect(answer).toMatchObject({
      status: 200,
      body: { released: 1, seats, sold: [], dryRun: false },
    });
    expect((await seen(world, first)).status).toBe('pending');
    await expectHeldBy(others);
    expect((await moves(world, event)).at(-1)).toEqual({
      label: 'ga-1',
      from: 'held',
      to: 'available',
      actor: 'organizer:api',
      reason: 'no-show',
    });
    expect(await release(event, { orders: [first.merchantUid] })).toMatchObject({
      body: { released: 0, seats: [] },
    });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('by seat: the whole order of that seat, for no order is left with a part', async () => {
    const event = await world.event(6);
    const pair = await world.order(event, [{ ticketType: 'ga', quantity: 2 }]);
    await world.confirm(pair);
    const others = await held(event, 2);
    const answer = await release(event, { seats: ['ga-2', 'ga-6'] });
    expect(labels(answer.body)).toEqual(['ga-1', 'ga-2']);
    expect(await seen(world, pair)).toMatchObject({ status: 'pending', seats: [] });
    await expectHeldBy(others);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('overdue: what is over and unpaid, while the paid is sold and the rest stays', async () => {
    const event = await world.event(6, { holdSeconds: 600 });
    const [overdue, paid, fresh] = await world.orders(event, 3);
    if (!overdue || !paid || !fresh) throw new Error('no orders');
    await pay(world, overdue, { buyer: 'vanish' });
    await pay(world, paid, { webhooks: { mode: 'lost' } });
    await pay(world, fresh, { buyer: 'vanish' });
    await world.sql(
      `UPDATE holds SET expires_at = now() - interval '1 s' WHERE order_id IN
        (SELECT id FROM orders WHERE merchant_uid IN ($1, $2))`,
      overdue.merchantUid,
      paid.merchantUid,
    );
    expect((await release(event, { overdue: true, dryRun: true })).body.released).toBe(2);
    const answer = await release(event, { overdue: true });
    expect(answer.body).toMatchObject({
      released: 1,
      seats: [{ merchantUid: overdue.merchantUid }],
    });
    expect((await seen(world, paid)).status).toBe('paid');
    await expectHeldBy([fresh]);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('all held: the sold ones stay', async () => {
    const event = await world.event(6);
    const [sold, ...others] = await held(event, 4);
    if (!sold) throw new Error('no order');
    await pay(world, sold);
    await becomes(world, sold, 'paid');
    const answer = await release(event, { allHeld: true });
    expect(answer.body).toMatchObject({ released: 3, sold: [] });
    expect(await world.seats(event)).toMatchObject({ available: 5, held: 0, sold: 1 });
    for (const order of others) expect((await seen(world, order)).status).toBe('pending');
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('sold seats are told of and not touched', async () => {
    const event = await world.event(2);
    const order = await world.order(event);
    await pay(world, order);
    await becomes(world, order, 'paid');
    for (const target of [{ orders: [order.merchantUid] }, { seats: ['ga-1'] }]) {
      const sold = [{ label: 'ga-1', merchantUid: order.merchantUid }];
      expect((await release(event, target)).body).toMatchObject({ released: 0, seats: [], sold });
    }
    expect(await world.seats(event)).toMatchObject({ sold: 1 });
  });

  test('a trial run tells what would be released and releases nothing', async () => {
    const event = await world.event(3);
    const orders = await held(event, 3);
    const before = await moves(world, event);
    const trial = await release(event, { allHeld: true, dryRun: true });
    expect(trial.body).toMatchObject({ released: 3, dryRun: true });
    expect(labels(trial.body)).toEqual(['ga-1', 'ga-2', 'ga-3']);
    await expectHeldBy(orders);
    expect(await moves(world, event)).toEqual(before);
  });

  test('unknown targets are 404 and named, and nothing at all is released', async () => {
    const event = await world.event(2);
    const elsewhere = await world.order(await world.event(1));
    const [order] = await held(event, 1);
    if (!order) throw new Error('no order');
    for (const target of [
      { orders: [order.merchantUid, 'nobody'] },
      { orders: [order.merchantUid, elsewhere.merchantUid] },
      { seats: ['ga-1', 'ga-99'] },
    ]) {
      const answer = await release(event, target);
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
      expect(answer.body.missing).toHaveLength(1);
    }
    expect(await release('no-such-event', { allHeld: true })).toMatchObject({ status: 404 });
    await expectHeldBy([order]);
  });

  test('no reason, no target or an unknown word is 422', async () => {
    const event = await world.event(1);
    for (const body of [
      {},
      { orders: [] },
      { allHeld: false },
      { allHeld: true, reason: ' ' },
      { allHeld: true, force: true },
    ]) {
      expect(await release(event, body)).toMatchObject({
        status: 422,
        body: { code: 'invalid_request' },
      });
    }
  });

  test('released seats go to others at once, and the late payment of the first is given equal ones', async () => {
    const event = await world.event(2);
    const [first] = await held(event, 1);
    if (!first) throw new Error('no order');
    await release(event, { orders: [first.merchantUid] });
    const next = await world.order(event, [{ ticketType: 'ga', quantity: 1, seats: ['ga-1'] }]);
    expect(await world.confirm(next)).toMatchObject({
      status: 200,
      body: { seats: [{ label: 'ga-1' }] },
    });
    await pay(world, first, { confirmUrl: null });
    expect(labels(await becomes(world, first, 'paid'))).toEqual(['ga-2']);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('a sold-out sale opens again for the very next confirm', async () => {
    const event = await world.event(5);
    await held(event, 5);
    const waiting = await world.order(event);
    expect(await world.confirm(waiting)).toMatchObject({ body: { code: 'all_held' } });
    await release(event, { allHeld: true });
    expect(await world.confirm(waiting)).toMatchObject({ status: 200 });
  });

  test('two releases of the same seats at once release each seat once', async () => {
    const event = await world.event(20);
    await held(event, 20);
    const answers = await Promise.all([1, 2, 3].map(() => release(event, { allHeld: true })));
    expect(answers.reduce((sum, { body }) => sum + body.released, 0)).toBe(20);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });
});
