// From the charge to the seat: what PortOne says of a payment becomes what the seat is.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PayRequest } from '../../src/sandbox/types.ts';
import { becomes, books, inboxEmpty, labels, moves, pay, seen } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, openWorld, type World } from '../support/world.ts';

const DIALECTS: Partial<PayRequest>[] = [
  { dialect: 'v1' },
  { dialect: 'v1', form: true },
  { dialect: 'v2-2024-01-01' },
  { dialect: 'v2-2024-01-01', form: true },
  { dialect: 'v2-2024-04-25' },
];
const ONE_OF_EACH: PayRequest['dialect'][] = ['v1', 'v2-2024-04-25'];

describe.each(CARRIERS)('settlement on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ carrier, env: { SWEEP_INTERVAL_MS: '200' } });
  });
  afterAll(() => world?.close());

  test.each(DIALECTS)(
    '%j paid: the seat is sold, the order paid, every move on record',
    async (how) => {
      const event = await world.event(3);
      const order = await world.order(event);
      const outcome = await pay(world, order, how);
      expect(outcome.state).toBe('paid');
      const paid = await becomes(world, order, 'paid');
      expect(labels(paid)).toEqual(['ga-1']);
      expect(paid.holdExpiresAt).toBeNull();
      expect(paid.payments).toMatchObject([
        {
          paymentId: outcome.paymentId,
          verdict: 'confirmed',
          status: 'paid',
          amount: 10_000,
          flag: null,
          refund: null,
        },
      ]);
      expect(await moves(world, event)).toEqual([
        { label: 'ga-1', from: 'available', to: 'held', actor: 'gateway', reason: 'confirm' },
        { label: 'ga-1', from: 'held', to: 'sold', actor: 'settlement', reason: 'paid' },
      ]);
      await inboxEmpty(world, order);
      expect(await world.audit(event)).toMatchObject({ clean: true });
    },
  );

  test('V1 declined in silence: expiry asks and gives the seat back', async () => {
    const event = await world.event(1, { holdSeconds: 1 });
    const order = await world.order(event);
    const outcome = await pay(world, order, { buyer: 'decline' });
    expect(outcome).toMatchObject({ state: 'failed', confirm: { status: 200 }, webhooksSent: 0 });
    const released = await becomes(world, order, 'pending');
    expect(released.payments).toMatchObject([{ status: 'failed', refund: null }]);
    expect(await world.seats(event)).toMatchObject({ available: 1 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('a window that was closed after the confirm: the seat comes back by time', async () => {
    const event = await world.event(1, { holdSeconds: 1 });
    const order = await world.order(event);
    await pay(world, order, { buyer: 'vanish' });
    await becomes(world, order, 'pending');
    expect((await moves(world, event)).at(-1)).toMatchObject({
      to: 'available',
      actor: 'expiry',
      reason: 'expired',
    });
  });

  test.each(['v2-2024-01-01', 'v2-2024-04-25'] as const)(
    '%s declined: the webhook releases the seat long before its time',
    async (dialect) => {
      const event = await world.event(1, { holdSeconds: 600 });
      const order = await world.order(event);
      await pay(world, order, { dialect, buyer: 'decline' });
      await becomes(world, order, 'pending');
      expect((await moves(world, event)).at(-1)).toMatchObject({
        actor: 'settlement',
        reason: 'payment_failed',
      });
    },
  );

  test.each(ONE_OF_EACH)('%s declined, then paid at the second attempt', async (dialect) => {
    const event = await world.event(1, { holdSeconds: 600 });
    const order = await world.order(event);
    await pay(world, order, { dialect, buyer: 'decline' });
    const outcome = await pay(world, order, { dialect });
    expect(outcome).toMatchObject({ state: 'paid' });
    const paid = await becomes(world, order, 'paid');
    expect(labels(paid)).toEqual(['ga-1']);
    await inboxEmpty(world, order);
    expect(books(world, order).map((p) => p.kept)).toEqual([0, 10_000]);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test.each(ONE_OF_EACH)(
    '%s whose webhook was lost: expiry finds it paid and sells',
    async (dialect) => {
      const event = await world.event(1, { holdSeconds: 1 });
      const order = await world.order(event);
      await pay(world, order, { dialect, webhooks: { mode: 'lost' } });
      await becomes(world, order, 'paid');
      expect(await world.seats(event)).toMatchObject({ sold: 1 });
      expect(await world.audit(event)).toMatchObject({ clean: true });
    },
  );

  test.each(ONE_OF_EACH)('%s webhooks repeated and out of order are one sale', async (dialect) => {
    const event = await world.event(3);
    const [repeated, reordered] = await world.orders(event, 2);
    if (!repeated || !reordered) throw new Error('no orders');
    await Promise.all([
      pay(world, repeated, { dialect, webhooks: { mode: 'repeated', times: 6 } }),
      pay(world, reordered, { dialect, webhooks: { mode: 'reordered', delayMs: 100 } }),
    ]);
    await Promise.all([becomes(world, repeated, 'paid'), becomes(world, reordered, 'paid')]);
    await world.sandbox.idle();
    await inboxEmpty(world, repeated);
    await inboxEmpty(world, reordered);
    expect((await moves(world, event)).filter((move) => move.to === 'sold')).toHaveLength(2);
    expect(await world.seats(event)).toEqual({ total: 3, available: 1, held: 0, sold: 2 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('the very same V2 message again is answered 200 and stored once', async () => {
    const event = await world.event(1);
    const order = await world.order(event);
    const { paymentId } = await pay(world, order, {
      dialect: 'v2-2024-04-25',
      webhooks: { mode: 'lost' },
    });
    const data = { paymentId: order.merchantUid, transactionId: paymentId, storeId: 's' };
    const body = { type: 'Transaction.Paid', timestamp: new Date().toISOString(), data };
    for (let time = 0; time < 3; time += 1) {
      const answer = await world.sandbox.sendWebhook({
        body,
        signature: 'good',
        id: `msg_${paymentId}`,
      });
      expect(answer).toMatchObject({ status: 200, body: { repeat: time > 0 } });
    }
    await becomes(world, order, 'paid');
    const stored = await world.sql(
      'SELECT 1 FROM webhooks WHERE external_id = $1',
      `msg_${paymentId}`,
    );
    expect(stored).toHaveLength(1);
  });

  test('a forged paid webhook sells nothing: the payment itself is asked', async () => {
    const event = await world.event(1, { holdSeconds: 600 });
    const order = await world.order(event);
    const { paymentId } = await pay(world, order, { buyer: 'vanish' });
    const body = { imp_uid: paymentId, merchant_uid: order.merchantUid, status: 'paid' };
    expect(await world.sandbox.sendWebhook({ body })).toMatchObject({ status: 200 });
    await inboxEmpty(world, order);
    expect((await seen(world, order)).status).toBe('held');
    // Nor does a cancellation that never was release anything.
    await world.sandbox.sendWebhook({ body: { ...body, status: 'cancelled' } });
    await inboxEmpty(world, order);
    expect((await seen(world, order)).status).toBe('held');
  });

  test('a paid payment named in a webhook for another order pays for its own order only', async () => {
    const event = await world.event(3, { holdSeconds: 600 });
    const [paid, wished] = await world.orders(event, 2);
    if (!paid || !wished) throw new Error('no orders');
    const { paymentId } = await pay(world, paid, { webhooks: { mode: 'lost' } });
    await pay(world, wished, { buyer: 'vanish' });
    await world.sandbox.sendWebhook({
      body: { imp_uid: paymentId, merchant_uid: wished.merchantUid, status: 'paid' },
    });
    await becomes(world, paid, 'paid');
    expect((await seen(world, wished)).status).toBe('held');
  });

  test('unknown types, unknown orders and what concerns no payment are answered 200 and let be', async () => {
    const stranger = { merchantUid: world.name('stranger'), amount: 500, confirmUrl: null };
    expect(await world.sandbox.pay(stranger)).toMatchObject({ state: 'paid' });
    const data = { storeId: 's', billingKey: 'b' };
    const at = new Date().toISOString();
    for (const body of [
      { type: 'BillingKey.Issued', timestamp: at, data },
      { type: 'Something.New', timestamp: at, data: { paymentId: 'p', transactionId: 't' } },
      { surprising: true },
    ]) {
      const answer = await world.sandbox.sendWebhook({ body, signature: 'good' });
      expect(answer).toMatchObject({ status: 200 });
    }
    const escrow = { event: 'Inicis.Escrow.Changed', imp_uid: 'imp_x', extra: {} };
    expect(await world.sandbox.sendWebhook({ body: escrow })).toMatchObject({ status: 200 });
    const outcome = await until('the stranger is dealt with', async () => {
      const [row] = await world.sql<{ outcome: string }>(
        "SELECT outcome FROM webhooks WHERE merchant_uid = $1 AND state = 'done'",
        stranger.merchantUid,
      );
      return row?.outcome;
    });
    expect(outcome).toBe('unknown_order');
    // Whose payment it is is not known here, so it is not refunded either.
    expect(
      world.sandbox.books().payments.find((p) => p.merchantUid === stranger.merchantUid),
    ).toMatchObject({ kept: 500 });
  });

  test('V2 that fails first and is paid later gets its seat back', async () => {
    const event = await world.event(1, { holdSeconds: 600 });
    const order = await world.order(event);
    await pay(world, order, { dialect: 'v2-2024-04-25', buyer: 'fail_then_paid', lateMs: 600 });
    const paid = await becomes(world, order, 'paid');
    expect(labels(paid)).toEqual(['ga-1']);
    await inboxEmpty(world, order);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('V2 pending, then approved, is sold', async () => {
    const event = await world.event(1, { holdSeconds: 600 });
    const order = await world.order(event);
    await pay(world, order, {
      dialect: 'v2-2024-04-25',
      buyer: 'pay_late',
      pending: true,
      lateMs: 300,
    });
    await becomes(world, order, 'paid');
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test.each(ONE_OF_EACH)(
    '%s virtual account: the seat is kept past its hold time until the deposit',
    async (dialect) => {
      const virtualAccounts = { policy: 'allow' };
      const event = await world.event(1, { holdSeconds: 30, virtualAccounts });
      const order = await world.order(event);
      const { paymentId } = await pay(world, order, { dialect, method: 'vbank' });
      const held = await until('the hold follows the account', async () => {
        const view = await seen(world, order);
        return Date.parse(view.holdExpiresAt ?? '') > Date.now() + 60_000 && view;
      });
      expect(held.status).toBe('held');
      expect(world.sandbox.deposit(paymentId)).toMatchObject({ accepted: true });
      await becomes(world, order, 'paid');
      expect(await world.audit(event)).toMatchObject({ clean: true });
    },
  );
});
