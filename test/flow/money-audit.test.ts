// The money in the audit: paid less given back is the price of the seats sold, or a case says why.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Money } from '../../src/audit/money.ts';
import { becomes, inboxEmpty, labels, pay, seen } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, type OrderView, openWorld, type World } from '../support/world.ts';

const TWO = [{ ticketType: 'ga', quantity: 2 }];

describe.each(CARRIERS)('money on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ carrier, env: { SWEEP_INTERVAL_MS: '100' } });
  });
  afterAll(() => world?.close());

  async function sold(event: string): Promise<{ order: OrderView; paymentId: string }> {
    const order = await world.order(event, TWO);
    const { paymentId } = await pay(world, order);
    await becomes(world, order, 'paid');
    await world.sandbox.idle();
    await inboxEmpty(world, order);
    return { order, paymentId };
  }
  const ledger = async (order: OrderView) =>
    (await world.call('GET', `/api/orders/${order.merchantUid}/ledger`)).body;
  async function money(event: string): Promise<Money | undefined> {
    return (await world.audit(event)).money[0];
  }
  async function openCase(event: string): Promise<{ id: number; kind: string }> {
    return until('a case is open', async () => {
      const { body } = await world.call('GET', `/api/events/${event}/cases?open=true`);
      return body.cases[0];
    });
  }

  test('nothing sold: nothing kept, and nothing to explain', async () => {
    const event = await world.event(2);
    expect(await world.audit(event)).toMatchObject({ clean: true });
    const none = { paid: 0, refunded: 0, byHand: 0, kept: 0, seatsSold: 0, allowances: 0 };
    const open = { count: 0, amount: 0 };
    expect((await world.audit(event)).money).toEqual([
      { currency: 'KRW', ...none, openCases: open, difference: 0 },
    ]);
  });

  test('a sale in which everybody paid: what was kept is what the seats cost', async () => {
    const event = await world.event(6);
    const { order } = await sold(event);
    await sold(event);
    expect(await world.audit(event)).toMatchObject({ clean: true, moneyAstray: 0 });
    expect(await money(event)).toMatchObject({ paid: 40_000, kept: 40_000, seatsSold: 40_000 });
    expect(await ledger(order)).toMatchObject({
      status: 'paid',
      accounts: { money: 20_000, seats: -20_000, allowance: 0 },
      balance: 0,
      closed: true,
      openCases: 0,
    });
    const { entries } = await ledger(order);
    expect(entries.map((entry: { entry: string }) => entry.entry)).toEqual([
      'paid',
      'sold',
      'sold',
    ]);
    expect(entries.slice(1).map((entry: { ref: string }) => entry.ref)).toEqual(
      labels(await seen(world, order)).sort(),
    );
  });

  test('a hold that is not paid yet counts for nothing, and its order is not closed', async () => {
    const event = await world.event(2);
    const order = await world.order(event, TWO);
    expect((await world.confirm(order)).status).toBe(200);
    expect(await money(event)).toMatchObject({ paid: 0, seatsSold: 0, difference: 0 });
    expect(await ledger(order)).toMatchObject({ entries: [], balance: 0, closed: false });
  });

  test('cancelled in full: the money went and the seats came', async () => {
    const event = await world.event(2);
    const { order, paymentId } = await sold(event);
    world.sandbox.cancelInConsole(paymentId);
    await becomes(world, order, 'refunded');
    expect(await world.audit(event)).toMatchObject({ clean: true });
    expect(await money(event)).toMatchObject({ paid: 20_000, refunded: 20_000, kept: 0 });
    expect(await ledger(order)).toMatchObject({ balance: 0, closed: true });
    expect((await ledger(order)).entries).toHaveLength(6);
  });

  test('cancelled in part in the console: an open case explains the difference', async () => {
    const event = await world.event(2);
    const { order, paymentId } = await sold(event);
    world.sandbox.cancelInConsole(paymentId, 5_000);
    const { id, kind } = await openCase(event);
    expect(kind).toBe('partial_cancel');
    expect(await world.audit(event)).toMatchObject({ clean: true });
    expect(await money(event)).toMatchObject({
      kept: 15_000,
      seatsSold: 20_000,
      allowances: 0,
      openCases: { count: 1, amount: -5_000 },
      difference: 0,
    });
    expect(await ledger(order)).toMatchObject({ balance: -5_000, closed: false, openCases: 1 });

    const note = 'a scratched seat';
    const closed = await world.call('POST', `/api/cases/${id}/close`, { note });
    expect(closed).toMatchObject({ status: 200, body: { accepted: 5_000, released: [] } });
    expect(await world.audit(event)).toMatchObject({ clean: true });
    expect(await money(event)).toMatchObject({
      kept: 15_000,
      allowances: 5_000,
      openCases: { count: 0, amount: 0 },
      difference: 0,
    });
    expect(await ledger(order)).toMatchObject({ balance: 0, closed: true });

    // Then the rest as well: nothing is left to be let stand.
    world.sandbox.cancelInConsole(paymentId, 15_000);
    await becomes(world, order, 'refunded');
    expect(await world.audit(event)).toMatchObject({ clean: true });
    expect(await money(event)).toMatchObject({ kept: 0, seatsSold: 0, allowances: 0 });
    expect(await ledger(order)).toMatchObject({ balance: 0, closed: true });
  });

  test('more cancelled in part after the first was let stand: a case about the rest alone', async () => {
    const event = await world.event(2);
    const { order, paymentId } = await sold(event);
    world.sandbox.cancelInConsole(paymentId, 5_000);
    const first = await openCase(event);
    await world.call('POST', `/api/cases/${first.id}/close`, { note: 'fine' });
    world.sandbox.cancelInConsole(paymentId, 3_000);
    const second = await openCase(event);
    expect(second).toMatchObject({ kind: 'partial_cancel', amount: 3_000 });
    expect(second.id).not.toBe(first.id);
    expect(await ledger(order)).toMatchObject({ balance: -3_000, openCases: 1 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });
});

