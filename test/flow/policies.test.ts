// Virtual accounts, bypassed and forged payments: what each event's policy makes of them.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/sandbox/types.ts';
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
import { CARRIERS, openWorld, type World } from '../support/world.ts';

const DIALECTS: Dialect[] = ['v1', 'v2-2024-01-01', 'v2-2024-04-25'];
const ALLOWED = { virtualAccounts: { policy: 'allow' } };

describe.each(CARRIERS)('policies of an event (queue on %s)', (carrier) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ carrier, env: { PAYMENT_CHECK_AFTER_MS: '1000' } });
  });
  afterAll(() => world?.close());

  const steps = (orderUid: string) =>
    world.sql<{ step: string; detail: string | null; actor: string }>(
      `SELECT s.step, s.detail, s.actor FROM payment_steps s JOIN orders o ON o.id = s.order_id
        WHERE o.merchant_uid = $1 ORDER BY s.id`,
      orderUid,
    );

  describe('virtual accounts', () => {
    test.each(DIALECTS)(
      '%s forbidden: the account is closed at once and the seat is free again',
      async (dialect) => {
        const event = await world.event(1);
        const order = await world.order(event);
        const { paymentId } = await pay(world, order, { dialect, method: 'vbank' });
        await until('the seat is back', async () => (await world.seats(event)).available === 1);
        expect(world.sandbox.deposit(paymentId)).toMatchObject({ accepted: false });
        expect(await steps(order.merchantUid)).toContainEqual({
          step: 'account_closed',
          detail: null,
          actor: 'settlement',
        });
        expect(await world.audit(event)).toMatchObject({ clean: true });
      },
    );

    test.each(DIALECTS)(
      '%s closed, and told as cancelled: no seat for no money, and another attempt is let on',
      async (dialect) => {
        const event = await world.event(1, { holdSeconds: 300, ...ALLOWED });
        const order = await world.order(event);
        const how = { dialect, method: 'vbank', closedAs: 'cancelled' } as const;
        const { paymentId } = await pay(world, order, how);
        await until('its account is known', async () =>
          (await seen(world, order)).payments.some(({ status }) => status === 'waiting_deposit'),
        );
        const gateway = dialect === 'v1' ? 'v1' : 'v2';
        const { merchantUid } = order;
        const { portone } = world.service.dependencies;
        await portone.api(gateway)?.closeAccount({ gateway, paymentId, merchantUid });
        const run = await world.call('POST', `/api/events/${event}/reconcile`, {});
        expect(run.body).toMatchObject({ agree: true, totals: [] });
        const view = await seen(world, order);
        expect(view).toMatchObject({ status: 'pending', seats: [] });
        expect(view.payments).toMatchObject([{ status: 'failed', cancelledAmount: 0 }]);
        expect(await world.seats(event)).toMatchObject({ available: 1, sold: 0 });
        expect(await pay(world, order, { dialect })).toMatchObject({ state: 'paid' });
        await becomes(world, order, 'paid');
        expect(await world.audit(event)).toMatchObject({ clean: true });
      },
    );

    test('forbidden, its closing had no answer: the next reconciliation tries again', async () => {
      const event = await world.event(1);
      const order = await world.order(event);
      const how = { method: 'vbank', confirmUrl: null, webhookUrl: null } as const;
      const { paymentId } = await pay(world, order, how);
      const mended = world.sandbox.faults.rest({ kind: 'error', endpoint: 'closeAccount' });
      const run = () => world.call('POST', `/api/events/${event}/reconcile`, {});
      expect((await run()).body).toMatchObject({ left: 1, findings: [{ repair: 'failed' }] });
      mended();
      const found = { kind: 'status_differs', repair: 'settled', outcome: 'account_refused' };
      expect((await run()).body).toMatchObject({ left: 0, findings: [found] });
      expect(world.sandbox.deposit(paymentId)).toMatchObject({ accepted: false });
      expect((await run()).body).toMatchObject({ agree: true });
    });

    test('forbidden, but the provider cannot close it: a deposit all the same is seated', async () => {
      const event = await world.event(1);
      const order = await world.order(event);
      const { paymentId } = await pay(world, order, { method: 'vbank', closable: false });
      await until('the seat is back', async () => (await world.seats(event)).available === 1);
      expect(world.sandbox.deposit(paymentId)).toMatchObject({ accepted: true });
      await becomes(world, order, 'paid');
      expect((await steps(order.merchantUid)).map(({ step }) => step)).toEqual([
        'account_left_open',
        'same_seats',
      ]);
      expect(await world.audit(event)).toMatchObject({ clean: true });
    });

    test.each(DIALECTS)('%s allowed: nothing paid in by the due date, closed', async (dialect) => {
      const event = await world.event(1, { holdSeconds: 1, ...ALLOWED });
      const order = await world.order(event);
      const { paymentId } = await pay(world, order, { dialect, method: 'vbank', dueInMs: 2_000 });
      await until('the seat is back', async () => (await world.seats(event)).available === 1);
      expect(world.sandbox.deposit(paymentId)).toMatchObject({ accepted: false });
      expect((await steps(order.merchantUid)).map(({ step }) => step)).toContain('account_closed');
      expect(await world.audit(event)).toMatchObject({ clean: true });
    });

    test('allowed with a longest wait: the hold ends before the account would', async () => {
      const virtualAccounts = { policy: 'allow', maxWaitSeconds: 60 };
      const event = await world.event(1, { holdSeconds: 10, virtualAccounts });
      const order = await world.order(event);
      await pay(world, order, { method: 'vbank', dueInMs: 86_400_000 });
      const held = await until('the hold follows the account', async () => {
        const view = await seen(world, order);
        return Date.parse(view.holdExpiresAt ?? '') > Date.now() + 30_000 && view;
      });
      expect(Date.parse(held.holdExpiresAt ?? '')).toBeLessThan(Date.now() + 61_000);
    });
  });

  describe('payments whose buyer dropped confirm_url', () => {
    test.each(DIALECTS)('%s seat-if-free: seated, and marked as bypassed', async (dialect) => {
      const event = await world.event(1);
      const order = await world.order(event);
      await pay(world, order, { dialect, confirmUrl: null });
      const paid = await becomes(world, order, 'paid');
      expect(labels(paid)).toHaveLength(1);
      expect(await steps(order.merchantUid)).toContainEqual({
        step: 'equal_seats',
        detail: 'bypassed_confirm',
        actor: 'settlement',
      });
    });

    test.each(DIALECTS)('%s refund: the money goes back, the seat stays free', async (dialect) => {
      const event = await world.event(1, { bypassedPayments: 'refund' });
      const order = await world.order(event);
      await pay(world, order, { dialect, confirmUrl: null });
      const view = await refunded(world, order);
      expect(view.payments[0]?.refund).toMatchObject({ state: 'done', reason: 'bypassed_confirm' });
      expect(books(world, order)[0]).toMatchObject({ kept: 0 });
      expect(await world.seats(event)).toMatchObject({ available: 1 });
      expect(await world.audit(event)).toMatchObject({ clean: true });
    });

    test('before the sale opens nobody buys a seat by the back door', async () => {
      const opensAt = new Date(Date.now() + 3_600_000).toISOString();
      const event = await world.event(1, { opensAt });
      const order = await world.order(event);
      await pay(world, order, { confirmUrl: null });
      const view = await refunded(world, order);
      expect(view.payments[0]?.refund).toMatchObject({ reason: 'bypassed_not_open' });
      expect(await world.seats(event)).toMatchObject({ available: 1 });
    });

    test('nor more than the event lets one buyer have', async () => {
      const event = await world.event(3, { maxPerBuyer: 1 });
      const buyer = { id: 'greedy' };
      const items = [{ ticketType: 'ga', quantity: 1 }];
      const make = async () => {
        const body = { merchantUid: world.name('greedy'), event, buyer, items };
        return (await world.call('POST', '/api/orders', body)).body;
      };
      const [first, second] = [await make(), await make()];
      await pay(world, first);
      await becomes(world, first, 'paid');
      await pay(world, second, { confirmUrl: null });
      const view = await refunded(world, second);
      expect(view.payments[0]?.refund).toMatchObject({ reason: 'bypassed_limit_reached' });
      expect(await world.seats(event)).toMatchObject({ sold: 1 });
    });
  });

  describe('forged confirms', () => {
    test('a payment that PortOne does not know loses its hold early', async () => {
      const event = await world.event(1, { holdSeconds: 3_600 });
      const order = await world.order(event);
      const paymentId = world.name('imp-forged');
      expect(await world.confirm(order, paymentId)).toMatchObject({ status: 200 });
      await until('the seat is back', async () => (await world.seats(event)).available === 1);
      expect((await moves(world, event)).at(-1)).toMatchObject({
        actor: 'expiry',
        reason: 'unknown_payment',
      });
    });

    test("another order's payment does not stand for this one", async () => {
      const event = await world.event(2, { holdSeconds: 3_600 });
      const [own, borrowed] = await world.orders(event, 2);
      if (!own || !borrowed) throw new Error('no orders');
      const { paymentId } = await pay(world, borrowed, { confirmUrl: null, buyer: 'vanish' });
      expect(await world.confirm(own, paymentId)).toMatchObject({ status: 200 });
      await until('the seat is back', async () => (await world.seats(event)).available === 2);
    });

    test('a payment that is known, and still open, keeps its hold', async () => {
      const event = await world.event(1, { holdSeconds: 3_600 });
      const order = await world.order(event);
      await pay(world, order, { buyer: 'vanish' });
      await until('its payment was looked up', async () => {
        const [hold] = await world.sql<{ checkAt: Date | null }>(
          `SELECT h.check_at AS "checkAt" FROM holds h JOIN orders o ON o.id = h.order_id
            WHERE o.merchant_uid = $1 AND h.answered_at IS NOT NULL`,
          order.merchantUid,
        );
        return hold?.checkAt === null;
      });
      expect(await world.seats(event)).toMatchObject({ held: 1 });
    });

    test('a payment that failed without a word, as on V1, frees its seat early', async () => {
      const event = await world.event(1, { holdSeconds: 3_600 });
      const order = await world.order(event);
      await pay(world, order, { buyer: 'decline' });
      await until('the seat is back', async () => (await world.seats(event)).available === 1);
      await inboxEmpty(world, order);
      expect((await moves(world, event)).at(-1)).toMatchObject({
        actor: 'expiry',
        reason: 'payment_failed',
      });
    });
  });
});
