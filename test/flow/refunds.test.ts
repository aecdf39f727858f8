// The organizer gives money back: all or a part, with seats or without, once, and on record.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PayRequest } from '../../src/sandbox/types.ts';
import { becomes, books, labels, seen } from '../support/buyer.ts';
import {
  askRefund,
  givenBack,
  hurriedUntil,
  hurry,
  refundBecomes,
  refundIsPutOff,
  refundOf,
  sell,
  sellMore,
  steps,
} from '../support/refunds.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, openWorld, type World } from '../support/world.ts';

const DIALECTS: PayRequest['dialect'][] = ['v1', 'v2-2024-01-01', 'v2-2024-04-25'];
const ONE_EACH = ['v1', 'v2-2024-04-25'] as const;
const gatewayOf = (dialect: PayRequest['dialect']) => (dialect === 'v1' ? 'v1' : 'v2');

describe.each(CARRIERS)('refunds on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ carrier, env: { SWEEP_INTERVAL_MS: '100' } });
  });
  afterEach(() => world.sandbox.faults.clear());
  afterAll(() => world?.close());

  const squared = async ({ event }: { event: string }) =>
    expect(await world.audit(event)).toMatchObject({ clean: true });

  test.each(DIALECTS)('%s in full: the money once, then the seats', async (dialect) => {
    const sold = await sell(world, 2, { dialect });
    const asked = await askRefund(world, sold.order);
    expect(asked).toMatchObject({
      status: 202,
      body: {
        state: 'requested',
        amount: 20_000,
        whole: true,
        seats: sold.seats,
        paymentId: sold.paymentId,
        repeat: false,
      },
    });
    const done = await refundBecomes(world, asked.body.id, 'done');
    expect(done).toMatchObject({ requestedBy: 'organizer:api', byHand: false, account: null });
    expect(await seen(world, sold.order)).toMatchObject({ status: 'refunded', seats: [] });
    expect(await world.seats(sold.event)).toMatchObject({ available: 2, sold: 0 });
    expect(books(world, sold.order)).toMatchObject([{ state: 'cancelled', kept: 0 }]);
    expect(givenBack(world, sold.order)).toEqual([20_000]);
    expect(await steps(world, sold.paymentId)).toEqual(
      expect.arrayContaining(['refund_requested', 'refund_done']),
    );
    await squared(sold);
  });

  test.each(DIALECTS)('%s for one seat: its price, and that seat alone', async (dialect) => {
    const sold = await sell(world, 3, { dialect });
    const [first = '', ...rest] = sold.seats;
    const asked = await askRefund(world, sold.order, { seats: [first] });
    expect(asked.body).toMatchObject({ amount: 10_000, whole: false, seats: [first] });
    await refundBecomes(world, asked.body.id, 'done');
    const view = await seen(world, sold.order);
    expect(view).toMatchObject({ status: 'paid', payments: [{ cancelledAmount: 10_000 }] });
    expect(labels(view)).toEqual(rest);
    expect(givenBack(world, sold.order)).toEqual([10_000]);
    await squared(sold);
    // The others, one after the other: the last one ends the order.
    const second = await askRefund(world, sold.order, { seats: [rest[0]] });
    await refundBecomes(world, second.body.id, 'done');
    const third = await askRefund(world, sold.order, { seats: [rest[1]] });
    expect(third.body).toMatchObject({ whole: true, amount: 10_000 });
    await refundBecomes(world, third.body.id, 'done');
    await becomes(world, sold.order, 'refunded');
    expect(givenBack(world, sold.order)).toEqual([10_000, 10_000, 10_000]);
    expect(await world.seats(sold.event)).toMatchObject({ available: 3 });
    await squared(sold);
  });

  test.each(ONE_EACH)('%s money only: the seats stay', async (dialect) => {
    const sold = await sell(world, 1, { dialect });
    const asked = await askRefund(world, sold.order, { amount: 3_000 });
    expect(asked.body).toMatchObject({ amount: 3_000, whole: false, seats: [] });
    await refundBecomes(world, asked.body.id, 'done');
    expect(await seen(world, sold.order)).toMatchObject({ status: 'paid' });
    expect(await world.seats(sold.event)).toMatchObject({ sold: 1 });
    expect(books(world, sold.order)).toMatchObject([{ kept: 7_000 }]);
    await squared(sold);
  });

  test.each(ONE_EACH)(
    '%s all seats less a fee: the seats go back, a part stays',
    async (dialect) => {
      const sold = await sell(world, 2, { dialect });
      const asked = await askRefund(world, sold.order, { amount: 18_000, seats: sold.seats });
      expect(asked.body).toMatchObject({ amount: 18_000, whole: false });
      await refundBecomes(world, asked.body.id, 'done');
      expect(await becomes(world, sold.order, 'refunded')).toMatchObject({ seats: [] });
      expect(books(world, sold.order)).toMatchObject([{ kept: 2_000 }]);
      expect(await world.seats(sold.event)).toMatchObject({ available: 2 });
      await squared(sold);
    },
  );

  test.each(ONE_EACH)('%s: nobody gets the seat before the money is back', async (dialect) => {
    const sold = await sell(world, 1, { dialect });
    const next = await world.order(sold.event);
    const mend = world.sandbox.faults.rest({
      kind: 'error',
      endpoint: 'cancel',
      world: gatewayOf(dialect),
    });
    const { body } = await askRefund(world, sold.order);
    await refundIsPutOff(world, body.id, /500/);
    expect(await world.confirm(next)).toMatchObject({ status: 409, body: { code: 'sold_out' } });
    mend();
    await hurry(world, body.id);
    await refundBecomes(world, body.id, 'done');
    expect(await world.confirm(next)).toMatchObject({ status: 200 });
    expect(givenBack(world, sold.order)).toEqual([10_000]);
    await squared(sold);
  });

  test.each(
    ONE_EACH.flatMap((dialect) =>
      (['answer_lost', 'refuse', 'error', 'pg_error'] as const).map((kind) => ({ dialect, kind })),
    ),
  )('$dialect with $kind at the cancellation: once, whole and part', async ({ dialect, kind }) => {
    const [whole, part] = [await sell(world, 2, { dialect }), await sell(world, 2, { dialect })];
    const fault = { kind, endpoint: 'cancel', world: gatewayOf(dialect), times: 2 } as const;
    world.sandbox.faults.rest(fault);
    const asked = await Promise.all([
      askRefund(world, whole.order),
      askRefund(world, part.order, { seats: part.seats.slice(0, 1) }),
    ]);
    for (const { body } of asked) await refundBecomes(world, body.id, 'done');
    expect(world.sandbox.faults.state().rest).toEqual([]);
    expect(givenBack(world, whole.order)).toEqual([20_000]);
    expect(givenBack(world, part.order)).toEqual([10_000]);
    expect(await world.seats(part.event)).toMatchObject({ available: 1, sold: 1 });
    await squared(whole);
    await squared(part);
  });

  test.each(ONE_EACH)(
    '%s taken now and carried out later: looked at, and not asked for again',
    async (dialect) => {
      const cancels = { how: 'later', lateMs: null } as const;
      const sold = await sell(world, 2, { dialect, cancels });
      world.sandbox.faults.set({ webhooksSilenced: true });
      const seats = sold.seats.slice(0, 1);
      const { body } = await askRefund(world, sold.order, { seats });
      for (let tries = 1; tries <= 3; tries += 1) {
        await until('another look', async () => (await refundOf(world, body.id)).tries >= tries);
        await refundIsPutOff(world, body.id, /^taken/);
        await hurry(world, body.id);
      }
      expect(await world.seats(sold.event)).toMatchObject({ sold: 2 });
      world.sandbox.finishCancellations(sold.paymentId);
      await until('it is carried out', () => books(world, sold.order)[0]?.kept === 10_000);
      await hurry(world, body.id);
      await refundBecomes(world, body.id, 'done');
      expect(books(world, sold.order)).toMatchObject([
        { kept: 10_000, cancelRequests: [{ outcome: 'accepted' }] },
      ]);
      await squared(sold);
    },
  );

  test('V2 took it and dropped it: asked for anew, under another key', async () => {
    const cancels = { how: 'late_failure', lateMs: 500 } as const;
    const sold = await sell(world, 1, { dialect: 'v2-2024-04-25', cancels });
    const { body } = await askRefund(world, sold.order);
    const asked = () => books(world, sold.order)[0]?.cancelRequests.length ?? 0;
    await hurriedUntil(world, body.id, 'it was asked for anew', () => asked() > 1);
    const keys = books(world, sold.order)[0]?.cancelRequests.map((r) => r.idempotencyKey);
    expect(new Set(keys).size).toBe(keys?.length);
  });

  test.each(ONE_EACH)(
    '%s failed in an answer of 200: refused, and asked for anew under another key',
    async (dialect) => {
      const sold = await sell(world, 1, { dialect, cancels: { how: 'failed' } });
      const { body } = await askRefund(world, sold.order);
      const requests = () => books(world, sold.order)[0]?.cancelRequests ?? [];
      await hurriedUntil(world, body.id, 'it was asked for twice', () => requests().length > 1);
      expect(await refundOf(world, body.id)).toMatchObject({ state: 'requested' });
      expect(books(world, sold.order)).toMatchObject([{ kept: 10_000, state: 'paid' }]);
      const keys = requests().map((request) => request.idempotencyKey ?? request.atMs);
      expect(new Set(keys).size).toBe(keys.length);
    },
  );

  test('refused for good: a wish has failed, what is owed needs a person, who may try anew', async () => {
    const sold = await sell(world, 1);
    const owed = await sell(world, 1);
    const mend = world.sandbox.faults.rest({ kind: 'pg_error', endpoint: 'cancel' });
    const asked = await askRefund(world, sold.order, { amount: 1_000 });
    const owedAsked = await askRefund(world, owed.order);
    await world.sql(
      "UPDATE refunds SET requested_by = 'reconciliation' WHERE id = $1",
      owedAsked.body.id,
    );
    for (const { body } of [asked, owedAsked]) {
      await refundIsPutOff(world, body.id, /거절/);
      await world.sql(
        'UPDATE refunds SET refusals = 9, next_try_at = now() WHERE id = $1',
        body.id,
      );
    }
    const failed = await refundBecomes(world, asked.body.id, 'failed');
    expect(failed).toMatchObject({ refusals: 10, lastError: expect.stringContaining('거절') });
    expect(await world.seats(sold.event)).toMatchObject({ sold: 1 });
    await refundBecomes(world, owedAsked.body.id, 'needs_person');
    expect(await world.audit(owed.event)).toMatchObject({ refundsStuck: 1 });
    mend();
    const retried = await world.call('POST', `/api/refunds/${owedAsked.body.id}/retry`);
    expect(retried).toMatchObject({ status: 200, body: { state: 'requested' } });
    await refundBecomes(world, owedAsked.body.id, 'done');
    expect(givenBack(world, owed.order)).toEqual([10_000]);
    expect(givenBack(world, sold.order)).toEqual([]);
    expect(await steps(world, sold.paymentId)).toContain('refund_failed');
    expect(await steps(world, owed.paymentId)).toContain('refund_needs_person');
    await squared(owed);
  });

  test.each(ONE_EACH)(
    '%s refused, and as much given back in the console since: done, and not once more',
    async (dialect) => {
      const sold = await sell(world, 2, { dialect });
      const mend = world.sandbox.faults.rest({ kind: 'pg_error', endpoint: 'cancel' });
      const { body } = await askRefund(world, sold.order, { seats: sold.seats.slice(0, 1) });
      await refundIsPutOff(world, body.id, /./);
      mend();
      world.sandbox.cancelInConsole(sold.paymentId, 10_000);
      await refundBecomes(world, body.id, 'done');
      expect(givenBack(world, sold.order)).toEqual([10_000]);
      expect(labels(await seen(world, sold.order))).toEqual(sold.seats.slice(1));
      await squared(sold);
    },
  );

  test('refused, and money given back in the console that the organizer saw to: not taken for it', async () => {
    const sold = await sell(world, 2);
    const mend = world.sandbox.faults.rest({ kind: 'pg_error', endpoint: 'cancel' });
    const seats = sold.seats.slice(0, 1);
    const { body } = await askRefund(world, sold.order, { amount: 5_000, seats });
    await refundIsPutOff(world, body.id, /./);
    const caseOf = (amount: number) =>
      until(`a case about ${amount}`, async () => {
        const { cases } = (await world.call('GET', `/api/events/${sold.event}/cases?open=true`))
          .body;
        return cases.find((one: { kind: string; amount: number }) => {
          return one.kind === 'partial_cancel' && one.amount === amount;
        });
      });
    world.sandbox.cancelInConsole(sold.paymentId, 3_000);
    const seenTo = await caseOf(3_000);
    await world.call('POST', `/api/cases/${seenTo.id}/close`, { note: 'a late start' });
    world.sandbox.cancelInConsole(sold.paymentId, 2_000);
    await caseOf(2_000);
    expect(await refundOf(world, body.id)).toMatchObject({ state: 'requested' });
    expect(await world.seats(sold.event)).toMatchObject({ sold: 2 });
    mend();
    await hurry(world, body.id);
    await refundBecomes(world, body.id, 'done');
    expect(givenBack(world, sold.order)).toEqual([3_000, 2_000, 5_000]);
    await squared(sold);
  });

  test('an outage is nobody’s refusal', async () => {
    const sold = await sell(world, 1);
    await world.sandbox.faults.unplug();
    const { body } = await askRefund(world, sold.order);
    for (let n = 0; n < 3; n += 1) {
      const { tries } = await refundOf(world, body.id);
      await hurry(world, body.id);
      await until('another try', async () => (await refundOf(world, body.id)).tries > tries);
    }
    expect(await refundOf(world, body.id)).toMatchObject({ state: 'requested', refusals: 0 });
    await world.sandbox.faults.plugIn();
    await hurriedUntil(world, body.id, 'the circuit closes again', async () => {
      return (await refundOf(world, body.id)).state === 'done';
    });
    expect(givenBack(world, sold.order)).toEqual([10_000]);
  });

  test('given back in the console meanwhile: done, and not once more', async () => {
    const sold = await sell(world, 2);
    const mend = world.sandbox.faults.rest({ kind: 'refuse', endpoint: 'cancel' });
    const { body } = await askRefund(world, sold.order, { seats: sold.seats.slice(0, 1) });
    await until('PortOne was asked', async () => {
      const [row] = await world.sql<{ before: number | null }>(
        'SELECT cancelled_before AS before FROM refunds WHERE id = $1',
        body.id,
      );
      return row?.before === 0;
    });
    world.sandbox.cancelInConsole(sold.paymentId, 10_000);
    mend();
    await hurry(world, body.id);
    await refundBecomes(world, body.id, 'done');
    expect(givenBack(world, sold.order)).toEqual([10_000]);
    expect(await world.seats(sold.event)).toMatchObject({ available: 1, sold: 1 });
    await squared(sold);
  });

  test('more than is left by then: failed at once, with the figures', async () => {
    const sold = await sell(world, 1, { webhooks: { mode: 'normal' } });
    world.sandbox.faults.set({ webhooksSilenced: true });
    world.sandbox.cancelInConsole(sold.paymentId, 6_000);
    const { body } = await askRefund(world, sold.order, { amount: 5_000 });
    const failed = await refundBecomes(world, body.id, 'failed');
    expect(failed.lastError).toBe('5000 were to go back, and 4000 are left');
    world.sandbox.faults.clear();
    expect(givenBack(world, sold.order)).toEqual([6_000]);
  });

  test('the same request again: the first one is told, open or done, and no second is made', async () => {
    const sold = await sell(world, 2);
    const mend = world.sandbox.faults.rest({ kind: 'refuse', endpoint: 'cancel' });
    const wish = { amount: 2_000, reason: 'sorry' };
    const asked = await Promise.all([1, 2, 3, 4].map(() => askRefund(world, sold.order, wish)));
    expect(asked.map(({ status }) => status).sort()).toEqual([200, 200, 200, 202]);
    const ids = new Set(asked.map(({ body }) => body.id));
    expect(ids.size).toBe(1);
    const [id = 0] = ids;
    for (const other of [{}, { amount: 3_000 }, { amount: 2_000, reason: 'another' }]) {
      expect(await askRefund(world, sold.order, other)).toMatchObject({
        status: 409,
        body: { reason: 'already_open', id },
      });
    }
    mend();
    await hurry(world, id);
    await refundBecomes(world, id, 'done');
    expect(await askRefund(world, sold.order, wish)).toMatchObject({
      status: 200,
      body: { id, state: 'done', repeat: true },
    });
    expect(givenBack(world, sold.order)).toEqual([2_000]);
    const another = await askRefund(world, sold.order, { ...wish, reason: 'sorry again' });
    expect(another.status).toBe(202);
    await refundBecomes(world, another.body.id, 'done');
    expect(givenBack(world, sold.order)).toEqual([2_000, 2_000]);
  });

  test('what cannot be given back is refused with the reason, and nothing is on record', async () => {
    const sold = await sell(world, 2, { total: 4 });
    const stranger = await sellMore(world, sold.event, 1);
    const unpaid = await world.order(sold.event);
    const refused = async (uid: string, body: Record<string, unknown>, expected: object) =>
      expect(await askRefund(world, { merchantUid: uid }, body)).toMatchObject(expected);
    const { merchantUid } = sold.order;
    await refused('nobody', {}, { status: 404, body: { reason: 'unknown_order' } });
    await refused(unpaid.merchantUid, {}, { status: 409, body: { reason: 'not_paid' } });
    await refused(merchantUid, { paymentId: 'x' }, { status: 404 });
    await refused(merchantUid, { amount: 20_001 }, { status: 422, body: { left: 20_000 } });
    await refused(
      merchantUid,
      { seats: [stranger.seats[0], 'ga-99'] },
      {
        status: 422,
        body: { reason: 'unknown_seats', seats: [stranger.seats[0], 'ga-99'] },
      },
    );
    await refused(
      merchantUid,
      { amount: 20_000, seats: sold.seats.slice(0, 1) },
      {
        status: 422,
        body: { reason: 'seats_remain', seats: sold.seats.slice(1) },
      },
    );
    for (const body of [
      { reason: ' ' },
      { amount: 0 },
      { amount: 1.5 },
      { seats: [] },
      { seats: ['a', 'a'] },
      { account: { bank: '004', number: 'secret', holder: 'Kim' } },
      { amonut: 5 },
    ]) {
      await refused(merchantUid, body, { status: 422, body: { code: 'invalid_request' } });
    }
    const trial = await askRefund(world, sold.order, { dryRun: true });
    expect(trial).toMatchObject({ status: 200, body: { id: null, state: 'dry_run', whole: true } });
    expect(await world.sql('SELECT id FROM refunds WHERE payment_id = $1', sold.paymentId)).toEqual(
      [],
    );
    const bare = await world.call(
      'POST',
      `/api/orders/${merchantUid}/refunds`,
      { reason: 'r' },
      {
        authorization: '',
      },
    );
    expect(bare.status).toBe(401);
    const whole = await askRefund(world, sold.order);
    await refundBecomes(world, whole.body.id, 'done');
    await refused(
      merchantUid,
      { reason: 'other' },
      { status: 409, body: { reason: 'nothing_left' } },
    );
  });

  describe('release with a refund', () => {
    const release = (event: string, body: Record<string, unknown>) =>
      world.call('POST', `/api/events/${event}/release`, { reason: 'no-show', ...body });

    test('sold seats that are named are refunded, held ones released, in one request', async () => {
      const sold = await sell(world, 2, { total: 4 });
      const other = await sellMore(world, sold.event, 1);
      const held = await world.order(sold.event);
      await world.confirm(held);
      const [seat = '', kept = ''] = sold.seats;
      const trial = { seats: [seat], orders: [held.merchantUid], refund: true, dryRun: true };
      expect((await release(sold.event, trial)).body).toMatchObject({
        released: 1,
        refunds: [{ id: null, merchantUid: sold.order.merchantUid, amount: 10_000 }],
      });
      expect(await world.seats(sold.event)).toMatchObject({ sold: 3, held: 1 });
      const { body } = await release(sold.event, { ...trial, dryRun: false });
      expect(body).toMatchObject({
        released: 1,
        sold: [],
        refunds: [{ amount: 10_000, whole: false, seats: [seat], state: 'requested' }],
        refused: [],
      });
      await refundBecomes(world, body.refunds[0].id, 'done');
      expect(labels(await seen(world, sold.order))).toEqual([kept]);
      expect(await seen(world, other.order)).toMatchObject({ status: 'paid' });
      const whole = await release(sold.event, { orders: [sold.order.merchantUid], refund: true });
      expect(whole.body.refunds).toMatchObject([{ whole: true, seats: [kept] }]);
      await becomes(world, sold.order, 'refunded');
      await squared(sold);
    });

    test('a refund that cannot be had is told, and the seat stays sold', async () => {
      const sold = await sell(world, 1, {
        method: 'vbank',
        extra: { virtualAccounts: { policy: 'allow' } },
        // As providers do: the message quotes what was sent.
        cancels: { refusals: 1, message: '계좌 123-4567-890123 (1234567890123) 홍길동 확인요망' },
      });
      const { body } = await askRefund(world, sold.order);
      await refundBecomes(world, body.id, 'needs_person');
      const answer = await release(sold.event, { seats: sold.seats, refund: true });
      expect(answer.body).toMatchObject({
        released: 0,
        refunds: [],
        refused: [{ merchantUid: sold.order.merchantUid, seats: sold.seats }],
        sold: [{ label: sold.seats[0] }],
      });
      expect(await release(sold.event, { allHeld: true, refund: true })).toMatchObject({
        status: 422,
      });
    });
  });
});

