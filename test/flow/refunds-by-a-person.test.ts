// Refunds that a person must help along: an account, the organizer's own hand, a change of mind.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { becomes, books, inboxEmpty, labels, seen } from '../support/buyer.ts';
import {
  askRefund,
  givenBack,
  hurry,
  refundBecomes,
  refundIsPutOff,
  refundOf,
  type Sold,
  sell,
  sellMore,
} from '../support/refunds.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, openWorld, type World } from '../support/world.ts';

const ONE_EACH = ['v1', 'v2-2024-04-25'] as const;

describe.each(CARRIERS)('refunds that need a person, on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ carrier, env: { SWEEP_INTERVAL_MS: '100' } });
  });
  afterAll(() => world?.close());

  const squared = async ({ event }: { event: string }) =>
    expect(await world.audit(event)).toMatchObject({ clean: true });

  test.each(ONE_EACH)(
    '%s virtual account: waits for the buyer’s own, which nobody sees again',
    async (dialect) => {
      const sold = await sell(world, 1, {
        dialect,
        method: 'vbank',
        extra: { virtualAccounts: { policy: 'allow' } },
        // As providers do: the message quotes what was sent.
        cancels: { refusals: 1, message: '계좌 123-4567-890123 (1234567890123) 홍길동 확인요망' },
      });
      const { body } = await askRefund(world, sold.order);
      await refundBecomes(world, body.id, 'needs_person');
      expect((await refundOf(world, body.id)).lastError).toBe('needs_account');
      expect(givenBack(world, sold.order)).toEqual([]);
      const bank = dialect === 'v1' ? '004' : 'KOOKMIN';
      const account = { bank, number: '123-4567-890123', holder: '홍길동' };
      const given = await world.call('POST', `/api/refunds/${body.id}/account`, account);
      expect(given).toMatchObject({
        status: 200,
        body: { state: 'requested', account: { bank, ends: '0123' } },
      });
      expect(JSON.stringify(given.body)).not.toMatch(/4567|홍길동/);
      const { lastError } = await refundIsPutOff(world, body.id, /확인요망/);
      expect(lastError).not.toMatch(/123|홍길동/);
      await hurry(world, body.id);
      expect(await refundBecomes(world, body.id, 'done')).toMatchObject({ account: null });
      const [row] = await world.sql<{ kept: number }>(
        `SELECT num_nonnulls(account_bank, account_number, account_holder, account_phone) AS kept
           FROM refunds WHERE id = $1`,
        body.id,
      );
      expect(row?.kept).toBe(0);
      expect(givenBack(world, sold.order)).toEqual([10_000]);
      await squared(sold);
    },
  );

  test('with the account at once, a virtual account needs nobody', async () => {
    const extra = { virtualAccounts: { policy: 'allow' } };
    const sold = await sell(world, 1, { method: 'vbank', extra });
    const account = { bank: '004', number: '12345678901', holder: 'Hong', phone: '010-1234-5678' };
    const { body } = await askRefund(world, sold.order, { account });
    await refundBecomes(world, body.id, 'done');
    await squared(sold);
  });

  describe('PortOne takes it to an account that the buyer named late', () => {
    async function taken(): Promise<Sold & { id: number }> {
      const sold = await sell(world, 2, {
        method: 'vbank',
        cancels: { how: 'later', lateMs: null },
        extra: { virtualAccounts: { policy: 'allow' } },
      });
      const { id } = (await askRefund(world, sold.order, { amount: 5_000 })).body;
      await refundBecomes(world, id, 'needs_person');
      await world.sql(
        "UPDATE refunds SET requested_at = requested_at - interval '5 days' WHERE id = $1",
        id,
      );
      const account = { bank: '004', number: '110-123-456789', holder: 'Kim' };
      await world.call('POST', `/api/refunds/${id}/account`, account);
      await refundIsPutOff(world, id, /^taken/);
      return { ...sold, id };
    }
    const takenAgo = (id: number, ago: string) =>
      world.sql('UPDATE refunds SET taken_at = now() - $2::interval WHERE id = $1', id, ago);
    const askedOf = (sold: Sold) => books(world, sold.order)[0]?.cancelRequests.length;

    test('waited for from that day on, though the wish is older; by hand is refused meanwhile', async () => {
      const sold = await taken();
      expect(await refundOf(world, sold.id)).toMatchObject({ state: 'requested' });
      const hand = { note: 'transferred' };
      expect(await world.call('POST', `/api/refunds/${sold.id}/by-hand`, hand)).toMatchObject({
        status: 409,
        body: { reason: 'taken' },
      });
      world.sandbox.finishCancellations(sold.paymentId);
      await hurry(world, sold.id);
      await refundBecomes(world, sold.id, 'done');
      await squared(sold);
    });

    test('four days later a person must look; tried anew it is looked at, and not asked for again', async () => {
      const sold = await taken();
      await takenAgo(sold.id, '97 hours');
      await hurry(world, sold.id);
      await refundBecomes(world, sold.id, 'needs_person');
      await takenAgo(sold.id, '95 hours');
      await world.call('POST', `/api/refunds/${sold.id}/retry`);
      await refundIsPutOff(world, sold.id, /^taken/);
      await hurry(world, sold.id);
      await until('another look', async () => (await refundOf(world, sold.id)).tries >= 5);
      expect(askedOf(sold)).toBe(1);
      world.sandbox.finishCancellations(sold.paymentId);
      await hurry(world, sold.id);
      await refundBecomes(world, sold.id, 'done');
      expect(givenBack(world, sold.order)).toEqual([5_000]);
    });
  });

  describe('by hand', () => {
    const byHand = (id: number) =>
      world.call('POST', `/api/refunds/${id}/by-hand`, { note: 'cash at the door' });

    async function stuck(sold: Sold, body: Record<string, unknown> = {}): Promise<number> {
      const { body: asked } = await askRefund(world, sold.order, body);
      await refundBecomes(world, asked.id, 'needs_person');
      return asked.id;
    }
    const onAccount = (quantity: number) =>
      sell(world, quantity, { method: 'vbank', extra: { virtualAccounts: { policy: 'allow' } } });

    test('all of it: done, the seats free, the order refunded, and never sent to PortOne', async () => {
      const sold = await onAccount(2);
      const id = await stuck(sold);
      expect(await byHand(id)).toMatchObject({
        status: 200,
        body: { state: 'done', byHand: true, note: 'cash at the door', amount: 20_000 },
      });
      expect(await seen(world, sold.order)).toMatchObject({ status: 'refunded', seats: [] });
      expect(await world.seats(sold.event)).toMatchObject({ available: 2 });
      expect(await byHand(id)).toMatchObject({ status: 409, body: { reason: 'closed' } });
      expect(await askRefund(world, sold.order, { reason: 'more' })).toMatchObject({ status: 409 });
      expect(givenBack(world, sold.order)).toEqual([]);
      await squared(sold);
    });

    test('a part with its seat; what is left of the payment is less by it', async () => {
      const sold = await onAccount(2);
      const [seat = '', other = ''] = sold.seats;
      expect((await byHand(await stuck(sold, { seats: [seat] }))).status).toBe(200);
      expect(labels(await seen(world, sold.order))).toEqual([other]);
      expect(await askRefund(world, sold.order, { amount: 10_001 })).toMatchObject({
        body: { reason: 'too_much', left: 10_000 },
      });
      const account = { bank: '004', number: '12345678901', holder: 'Hong' };
      const rest = await askRefund(world, sold.order, { reason: 'the rest', account });
      expect(rest.body).toMatchObject({ amount: 10_000, whole: false, seats: [other] });
      await refundBecomes(world, rest.body.id, 'done');
      await becomes(world, sold.order, 'refunded');
      expect(givenBack(world, sold.order)).toEqual([10_000]);
      await squared(sold);
    });

    test('what went back by hand is not asked of PortOne once more', async () => {
      const sold = await onAccount(2);
      expect((await byHand(await stuck(sold, { amount: 5_000 }))).status).toBe(200);
      // All of it is owed, as where a settlement finds that the order was called off meanwhile.
      const [owed] = await world.sql<{ id: number }>(
        `INSERT INTO refunds (payment_id, amount, reason, requested_at, next_try_at, account_bank,
           account_number, account_holder)
         VALUES ($1, 20000, 'order_closed', now(), now(), '004', '12345678901', 'Hong') RETURNING id`,
        sold.paymentId,
      );
      const waits = await refundBecomes(world, owed?.id ?? 0, 'needs_person');
      expect(waits.lastError).toBe('20000 were to go back, and 15000 are left');
      expect(givenBack(world, sold.order)).toEqual([]);
      expect(await byHand(waits.id)).toMatchObject({ status: 200, body: { amount: 15_000 } });
      await squared(sold);
    });

    test('given back by PortOne as well: a case, with what went twice, and told until it is closed', async () => {
      const sold = await onAccount(3);
      const [seat = ''] = sold.seats;
      expect((await byHand(await stuck(sold, { seats: [seat] }))).status).toBe(200);
      const casesOf = async () =>
        (await world.call('GET', `/api/events/${sold.event}/cases?open=true`)).body.cases;
      world.sandbox.cancelInConsole(sold.paymentId, 25_000);
      const cases = await until('both cases are open', async () => {
        const open = await casesOf();
        return open.length === 2 && open;
      });
      expect(cases).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ kind: 'paid_back_twice', amount: 5_000 }),
          expect.objectContaining({ kind: 'partial_cancel', amount: 20_000 }),
        ]),
      );
      await squared(sold);
      world.sandbox.cancelInConsole(sold.paymentId);
      await becomes(world, sold.order, 'refunded');
      const [twice, ...others] = await casesOf();
      expect(twice).toMatchObject({ kind: 'paid_back_twice', amount: 10_000 });
      expect(others).toEqual([]);
      await squared(sold);
      const note = { note: 'the buyer sent it back' };
      expect(await world.call('POST', `/api/cases/${twice.id}/close`, note)).toMatchObject({
        status: 200,
      });
      await squared(sold);
      await world.call('POST', `/api/events/${sold.event}/reconcile`, {});
      expect(await casesOf()).toEqual([]);
    });

    test('all that is left after a part went back in the console: its case is closed with it', async () => {
      const sold = await onAccount(3);
      const casesOf = async () =>
        (await world.call('GET', `/api/events/${sold.event}/cases?open=true`)).body.cases;
      world.sandbox.cancelInConsole(sold.paymentId, 10_000);
      await until('the case is open', async () => (await casesOf()).length === 1);
      expect(await byHand(await stuck(sold))).toMatchObject({
        status: 200,
        body: { amount: 20_000 },
      });
      expect(await casesOf()).toEqual([]);
      await squared(sold);
      await world.call('POST', `/api/events/${sold.event}/reconcile`, {});
      world.sandbox.resendInConsole(sold.paymentId);
      await inboxEmpty(world, sold.order);
      expect(await casesOf()).toEqual([]);
      await squared(sold);
    });

    test('PortOne had given it back already: that counts, and not the hand', async () => {
      const sold = await onAccount(1);
      const id = await stuck(sold);
      world.sandbox.faults.set({ webhooksSilenced: true });
      world.sandbox.cancelInConsole(sold.paymentId);
      expect(await byHand(id)).toMatchObject({
        status: 409,
        body: { reason: 'refunded_by_portone' },
      });
      world.sandbox.faults.clear();
      expect(await refundOf(world, id)).toMatchObject({ state: 'done', byHand: false });
      await squared(sold);
    });

    test('what may be under way is taken from the workers, and waits', async () => {
      const sold = await sell(world, 1);
      const mend = world.sandbox.faults.rest({ kind: 'refuse', endpoint: 'cancel' });
      const { body } = await askRefund(world, sold.order);
      await refundIsPutOff(world, body.id, /no answer/);
      expect(await byHand(body.id)).toMatchObject({ status: 409, body: { reason: 'under_way' } });
      expect(await byHand(body.id)).toMatchObject({ status: 409, body: { reason: 'under_way' } });
      mend();
      expect(await refundOf(world, body.id)).toMatchObject({ state: 'needs_person' });
      await world.sql('UPDATE refunds SET in_doubt_until = now() WHERE id = $1', body.id);
      expect(await byHand(body.id)).toMatchObject({ status: 200, body: { byHand: true } });
      expect(givenBack(world, sold.order)).toEqual([]);
      await squared(sold);
    });

    test('PortOne cannot be asked: not yet', async () => {
      const sold = await onAccount(1);
      const id = await stuck(sold);
      await world.sandbox.faults.unplug();
      expect(await byHand(id)).toMatchObject({ status: 503, body: { reason: 'unreachable' } });
      await world.sandbox.faults.plugIn();
      await until('PortOne is asked again', async () => (await byHand(id)).status === 200);
    });
  });

  test('withdrawn: an organizer’s own wish that was not sent, and nothing else', async () => {
    const withdraw = (id: number) => world.call('POST', `/api/refunds/${id}/cancel`);
    const sold = await sell(world, 1, {
      method: 'vbank',
      extra: { virtualAccounts: { policy: 'allow' } },
    });
    const { body } = await askRefund(world, sold.order);
    await refundBecomes(world, body.id, 'needs_person');
    expect(await withdraw(body.id)).toMatchObject({ status: 200, body: { state: 'failed' } });
    expect(await withdraw(body.id)).toMatchObject({ status: 409, body: { reason: 'closed' } });
    const again = await askRefund(world, sold.order);
    expect(again.status).toBe(202);
    await refundBecomes(world, again.body.id, 'needs_person');
    await world.sql("UPDATE refunds SET requested_by = 'settlement' WHERE id = $1", again.body.id);
    expect(await withdraw(again.body.id)).toMatchObject({ status: 409, body: { reason: 'owed' } });
    const other = await sell(world, 1);
    const mend = world.sandbox.faults.rest({ kind: 'refuse', endpoint: 'cancel' });
    const sent = await askRefund(world, other.order);
    await refundIsPutOff(world, sent.body.id, /no answer/);
    expect(await withdraw(sent.body.id)).toMatchObject({ status: 409, body: { reason: 'sent' } });
    mend();
    expect(await withdraw(999_999)).toMatchObject({ status: 404 });
  });

  test('an event’s refunds: newest first, by state, page by page', async () => {
    const event = await world.event(5);
    const ids: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      const sold = await sellMore(world, event, 1);
      ids.unshift((await askRefund(world, sold.order)).body.id);
    }
    for (const id of ids) await refundBecomes(world, id, 'done');
    const list = (query: string) => world.call('GET', `/api/events/${event}/refunds${query}`);
    const idsOf = (page: { body: { refunds: { id: number }[] } }) =>
      page.body.refunds.map((r) => r.id);
    const first = await list('?limit=2&state=done');
    expect(idsOf(first)).toEqual(ids.slice(0, 2));
    const second = await list(`?limit=2&after=${first.body.after}`);
    expect(idsOf(second)).toEqual(ids.slice(2, 4));
    const third = await list(`?limit=2&after=${second.body.after}`);
    expect(third.body).toMatchObject({ after: null, refunds: [{ id: ids[4], event }] });
    expect(idsOf(await list('?state=failed'))).toEqual([]);
    expect(await list('?state=lost')).toMatchObject({ status: 422 });
    expect(await world.call('GET', '/api/events/nowhere/refunds')).toMatchObject({ status: 404 });
    expect(await world.call('GET', '/api/refunds/abc')).toMatchObject({ status: 404 });
  });
});
