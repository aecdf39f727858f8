// Money that goes back: in the gateway's console, or because there is no right to keep it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PayRequest } from '../../src/sandbox/types.ts';
import { becomes, books, inboxEmpty, moves, pay, refunded, seen } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, type OrderView, openWorld, type World } from '../support/world.ts';

const DIALECTS: PayRequest['dialect'][] = ['v1', 'v2-2024-01-01', 'v2-2024-04-25'];

describe.each(CARRIERS)('cancellations on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({
      carrier,
      env: { SWEEP_INTERVAL_MS: '100', PORTONE_TEST_PAYMENTS: 'refuse' },
    });
  });
  afterAll(() => world?.close());

  async function expectRefundedOnce(event: string, order: OrderView): Promise<void> {
    await world.sandbox.idle();
    await inboxEmpty(world, order);
    const [payment] = books(world, order);
    expect(payment).toMatchObject({ everPaid: true, state: 'cancelled', kept: 0 });
    expect(payment?.cancellations).toHaveLength(1);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  }

  test.each(DIALECTS)(
    '%s cancelled in full in the console: the seats come back, the order is refunded',
    async (dialect) => {
      const event = await world.event(2);
      const order = await world.order(event, [{ ticketType: 'ga', quantity: 2 }]);
      const { paymentId } = await pay(world, order, { dialect });
      await becomes(world, order, 'paid');
      expect(world.sandbox.cancelInConsole(paymentId)).toMatchObject({ cancelled: true });
      const view = await becomes(world, order, 'refunded');
      expect(view).toMatchObject({
        seats: [],
        payments: [{ status: 'cancelled', cancelledAmount: 20_000 }],
      });
      expect(await world.seats(event)).toMatchObject({ available: 2, sold: 0 });
      expect((await moves(world, event)).at(-1)).toMatchObject({
        from: 'sold',
        to: 'available',
        actor: 'settlement',
        reason: 'payment_cancelled',
      });
      await expectRefundedOnce(event, order);
      expect(await world.confirm(order)).toMatchObject({
        status: 409,
        body: { code: 'already_paid' },
      });
      expect(await world.confirm(await world.order(event))).toMatchObject({ status: 200 });
    },
  );

  test.each(DIALECTS)(
    '%s cancelled in part: the seats stay sold, the payment is flagged',
    async (dialect) => {
      const event = await world.event(2);
      const order = await world.order(event, [{ ticketType: 'ga', quantity: 2 }]);
      const { paymentId } = await pay(world, order, { dialect });
      await becomes(world, order, 'paid');
      world.sandbox.cancelInConsole(paymentId, 5_000);
      const view = await until('the payment is flagged', async () => {
        const now = await seen(world, order);
        return now.payments[0]?.flag && now;
      });
      expect(view).toMatchObject({
        status: 'paid',
        payments: [
          { flag: 'partially_cancelled', status: 'paid', cancelledAmount: 5_000, refund: null },
        ],
      });
      expect(await world.seats(event)).toMatchObject({ sold: 2 });
      // The rest as well: now it is a full one.
      world.sandbox.cancelInConsole(paymentId, 15_000);
      await becomes(world, order, 'refunded');
      expect(await world.seats(event)).toMatchObject({ available: 2 });
      expect(await world.audit(event)).toMatchObject({ clean: true });
    },
  );

  test('an amount left out at the confirm and tampered with: released and refunded', async () => {
    const event = await world.event(1, { holdSeconds: 600 });
    const order = await world.order(event);
    const outcome = await pay(world, order, { omitAmount: true, amount: 100 });
    expect(outcome).toMatchObject({ state: 'paid', confirm: { status: 200 } });
    const view = await refunded(world, order);
    expect(view).toMatchObject({
      seats: [],
      payments: [{ flag: 'amount_mismatch', refund: { reason: 'amount_mismatch', amount: 100 } }],
    });
    await until('the seat is free', async () => (await world.seats(event)).available === 1);
    await expectRefundedOnce(event, order);
  });

  test('a tampered amount that is named is refused before any charge', async () => {
    const event = await world.event(1);
    const order = await world.order(event);
    const outcome = await pay(world, order, { amount: 100 });
    expect(outcome).toMatchObject({
      state: 'failed',
      confirm: { status: 422, body: { code: 'amount_mismatch' } },
    });
    expect(outcome.errorMessage).toContain('amount differs');
  });

  test.each(DIALECTS)('%s paid in another currency is refunded', async (dialect) => {
    const event = await world.event(1);
    const order = await world.order(event);
    await pay(world, order, { dialect, currency: 'JPY' });
    await refunded(world, order);
    expect(await world.seats(event)).toMatchObject({ available: 1 });
    await expectRefundedOnce(event, order);
  });

  test.each(DIALECTS)(
    '%s test payment where they are refused: released and refunded',
    async (dialect) => {
      const event = await world.event(1, { holdSeconds: 600 });
      const order = await world.order(event);
      const outcome = await pay(world, order, { dialect, test: true });
      expect(outcome).toMatchObject({ state: 'paid', confirm: { status: 200 } });
      const view = await refunded(world, order);
      expect(view.payments).toMatchObject([
        { flag: 'test_payment', refund: { reason: 'test_payment' } },
      ]);
      await until('the seat is free', async () => (await world.seats(event)).available === 1);
      await expectRefundedOnce(event, order);
    },
  );

  test.each(DIALECTS)(
    '%s paid without a confirm while nothing is left: refunded in full',
    async (dialect) => {
      const event = await world.event(1);
      const [first, bypass] = await world.orders(event, 2);
      if (!first || !bypass) throw new Error('no orders');
      await world.confirm(first);
      await pay(world, bypass, { dialect, confirmUrl: null });
      const view = await refunded(world, bypass);
      expect(view.payments).toMatchObject([
        { verdict: null, refund: { reason: 'no_seats_left', amount: 10_000 } },
      ]);
      await becomes(world, bypass, 'refunded');
      await expectRefundedOnce(event, bypass);
      expect(await world.seats(event)).toMatchObject({ held: 1 });
    },
  );

  test('a refused confirm paid all the same is refunded', async () => {
    const event = await world.event(1);
    const [first, second] = await world.orders(event, 2);
    if (!first || !second) throw new Error('no orders');
    await world.confirm(first);
    expect(await pay(world, second)).toMatchObject({ state: 'failed', confirm: { status: 409 } });
    await pay(world, second, { confirmUrl: null });
    await refunded(world, second);
    expect(books(world, second).map((p) => p.kept)).toEqual([0, 0]);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('refunds are made exactly once each, whatever goes wrong at the gateway meanwhile', async () => {
    const event = await world.event(8, { holdSeconds: 600 });
    for (const kind of ['answer_lost', 'error', 'refuse', 'pg_error'] as const) {
      for (const gateway of ['v1', 'v2'] as const) {
        world.sandbox.faults.rest({ kind, endpoint: 'cancel', world: gateway, times: 1 });
      }
    }
    const orders = await world.orders(event, 8);
    const dialects = ['v1', 'v2-2024-04-25'] as const;
    await Promise.all(
      orders.map((order, n) => pay(world, order, { dialect: dialects[n % 2], test: true })),
    );
    for (const order of orders) await refunded(world, order);
    expect(world.sandbox.faults.state().rest).toEqual([]);
    for (const order of orders) await expectRefundedOnce(event, order);
  });

  test.each(['v1', 'v2-2024-04-25'] as const)(
    '%s refund that needs a bank account is kept as owed, and closed by the console',
    async (dialect) => {
      const event = await world.event(1, { virtualAccounts: { policy: 'allow' } });
      const [first, second] = await world.orders(event, 2);
      if (!first || !second) throw new Error('no orders');
      await world.confirm(first);
      const { paymentId } = await pay(world, second, {
        dialect,
        confirmUrl: null,
        method: 'vbank',
      });
      world.sandbox.deposit(paymentId);
      await until('the refund waits for a person', async () => {
        const [refund] = await world.sql<{ lastError: string | null }>(
          `SELECT last_error AS "lastError" FROM refunds
            WHERE payment_id = $1 AND state = 'needs_person'`,
          paymentId,
        );
        return refund?.lastError === 'needs_account';
      });
      expect(books(world, second)[0]).toMatchObject({ kept: 10_000 });
      expect(world.sandbox.cancelInConsole(paymentId)).toMatchObject({ cancelled: true });
      await refunded(world, second);
      await becomes(world, second, 'refunded');
      await expectRefundedOnce(event, second);
    },
  );
});
