// Manual confirm: the same road and the same verdicts, and a charge that PortOne is asked for.

import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CrashPoint } from '../../src/sandbox/crash-points.ts';
import { endHolds } from '../../src/seats/end-holds.ts';
import { becomes, books, labels, moves, refunded, seen } from '../support/buyer.ts';
import { authenticate, chargesOf, confirmByHand } from '../support/manual.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, type OrderView, openWorld, type World } from '../support/world.ts';

const ISO = /^\d{4}-\d\d-\d\dT/;

/** PortOne works on the next charge for as long as the test likes; nobody takes it back any more. */
const atWork = (world: World): CrashPoint =>
  world.sandbox.faults.at('v2', 'confirm', { answer: 'hang', hold: 'before' });

describe.each(CARRIERS)('manual confirm on %s', (carrier) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ carrier });
  });
  afterAll(() => world?.close());

  async function oneSeat(extra: Record<string, unknown> = {}): Promise<[string, OrderView]> {
    const event = await world.event(1, extra);
    return [event, await world.order(event)];
  }

  test('a seat is charged and sold by the time of the answer', async () => {
    const [event, order] = await oneSeat();
    const token = await authenticate(world, order);
    const answer = await confirmByHand(world, order, token, { amount: order.amount });
    expect(answer).toMatchObject({
      status: 200,
      body: { code: 'confirmed', position: 1, paid: true, seats: [{ ticketType: 'ga' }] },
    });
    expect(Object.keys(answer.body).sort()).toEqual(
      ['code', 'holdExpiresAt', 'paid', 'paidAt', 'position', 'seats'].sort(),
    );
    expect(answer.body.paidAt).toMatch(ISO);
    // No webhook will come, and nothing is waited for.
    expect(await seen(world, order)).toMatchObject({ status: 'paid' });
    expect(books(world, order)).toMatchObject([{ state: 'paid', kept: order.amount }]);
    expect((await moves(world, event)).map((m) => m.to)).toEqual(['held', 'sold']);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('who has no key asks for nothing', async () => {
    const [event, order] = await oneSeat();
    const { paymentToken, txId } = await authenticate(world, order);
    const path = `/api/payments/${order.merchantUid}/confirm`;
    const answer = await world.call('POST', path, { paymentToken, txId }, { authorization: 'no' });
    expect(answer.status).toBe(401);
    expect(books(world, order)).toMatchObject([{ state: 'ready' }]);
    expect(await world.seats(event)).toMatchObject({ available: 1 });
  });

  test.each([
    ['no token', { paymentToken: undefined }],
    ['an empty token', { paymentToken: '' }],
    ['a token of 2,001 characters', { paymentToken: 'x'.repeat(2_001) }],
    ['an amount that is no number', { amount: '10000' }],
    ['a word that is not known', { totalAmount: 10_000 }],
  ])('a body with %s is refused with its place', async (_, wrong) => {
    const [event, order] = await oneSeat();
    const token = await authenticate(world, order);
    const answer = await confirmByHand(world, order, token, wrong);
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
    expect(answer.body.faults).toHaveLength(1);
    expect(await world.seats(event)).toMatchObject({ available: 1 });
  });

  test('refusals are those of any confirm request, and nothing is charged', async () => {
    const [event, first] = await oneSeat();
    const [second] = await world.orders(event, 1);
    if (!second) throw new Error('no order');
    const nobody = { ...first, merchantUid: 'nobodys-order' };
    const token = await authenticate(world, first);
    expect(await confirmByHand(world, nobody, token)).toMatchObject({
      status: 404,
      body: { code: 'unknown_order', reason: expect.any(String) },
    });
    const wrongAmount = await confirmByHand(world, first, token, { amount: 1 });
    expect(wrongAmount).toMatchObject({ status: 422, body: { code: 'amount_mismatch' } });
    expect(wrongAmount.body).not.toHaveProperty('paid');
    expect(await confirmByHand(world, first, token)).toMatchObject({ status: 200 });
    const late = await authenticate(world, second);
    expect(await confirmByHand(world, second, late)).toMatchObject({
      status: 409,
      body: { code: 'sold_out', errorMessage: expect.any(String) },
    });
    expect(books(world, second)).toMatchObject([{ state: 'ready' }]);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('without the txId PortOne is asked which attempt it is', async () => {
    const [event, order] = await oneSeat();
    const { paymentToken, txId } = await authenticate(world, order);
    const path = `/api/payments/${order.merchantUid}/confirm`;
    const answer = await world.call('POST', path, { paymentToken });
    expect(answer).toMatchObject({ status: 200, body: { paid: true } });
    expect(await seen(world, order)).toMatchObject({
      status: 'paid',
      payments: [{ paymentId: txId, verdict: 'confirmed', status: 'paid' }],
    });
    expect((await world.call('POST', path, { paymentToken })).body).toEqual(answer.body);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('a payment that PortOne does not know takes no seat', async () => {
    const [event, order] = await oneSeat();
    const path = `/api/payments/${order.merchantUid}/confirm`;
    const answer = await world.call('POST', path, { paymentToken: 'made-up' });
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
    expect(await world.seats(event)).toMatchObject({ available: 1 });
  });

  test('a repeat gets the same answer, and the buyer is charged once', async () => {
    const [event, order] = await oneSeat();
    const token = await authenticate(world, order);
    const first = await confirmByHand(world, order, token);
    const again = await confirmByHand(world, order, token);
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
    expect(chargesOf(world, order)).toBe(1);
    expect((await moves(world, event)).length).toBe(2);
  });

  test('a charge that is not approved ends the hold at once', async () => {
    const [event, order] = await oneSeat();
    const token = await authenticate(world, order, { buyer: 'decline' });
    const answer = await confirmByHand(world, order, token);
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'hold_ended', paid: false, gateway: { type: 'PG_PROVIDER' } },
    });
    expect(answer.body.reason).toContain('not approved');
    expect(await world.seats(event)).toMatchObject({ available: 1, held: 0 });
    expect((await moves(world, event)).at(-1)).toMatchObject({
      to: 'available',
      actor: 'gateway',
      reason: 'payment_failed',
    });
    const again = await confirmByHand(world, order, token);
    expect(again).toMatchObject({
      status: 409,
      body: { code: 'hold_ended', paid: false, gateway: { type: 'PG_PROVIDER' } },
    });
    // The buyer tries another card.
    const retry = await confirmByHand(world, order, await authenticate(world, order));
    expect(retry).toMatchObject({ status: 200, body: { paid: true } });
    expect(chargesOf(world, order)).toBe(1);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test("another order's token charges nobody, and takes no seat", async () => {
    const event = await world.event(2);
    const [mine, other] = await world.orders(event, 2);
    if (!mine || !other) throw new Error('no orders');
    const { txId } = await authenticate(world, mine);
    const { paymentToken } = await authenticate(world, other);
    const answer = await confirmByHand(world, mine, { paymentToken, txId });
    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'invalid_request', paid: false, gateway: { type: 'INVALID_PAYMENT_TOKEN' } },
    });
    expect(await world.seats(event)).toMatchObject({ available: 2 });
    expect(
      world.sandbox
        .books()
        .payments.filter((p) => p.everPaid && p.merchantUid === other.merchantUid),
    ).toEqual([]);
  });

  test('an amount that was changed in the browser is stopped by the amount of the order', async () => {
    const [event, order] = await oneSeat();
    const token = await authenticate(world, order, { amount: 100 });
    // The browser tells the right amount and pays another.
    const answer = await confirmByHand(world, order, token, { amount: order.amount });
    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'amount_mismatch', paid: false, gateway: { type: 'INFORMATION_MISMATCH' } },
    });
    expect(chargesOf(world, order)).toBe(0);
    expect(await world.seats(event)).toMatchObject({ available: 1 });
  });

  test('another attempt of the same order has paid: told so, and charged once', async () => {
    const [event, order] = await oneSeat();
    const slow = await authenticate(world, order);
    const quick = await authenticate(world, order);
    expect(await confirmByHand(world, order, quick)).toMatchObject({ status: 200 });
    expect(await confirmByHand(world, order, slow)).toMatchObject({
      status: 409,
      body: { code: 'already_paid' },
    });
    expect(chargesOf(world, order)).toBe(1);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('a buyer who bypassed us and paid: the same attempt is found paid, and seated', async () => {
    const [event, order] = await oneSeat();
    const token = await authenticate(world, order);
    // Somebody asks PortOne without us; its answer and its webhook never come here.
    const bypass = await fetch(`${world.sandbox.v2Url}/payments/${order.merchantUid}/confirm`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `PortOne ${world.sandbox.credentials.v2.apiSecret}`,
      },
      body: JSON.stringify({ paymentToken: token.paymentToken }),
    });
    expect(bypass.status).toBe(200);
    const answer = await confirmByHand(world, order, token);
    expect(answer).toMatchObject({ status: 200, body: { code: 'confirmed', paid: true } });
    expect(await seen(world, order)).toMatchObject({ status: 'paid' });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  describe('virtual accounts', () => {
    test('allowed: the seats wait as long as the account does, and no longer for having asked', async () => {
      const virtualAccounts = { policy: 'allow' };
      const [event, order] = await oneSeat({ virtualAccounts, holdSeconds: 10 });
      // Longer than the hold, and shorter than a charge may take.
      const token = await authenticate(world, order, { method: 'vbank', dueInMs: 30_000 });
      const answer = await confirmByHand(world, order, token);
      expect(answer).toMatchObject({ status: 200, body: { paid: false } });
      const { status, holdExpiresAt } = await seen(world, order);
      expect({ status, holdExpiresAt }).toEqual({
        status: 'held',
        holdExpiresAt: answer.body.depositBy,
      });
      expect(await world.seats(event)).toMatchObject({ held: 1 });
    });

    test.each([false, true])(
      'allowed: the seats wait for the deposit (paidAt told all the same: %s)',
      async (paidAtAlways) => {
        const [event, order] = await oneSeat({ virtualAccounts: { policy: 'allow' } });
        const token = await authenticate(world, order, {
          method: 'vbank',
          webhookUrl: undefined,
          paidAtAlways,
        });
        const answer = await confirmByHand(world, order, token);
        expect(answer).toMatchObject({ status: 200, body: { code: 'confirmed', paid: false } });
        expect(answer.body.depositBy).toMatch(ISO);
        expect(answer.body).not.toHaveProperty('paidAt');
        expect(await seen(world, order)).toMatchObject({ status: 'held' });
        expect(await confirmByHand(world, order, token)).toMatchObject({
          status: 200,
          body: { paid: false },
        });
        world.sandbox.deposit(token.paymentId);
        await becomes(world, order, 'paid');
        expect(await world.audit(event)).toMatchObject({ clean: true });
      },
    );

    test.each([false, true])(
      'forbidden: the account is closed and the seats are free (paidAt told: %s)',
      async (paidAtAlways) => {
        const [event, order] = await oneSeat();
        const token = await authenticate(world, order, { method: 'vbank', paidAtAlways });
        const answer = await confirmByHand(world, order, token);
        expect(answer).toMatchObject({
          status: 409,
          body: { code: 'refused_by_organizer', paid: false },
        });
        expect(answer.body.reason).toContain('virtual account');
        expect(await world.seats(event)).toMatchObject({ available: 1 });
        expect(world.sandbox.deposit(token.paymentId)).toMatchObject({ accepted: false });
        const again = await confirmByHand(world, order, token);
        expect(again).toMatchObject({ status: 409, body: answer.body });
        expect(await world.audit(event)).toMatchObject({ clean: true });
      },
    );
  });

  describe('PortOne does not answer', () => {
    test('the answer was lost: it is asked for again, and the buyer is charged once', async () => {
      const [event, order] = await oneSeat();
      const token = await authenticate(world, order);
      world.sandbox.faults.rest({ kind: 'answer_lost', endpoint: 'confirm', times: 1 });
      const answer = await confirmByHand(world, order, token);
      expect(answer).toMatchObject({ status: 200, body: { code: 'confirmed', paid: true } });
      expect(chargesOf(world, order)).toBe(1);
      expect(await world.audit(event)).toMatchObject({ clean: true });
    });

    test('not for the attempt: refused before a seat is touched', async () => {
      const [event, order] = await oneSeat();
      const { paymentToken } = await authenticate(world, order);
      const mended = world.sandbox.faults.rest({ kind: 'error', endpoint: 'payment' });
      const path = `/api/payments/${order.merchantUid}/confirm`;
      const answer = await world.call('POST', path, { paymentToken });
      mended();
      expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      expect(await world.seats(event)).toMatchObject({ available: 1 });
    });
  });

  test('a caller who hangs up while PortOne works: the seat is sold all the same', async () => {
    const [event, order] = await oneSeat();
    const token = await authenticate(world, order);
    const charge = atWork(world);
    const call = request(`${world.url}/api/payments/${order.merchantUid}/confirm`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${world.env.API_KEY}` },
    });
    call.on('error', () => undefined);
    call.end(JSON.stringify({ paymentToken: token.paymentToken, txId: token.txId }));
    await charge.reached;
    const gone = new Promise((resolve) => call.once('close', resolve));
    call.destroy();
    await gone;
    charge.release();
    await becomes(world, order, 'paid');
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  describe('the hold ends while PortOne works', () => {
    /** As expiry would, had it asked PortOne a moment ago. */
    async function endedMeanwhile(order: OrderView, paymentId: string): Promise<void> {
      const [hold] = await world.sql<{ id: string }>(
        'SELECT id FROM holds WHERE payment_id = $1',
        paymentId,
      );
      await endHolds(world.service.dependencies.database.prisma, {
        holds: [{ id: hold?.id ?? '', paymentId }],
        now: new Date(),
        actor: 'expiry',
        reason: 'expired',
        orderStatus: 'pending',
      });
      expect((await seen(world, order)).status).toBe('pending');
    }

    test('the seats are still free: the buyer has them back', async () => {
      const [event, order] = await oneSeat();
      const token = await authenticate(world, order);
      const charge = atWork(world);
      const asking = confirmByHand(world, order, token);
      await charge.reached;
      await endedMeanwhile(order, token.txId);
      charge.release();
      const answer = await asking;
      expect(answer).toMatchObject({ status: 200, body: { code: 'confirmed', paid: true } });
      const now = await seen(world, order);
      expect(now.status).toBe('paid');
      expect(labels(answer.body)).toEqual(labels(now));
      const again = await confirmByHand(world, order, token);
      expect(again).toMatchObject({ status: 200, body: answer.body });
      expect(await world.audit(event)).toMatchObject({ clean: true });
    });

    test('somebody else has them: refused, and the money goes back', async () => {
      const [event, order] = await oneSeat();
      const next = await world.order(event);
      const token = await authenticate(world, order);
      const charge = atWork(world);
      const asking = confirmByHand(world, order, token);
      await charge.reached;
      await endedMeanwhile(order, token.txId);
      expect((await world.confirm(next)).status).toBe(200);
      charge.release();
      const answer = await asking;
      expect(answer).toMatchObject({ status: 409, body: { code: 'hold_ended', paid: true } });
      expect(answer.body.reason).toContain('returned');
      const again = await confirmByHand(world, order, token);
      expect(again).toMatchObject({ status: 409, body: answer.body });
      await refunded(world, order);
      const afterwards = await confirmByHand(world, order, token);
      expect(afterwards).toMatchObject({ status: 409, body: answer.body });
      expect(chargesOf(world, order)).toBe(1);
      expect(await world.audit(event)).toMatchObject({ clean: true });
    });
  });
});

describe('PortOne is away', () => {
  test('with no credentials nothing is enrolled', async () => {
    const world = await openWorld({ carrier: 'postgres', gateway: false });
    try {
      const event = await world.event(1);
      const order = await world.order(event);
      const answer = await confirmByHand(world, order, { paymentToken: 't', txId: 'tx-1' });
      expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      expect(answer.headers.get('retry-after')).not.toBeNull();
      const [row] = await world.sql<{ n: number }>('SELECT count(*)::int AS n FROM verdicts');
      expect(row?.n).toBe(0);
    } finally {
      await world.close();
    }
  });

  test('nobody knows whether the buyer was charged: the seat is kept until somebody does', async () => {
    const env = { PORTONE_TIMEOUT_MS: '1000', PORTONE_CONFIRM_TIMEOUT_MS: '1000' };
    const world = await openWorld({ carrier: 'postgres', env });
    try {
      const event = await world.event(1);
      const order = await world.order(event);
      const token = await authenticate(world, order);
      const charge = world.sandbox.faults.at('v2', 'confirm', { answer: 'hang' });
      world.sandbox.faults.rest({ kind: 'error', endpoint: 'payment' });
      const answer = await confirmByHand(world, order, token);
      expect(answer).toMatchObject({ status: 503, body: { code: 'timed_out', paid: null } });
      expect(answer.body.reason).not.toContain('not been charged');
      expect(await world.seats(event)).toMatchObject({ held: 1 });
      // The hold is over, and kept as long as PortOne cannot be asked: nobody knows any more.
      await world.sql("UPDATE holds SET expires_at = now() - interval '1 s'");
      const inTheDark = await confirmByHand(world, order, token);
      expect(inTheDark).toMatchObject({ status: 503, body: { code: 'timed_out', paid: null } });
      charge.release('lost');
      world.sandbox.faults.clear();
      const again = await until('PortOne is heard again', async () => {
        const asked = await confirmByHand(world, order, token);
        return asked.status === 200 && asked;
      });
      expect(again.body).toMatchObject({ code: 'confirmed', paid: true });
      expect(chargesOf(world, order)).toBe(1);
      expect(await world.audit(event)).toMatchObject({ clean: true });
    } finally {
      await world.close();
    }
  });
});