describe('the audit finds', () => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ carrier: 'postgres', gateway: false });
  });
  afterAll(() => world?.close());

  /** An order with two seats, paid and sold without a gateway to object. */
  async function sold(): Promise<{ event: string; paymentId: string }> {
    const event = await world.event(2);
    const { merchantUid, paymentId } = await soldIn(event);
    await world.sql(
      `INSERT INTO payments (payment_id, gateway, order_id, status, amount, currency, read_at)
       SELECT $1, 'v1', id, 'paid', 20000, 'KRW', now() FROM orders WHERE merchant_uid = $2`,
      paymentId,
      merchantUid,
    );
    expect(await world.audit(event)).toMatchObject({ clean: true });
    return { event, paymentId };
  }
  async function soldIn(event: string): Promise<{ merchantUid: string; paymentId: string }> {
    const order = await world.order(event, TWO);
    const paymentId = world.name('imp');
    expect((await world.confirm(order, paymentId)).status).toBe(200);
    await world.sql(
      `WITH h AS (UPDATE holds SET state = 'sold' WHERE payment_id = $1 RETURNING id, order_id),
       s AS (UPDATE seats SET state = 'sold' WHERE hold_id IN (SELECT id FROM h))
       UPDATE orders SET status = 'paid' WHERE id IN (SELECT order_id FROM h)`,
      paymentId,
    );
    return { ...order, paymentId };
  }
  const free = (paymentId: string, status: string) =>
    world.sql(
      `WITH h AS (UPDATE holds SET state = 'ended', ended_at = now(), ended_why = 'x'
                   WHERE payment_id = $1 RETURNING id, order_id),
       s AS (UPDATE seats SET state = 'available', hold_id = NULL WHERE hold_id IN (SELECT id FROM h))
       UPDATE orders SET status = $2 WHERE id IN (SELECT order_id FROM h)`,
      paymentId,
      status,
    );
  const refund = (paymentId: string, more: Record<string, string>) => {
    const columns = { amount: '20000', reason: "'x'", requested_at: 'now()', ...more };
    return world.sql(
      `INSERT INTO refunds (payment_id, next_try_at, ${Object.keys(columns)})
       VALUES ($1, now(), ${Object.values(columns)})`,
      paymentId,
    );
  };
  const DONE = { state: "'done'", done_at: 'now()' };

  test('money that went back and left no word', async () => {
    const { event, paymentId } = await sold();
    await world.sql('UPDATE payments SET cancelled_amount = 1 WHERE payment_id = $1', paymentId);
    expect(await world.audit(event)).toMatchObject({
      clean: false,
      moneyAstray: 1,
      eventMoneyAstray: 1,
      money: [{ kept: 19_999, seatsSold: 20_000, difference: -1 }],
    });
  });

  test('money that an open dispute, part refund or smaller case does not explain', async () => {
    const { event, paymentId } = await sold();
    const open = (kind: string, amount: number) =>
      world.sql(
        `INSERT INTO cases (event_id, order_id, payment_id, kind, amount, detail, opened_at)
         SELECT o.event_id, o.id, p.payment_id, $2, $3, 'x', now()
           FROM payments p JOIN orders o ON o.id = p.order_id WHERE p.payment_id = $1`,
        paymentId,
        kind,
        amount,
      );
    await open('dispute', 20_000);
    await open('unknown_payment', 20_000);
    expect(await world.audit(event)).toMatchObject({ clean: true, moneyAstray: 0 });
    await world.sql(
      'UPDATE payments SET cancelled_amount = 15000 WHERE payment_id = $1',
      paymentId,
    );
    const astray = { clean: false, moneyAstray: 1, eventMoneyAstray: 1 };
    expect(await world.audit(event)).toMatchObject({ ...astray, money: [{ difference: -15_000 }] });
    await refund(paymentId, { amount: '15000', whole: 'false' });
    expect(await world.audit(event)).toMatchObject(astray);
    await open('partial_cancel', 14_999);
    expect(await world.audit(event)).toMatchObject({ ...astray, money: [{ difference: -1 }] });
    await world.sql("UPDATE cases SET amount = 15000 WHERE kind = 'partial_cancel'");
    expect(await world.audit(event)).toMatchObject({
      clean: true,
      money: [{ openCases: { count: 4, amount: -15_000 }, difference: 0 }],
    });
  });

  test('differences that cancel each other out over the event', async () => {
    const { event, paymentId } = await sold();
    await free(paymentId, 'refunded');
    await soldIn(event);
    expect(await world.audit(event)).toMatchObject({
      clean: false,
      moneyAstray: 2,
      eventMoneyAstray: 0,
      money: [{ kept: 20_000, seatsSold: 20_000, difference: 0 }],
    });
  });

  test('a sold seat that is free while its money is still here', async () => {
    const { event, paymentId } = await sold();
    await free(paymentId, 'pending');
    expect(await world.audit(event)).toMatchObject({
      clean: false,
      seatsFreedUnrefunded: 2,
      paidWithoutSeat: 1,
      moneyAstray: 1,
    });
    // That money is on its way back explains the difference, and excuses nothing.
    await refund(paymentId, {});
    expect(await world.audit(event)).toMatchObject({
      clean: false,
      seatsFreedUnrefunded: 2,
      paidWithoutSeat: 0,
      moneyAstray: 0,
      money: [{ openCases: { count: 1, amount: 20_000 } }],
    });
  });

  test('money given back by hand and through the gateway', async () => {
    const { event, paymentId } = await sold();
    await refund(paymentId, { ...DONE, by_hand: 'true' });
    await free(paymentId, 'refunded');
    expect(await world.audit(event)).toMatchObject({ clean: true, money: [{ byHand: 20_000 }] });
    await world.sql(
      "UPDATE payments SET status = 'cancelled', cancelled_amount = amount WHERE payment_id = $1",
      paymentId,
    );
    expect(await world.audit(event)).toMatchObject({ refundsTwice: 1, moneyAstray: 1 });
  });

  test('two whole refunds of one payment', async () => {
    const { event, paymentId } = await sold();
    await world.sql(
      "UPDATE payments SET status = 'cancelled', cancelled_amount = amount WHERE payment_id = $1",
      paymentId,
    );
    await free(paymentId, 'refunded');
    await refund(paymentId, DONE);
    expect(await world.audit(event)).toMatchObject({ clean: true });
    await refund(paymentId, DONE);
    expect(await world.audit(event)).toMatchObject({ clean: false, refundsTwice: 1 });
  });

  test('a refund that PortOne refused; one that waits for an account or a hand is well', async () => {
    const { event, paymentId } = await sold();
    await refund(paymentId, { state: "'needs_person'", last_error: "'needs_account'" });
    expect(await world.audit(event)).toMatchObject({
      clean: true,
      refundsStuck: 0,
      money: [{ openCases: { count: 1, amount: 0 } }],
    });
    const say = 'UPDATE refunds SET last_error = $2 WHERE payment_id = $1';
    await world.sql(say, paymentId, 'to be paid back by hand');
    expect(await world.audit(event)).toMatchObject({ clean: true });
    await world.sql("UPDATE refunds SET last_error = 'no' WHERE payment_id = $1", paymentId);
    expect(await world.audit(event)).toMatchObject({ clean: false, refundsStuck: 1 });
  });

  test('money in another currency, square by itself or not', async () => {
    const { event, paymentId } = await sold();
    await world.sql(
      `INSERT INTO payments (payment_id, gateway, order_id, status, amount, currency, read_at)
       SELECT 'usd-' || payment_id, 'v1', order_id, 'paid', 20000, 'USD', now() FROM payments
        WHERE payment_id = $1`,
      paymentId,
    );
    expect(await world.audit(event)).toMatchObject({
      clean: false,
      moneyAstray: 1,
      paidWithoutSeat: 1,
      money: [
        { currency: 'KRW', difference: 0 },
        { currency: 'USD', kept: 20_000, difference: 20_000 },
      ],
    });
    await refund(`usd-${paymentId}`, {});
    expect(await world.audit(event)).toMatchObject({
      clean: true,
      money: [
        { currency: 'KRW', openCases: { count: 0 } },
        { currency: 'USD', openCases: { count: 1, amount: 20_000 }, difference: 0 },
      ],
    });
  });

  test('CONTROL money is added up from the seats themselves: without their moves it still is', async () => {
    const { event, paymentId } = await sold();
    await world.sql('ALTER TABLE seats DISABLE TRIGGER seats_moved');
    await world.sql(
      "UPDATE payments SET status = 'cancelled', cancelled_amount = amount WHERE payment_id = $1",
      paymentId,
    );
    await free(paymentId, 'refunded');
    await world.sql('ALTER TABLE seats ENABLE TRIGGER seats_moved');
    expect(await world.audit(event)).toMatchObject({
      clean: false,
      seatsWithoutMove: 2,
      moneyAstray: 1,
      eventMoneyAstray: 0,
      money: [{ kept: 0, seatsSold: 0, difference: 0 }],
    });
  });
});