describe.each(CARRIERS)(
  'refunds that PortOne is not listened to for long enough, on %s',
  (carrier) => {
    let world: World;

    beforeAll(async () => {
      const env = { SWEEP_INTERVAL_MS: '100', PORTONE_TIMEOUT_MS: '1000' };
      world = await openWorld({ carrier, env });
    });
    afterAll(() => world?.close());

    test.each(ONE_EACH)(
      '%s carried out long after we stopped listening: once, though asked again meanwhile',
      async (dialect) => {
        const sold = await sell(world, 2, { dialect });
        const held = { answer: 'hang', hold: 'before' } as const;
        const slow = world.sandbox.faults.at(gatewayOf(dialect), 'cancel', held);
        const { body } = await askRefund(world, sold.order, { amount: 5_000 });
        const outcomes = () =>
          books(world, sold.order)[0]?.cancelRequests.map((r) => r.outcome) ?? [];
        await hurriedUntil(world, body.id, 'it was asked for again', () => outcomes().length > 1);
        slow.release();
        await refundBecomes(world, body.id, 'done');
        await until('the late one was answered too', () => !outcomes().includes('open'));
        expect(outcomes().filter((outcome) => outcome === 'accepted')).toHaveLength(1);
        expect(givenBack(world, sold.order)).toEqual([5_000]);
        expect(await world.audit(sold.event)).toMatchObject({ clean: true });
      },
    );
  },
);
