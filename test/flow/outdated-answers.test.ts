// PortOne's answers may be settled in another order than they were given: the furthest counts.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settlePayment } from '../../src/payments/settle-payment.ts';
import type { PaymentSnapshot, PaymentStatus } from '../../src/portone/payment.ts';
import { labels, seen } from '../support/buyer.ts';
import { CARRIERS, type OrderView, openWorld, type World } from '../support/world.ts';

describe.each(CARRIERS)('outdated answers on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ carrier });
  });
  afterAll(() => world?.close());

  /** Settles what PortOne is said to have answered about the payment. */
  const settle = (
    order: OrderView,
    paymentId: string,
    status: PaymentStatus,
    change: Partial<PaymentSnapshot> = {},
  ) =>
    settlePayment(world.service.dependencies, {
      gateway: 'v1',
      paymentId,
      merchantUid: order.merchantUid,
      status,
      amount: order.amount,
      cancelledAmount: status === 'cancelled' ? order.amount : 0,
      currency: order.currency,
      test: false,
      method: 'card',
      virtualAccount: false,
      depositBy: null,
      cancelPending: false,
      paidAt: null,
      ...change,
    });

  async function held(event: string): Promise<{ order: OrderView; paymentId: string }> {
    const order = await world.order(event);
    const paymentId = world.name('imp');
    expect(await world.confirm(order, paymentId)).toMatchObject({ status: 200 });
    return { order, paymentId };
  }

  test('what was read before the payment was paid takes nothing back after', async () => {
    const event = await world.event(1);
    const { order, paymentId } = await held(event);
    expect(await settle(order, paymentId, 'paid')).toBe('sold');
    for (const status of ['ready', 'waiting_deposit', 'failed'] as const) {
      expect(await settle(order, paymentId, status)).toBe('outdated');
      const view = await seen(world, order);
      expect(view).toMatchObject({ status: 'paid', payments: [{ status: 'paid' }] });
    }
    expect(await settle(order, paymentId, 'paid')).toBe('already_sold');
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('paid, read before the cancellation and settled after it, sells and refunds nothing', async () => {
    const event = await world.event(1);
    const { order, paymentId } = await held(event);
    await settle(order, paymentId, 'paid');
    expect(await settle(order, paymentId, 'cancelled')).toBe('refunded');
    expect(await settle(order, paymentId, 'paid')).toBe('outdated');
    const view = await seen(world, order);
    expect(view).toMatchObject({
      status: 'refunded',
      payments: [{ status: 'cancelled', refund: null }],
    });
    expect(await world.seats(event)).toMatchObject({ available: 1 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('failed and paid at the same instant end as paid, every time', async () => {
    const event = await world.event(40);
    const holds = await Promise.all(Array.from({ length: 40 }, () => held(event)));
    await Promise.all(
      holds.flatMap(({ order, paymentId }) => [
        settle(order, paymentId, 'failed'),
        settle(order, paymentId, 'paid'),
        settle(order, paymentId, 'ready'),
      ]),
    );
    expect(await world.seats(event)).toMatchObject({ sold: 40, held: 0 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('an order paid by two attempts is sold once; the second is given back', async () => {
    const event = await world.event(2);
    const { order, paymentId } = await held(event);
    const second = world.name('imp');
    const kept = labels((await world.confirm(order, second)).body);
    // The first attempt has lost the hold to the second, but its money came.
    expect(await settle(order, paymentId, 'paid')).toBe('sold');
    expect(await settle(order, second, 'paid')).toBe('refund_requested');
    const view = await seen(world, order);
    expect(labels(view)).toEqual(kept);
    expect(view.payments.find((p) => p.paymentId === second)?.refund).toMatchObject({
      reason: 'paid_twice',
    });
    expect(await world.seats(event)).toMatchObject({ sold: 1, available: 1 });
    // The money that went back frees no seat of the other payment.
    expect(await settle(order, second, 'cancelled')).toBe('recorded');
    expect(await seen(world, order)).toMatchObject({ status: 'paid' });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('the failure of an earlier attempt leaves the later one its seats', async () => {
    const event = await world.event(1);
    const { order, paymentId } = await held(event);
    await world.confirm(order, world.name('imp'));
    expect(await settle(order, paymentId, 'failed')).toBe('recorded');
    expect(await seen(world, order)).toMatchObject({ status: 'held' });
  });
});
