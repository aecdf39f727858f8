// No money without a seat: payments that come when the hold is gone, or never was.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PayRequest } from '../../src/sandbox/types.ts';
import {
  becomes,
  books,
  inboxEmpty,
  labels,
  moves,
  pay,
  refunded,
  seen,
} from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, type Item, type OrderView, openWorld, type World } from '../support/world.ts';

const DIALECTS: PayRequest['dialect'][] = ['v1', 'v2-2024-04-25'];

describe.each(CARRIERS)('late payments on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ carrier, env: { SWEEP_INTERVAL_MS: '200' } });
  });
  afterAll(() => world?.close());

  /** An order that was paid, of which nobody has told yet, and whose seats were given back. */
  async function lapsed(event: string, dialect: PayRequest['dialect'], items?: Item[]) {
    const order = await world.order(event, items);
    const { paymentId } = await pay(world, order, { dialect, webhooks: { mode: 'lost' } });
    const had = labels(await seen(world, order));
    const release = { orders: [order.merchantUid], reason: 'too slow' };
    await world.call('POST', `/api/events/${event}/release`, release);
    expect((await seen(world, order)).status).toBe('pending');
    return { order, had, tell: () => tell(order, paymentId, dialect) };
  }

  /** The webhook comes after all. */
  async function tell(order: OrderView, paymentId: string, dialect: PayRequest['dialect']) {
    const data = { paymentId: order.merchantUid, transactionId: paymentId, storeId: 's' };
    const timestamp = new Date().toISOString();
    const answer = await world.sandbox.sendWebhook(
      dialect === 'v1'
        ? { body: { imp_uid: paymentId, merchant_uid: order.merchantUid, status: 'paid' } }
        : { body: { type: 'Transaction.Paid', timestamp, data }, signature: 'good' },
    );
    expect(answer.status).toBe(200);
  }

  async function taken(event: string, items?: Item[]): Promise<OrderView> {
    const order = await world.order(event, items);
    expect(await world.confirm(order)).toMatchObject({ status: 200 });
    return order;
  }

  test.each(DIALECTS)(
    '%s paid after its time: the same seats, if they are free',
    async (dialect) => {
      const virtualAccounts = { policy: 'allow' };
      const event = await world.event(5, { holdSeconds: 1, virtualAccounts });
      const order = await world.order(event, [{ ticketType: 'ga', quantity: 2 }]);
      const how = { dialect, method: 'vbank', dueInMs: 1_200, closable: false } as const;
      const { paymentId } = await pay(world, order, how);
      const had = labels(await becomes(world, order, 'held'));
      await becomes(world, order, 'pending');
      expect(world.sandbox.deposit(paymentId)).toMatchObject({ accepted: true });
      const paid = await becomes(world, order, 'paid');
      expect(labels(paid)).toEqual(had);
      expect((await moves(world, event)).at(-1)).toMatchObject({
        from: 'available',
        to: 'sold',
        actor: 'settlement',
        reason: 'late_payment:same_seats',
      });
      expect(await world.audit(event)).toMatchObject({ clean: true });
    },
  );

  test.each(DIALECTS)('%s whose seats are gone: equal seats', async (dialect) => {
    const event = await world.event(5);
    const { order, had, tell } = await lapsed(event, dialect, [{ ticketType: 'ga', quantity: 2 }]);
    await taken(event, [{ ticketType: 'ga', quantity: 1, seats: [had[1] ?? ''] }]);
    await tell();
    const paid = await becomes(world, order, 'paid');
    expect(paid.seats).toHaveLength(2);
    expect(labels(paid)).not.toContain(had[1]);
    expect((await moves(world, event)).at(-1)).toMatchObject({
      reason: 'late_payment:equal_seats',
    });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('a party that sat side by side does so again', async () => {
    const event = await world.event(0);
    const rows = ['A', 'B'].map((row) => ({ section: 'S', row, from: 1, to: 5 }));
    await world.call('POST', `/api/events/${event}/seats`, { ticketType: 'ga', rows });
    const { order, had, tell } = await lapsed(event, 'v1', [{ ticketType: 'ga', quantity: 3 }]);
    await taken(event, [{ ticketType: 'ga', quantity: 1, seats: [had[1] ?? ''] }]);
    await tell();
    const { seats } = await becomes(world, order, 'paid');
    const numbers = seats.map((seat) => Number(seat.number)).sort();
    expect(new Set(seats.map((seat) => seat.row)).size).toBe(1);
    expect((numbers[2] ?? 0) - (numbers[0] ?? 0)).toBe(2);
  });

  test('named seats that are gone are replaced by others of their type', async () => {
    const event = await world.event(3);
    const named = [{ ticketType: 'ga', quantity: 1, seats: ['ga-2'] }];
    const { order, tell } = await lapsed(event, 'v1', named);
    await taken(event, named);
    await tell();
    expect(labels(await becomes(world, order, 'paid'))).not.toContain('ga-2');
  });

  test.each(DIALECTS)('%s with nothing left: refunded in full, exactly once', async (dialect) => {
    const event = await world.event(2);
    const { order, tell } = await lapsed(event, dialect, [{ ticketType: 'ga', quantity: 2 }]);
    await taken(event);
    await tell();
    const view = await refunded(world, order);
    expect(view).toMatchObject({
      seats: [],
      payments: [{ refund: { reason: 'no_seats_left', amount: 20_000 } }],
    });
    await becomes(world, order, 'refunded');
    await world.sandbox.idle();
    await inboxEmpty(world, order);
    const [payment] = books(world, order);
    expect(payment).toMatchObject({ everPaid: true, kept: 0 });
    expect(payment?.cancellations).toHaveLength(1);
    expect(await world.seats(event)).toMatchObject({ held: 1, available: 1, sold: 0 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test.each(DIALECTS)('%s that bypassed the confirm is seated', async (dialect) => {
    const event = await world.event(3);
    const order = await world.order(event, [{ ticketType: 'ga', quantity: 1, seats: ['ga-3'] }]);
    const outcome = await pay(world, order, { dialect, confirmUrl: null });
    expect(outcome.confirm.asked).toBe(false);
    expect(labels(await becomes(world, order, 'paid'))).toEqual(['ga-3']);
    expect(await world.seats(event)).toMatchObject({ sold: 1, available: 2 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('late payments and confirms that race for the last seats never oversell', async () => {
    const event = await world.event(6);
    const late = await Promise.all(Array.from({ length: 6 }, () => lapsed(event, 'v1')));
    const rivals = await world.orders(event, 6);
    const answers = Promise.all(rivals.map((order) => world.confirm(order)));
    await Promise.all(late.map((one) => one.tell()));
    const confirmed = (await answers).filter((answer) => answer.status === 200).length;
    for (const { order } of late) await inboxEmpty(world, order);
    const paid = (await Promise.all(late.map(({ order }) => seen(world, order)))).filter(
      (view) => view.status === 'paid',
    );
    expect(confirmed + paid.length).toBe(6);
    await until('the rest is refunded', async () => {
      const views = await Promise.all(late.map(({ order }) => seen(world, order)));
      return views.every((view) => view.status === 'paid' || view.status === 'refunded');
    });
    expect(
      world.sandbox
        .books()
        .payments.filter((p) =>
          late.some(({ order }) => order.merchantUid === p.merchantUid && p.kept > 0),
        ),
    ).toHaveLength(paid.length);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });
});
