// Expiry, the organizer's release and settlement meet at one hold. Whoever commits first wins, and
// money and seats agree afterwards; each guard is taken out once to show what it prevents.

import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Verdict } from '../../src/confirm/verdict.ts';
import { VerdictOrVoid } from '../../src/confirm/verdict-or-void.ts';
import { sweep } from '../../src/expiry/sweep.ts';
import { settlePayment } from '../../src/payments/settle-payment.ts';
import { releaseSeats } from '../../src/release/release.ts';
import {
  PRICE,
  paidPayment,
  request,
  Sale,
  type SaleOptions,
  silentLog,
  withoutGateway,
} from '../support/sale.ts';
import { Barrier, type Edit, Halt, type Tampering, tamper } from '../support/tamper.ts';

let opened: Sale | undefined;
afterEach(() => opened?.close());

const END_ANY_STATE: Edit = {
  file: 'end_holds',
  from: 'h.state = ANY ($9::text[])',
  to: '$9::text[] IS NOT NULL',
};
const SELL_ANY_STATE: Edit = { file: 'sell_hold', from: "AND state = 'held'", to: '' };
const MOVE_ANY_STATE: Edit = {
  file: 'write_batch',
  from: /(WHERE h\.id = m\."holdId") AND .+/,
  to: '$1',
};
const MARK_ANY_STATE: Edit = {
  file: 'mark_answered',
  from: /(h\.payment_id = a\."paymentId") AND .+/,
  to: '$1',
};

/** A sale in which order-1 holds the only seat for pay-1, its time over. */
async function overdueHold(options: Partial<SaleOptions> = {}): Promise<Sale> {
  const sale = await Sale.open({ seats: 1, orders: 2, ...options });
  opened = sale;
  const [verdict] = await sale.decide([request('order-1', 'pay-1')]);
  expect(verdict?.code).toBe('confirmed');
  await sale.letHoldsExpire();
  return sale;
}

function settle(sale: Sale, tampering: Tampering = {}, paymentId = 'pay-1') {
  const options = withoutGateway(tamper(sale.another(), tampering));
  return settlePayment(options, paidPayment('order-1', paymentId));
}

describe('expiry against a payment', () => {
  /** The sweep has claimed the hold; before it ends it, a sale of it is under way. */
  async function sweepMeetsSale(edits: Edit[]) {
    const sale = await overdueHold();
    const ending = new Halt('end_holds');
    const sweeping = sweep(withoutGateway(tamper(sale.database, { edits, before: ending.at })), 10);
    await ending.reached.opened;
    const selling = new Halt('sell_hold');
    const settling = settle(sale, { after: selling.at });
    await selling.reached.opened;
    ending.go.open();
    await sale.untilWaiting();
    selling.go.open();
    return { sale, settled: await settling, swept: await sweeping };
  }

  test('the payment commits first: sold, and the sweep leaves it alone', async () => {
    const { sale, settled, swept } = await sweepMeetsSale([]);
    expect(settled).toBe('sold');
    expect(swept).toMatchObject({ claimed: 1, released: 0 });
    expect(await sale.seatStates()).toEqual([{ label: 'ga-1', state: 'sold' }]);
    expect(await sale.audit()).toMatchObject({ clean: true });
  });

  test('CONTROL a release that does not look at the state frees a seat that was paid for', async () => {
    const { sale, settled, swept } = await sweepMeetsSale([END_ANY_STATE]);
    expect(settled).toBe('sold');
    expect(swept).toMatchObject({ released: 1 });
    expect(await sale.audit()).toMatchObject({ clean: false, paidWithoutSeat: 1 });
  });

  test('a hold that is just being sold is not even claimed', async () => {
    const sale = await overdueHold();
    const selling = new Halt('sell_hold');
    const settling = settle(sale, { after: selling.at });
    await selling.reached.opened;
    expect(await sweep(withoutGateway(sale.database), 10)).toMatchObject({ claimed: 0 });
    selling.go.open();
    expect(await settling).toBe('sold');
  });

  test('the sweep commits first: the payment gets the same seat back', async () => {
    const sale = await overdueHold();
    const halt = new Halt('sell_hold');
    const settling = settle(sale, { before: halt.at });
    await halt.reached.opened;
    expect(await sweep(withoutGateway(sale.database), 10)).toMatchObject({ released: 1 });
    halt.go.open();
    expect(await settling).toBe('same_seats');
    expect(await sale.audit()).toMatchObject({ clean: true });
    expect(await sale.orderStatus('order-1')).toBe('paid');
  });

  test('the sweep commits first and another buyer is seated: the money goes back', async () => {
    const sale = await overdueHold();
    const halt = new Halt('sell_hold');
    const settling = settle(sale, { before: halt.at });
    await halt.reached.opened;
    await sweep(withoutGateway(sale.database), 10);
    const [other] = await sale.decide([request('order-2', 'pay-2')]);
    expect(other?.code).toBe('confirmed');
    halt.go.open();
    expect(await settling).toBe('refund_requested');
    expect(await sale.count("refunds WHERE reason = 'no_seats_left'")).toBe(1);
    expect(await sale.audit()).toMatchObject({ clean: true });
  });

  test('CONTROL a sale that does not look at the state: the database refuses it', async () => {
    const sale = await overdueHold();
    const halt = new Halt('sell_hold');
    const settling = settle(sale, { before: halt.at, edits: [SELL_ANY_STATE] });
    const outcome = settling.catch((error: Error) => error.message);
    await halt.reached.opened;
    await sweep(withoutGateway(sale.database), 10);
    halt.go.open();
    expect(await outcome).toContain('holds_ended_check');
    expect(await sale.count("holds WHERE state <> 'ended'")).toBe(0);
  });

  test('CONTROL neither guard: sold without a seat', async () => {
    const without = ['ALTER TABLE holds DROP CONSTRAINT holds_ended_check'];
    const sale = await overdueHold({ without });
    const halt = new Halt('sell_hold');
    const settling = settle(sale, { before: halt.at, edits: [SELL_ANY_STATE] });
    await halt.reached.opened;
    await sweep(withoutGateway(sale.database), 10);
    halt.go.open();
    expect(await settling).toBe('sold');
    expect(await sale.seatStates()).toEqual([{ label: 'ga-1', state: 'available' }]);
    expect(await sale.audit()).toMatchObject({ clean: false, orphanHolds: 1 });
  });

  test('two sweeps at once: each hold is claimed and ended once', async () => {
    const sale = await Sale.open({ seats: 40, orders: 40 });
    opened = sale;
    await sale.decide(Array.from({ length: 40 }, (_, i) => request(`order-${i + 1}`, `pay-${i}`)));
    await sale.letHoldsExpire();
    const results = await Promise.all(
      [sale.database, sale.another(), sale.another()].map((d) => sweep(withoutGateway(d), 100)),
    );
    expect(results.reduce((sum, r) => sum + r.claimed, 0)).toBe(40);
    expect(results.reduce((sum, r) => sum + r.released, 0)).toBe(40);
    expect(await sale.count("moves WHERE to_state = 'available'")).toBe(40);
    expect(await sale.audit()).toMatchObject({ clean: true });
  });
});

describe('settlement against settlement', () => {
  /** Both have read the order before either writes; with `sell_hold`, before either sells. */
  async function both(
    sale: Sale,
    payments: [string, string],
    { edits = [], at = 'record_payment' }: { edits?: Edit[]; at?: string } = {},
  ) {
    const barrier = new Barrier(2, async () => (await sale.waiting()) > 0);
    const run = (paymentId: string) => {
      let first = true;
      const before = (file: string) => {
        if (file !== at || !first) return undefined;
        first = false;
        return barrier.arrive();
      };
      return settle(sale, { before, edits }, paymentId);
    };
    return (await Promise.all(payments.map(run))).sort();
  }

  test('the same payment twice, its hold alive: sold once', async () => {
    const sale = await overdueHold();
    expect(await both(sale, ['pay-1', 'pay-1'])).toEqual(['already_sold', 'sold']);
    expect(await sale.count("moves WHERE to_state = 'sold'")).toBe(1);
    expect(await sale.audit()).toMatchObject({ clean: true });
  });

  test('the same payment twice, its hold gone: seated once', async () => {
    const sale = await overdueHold({ seats: 3 });
    await sweep(withoutGateway(sale.database), 10);
    expect(await both(sale, ['pay-1', 'pay-1'])).toEqual(['already_sold', 'same_seats']);
    expect(await sale.count("seats WHERE state = 'sold'")).toBe(1);
    expect(await sale.audit()).toMatchObject({ clean: true });
  });

  test('two payments of one order, its hold alive: one sold, one refunded', async () => {
    const sale = await overdueHold();
    expect(await both(sale, ['pay-1', 'pay-1b'])).toEqual(['refund_requested', 'sold']);
    expect(await sale.count("refunds WHERE reason = 'paid_twice'")).toBe(1);
    expect(await sale.audit()).toMatchObject({ clean: true });
  });

  test('CONTROL a sale that does not look at the state: paid twice, and no refund', async () => {
    const sale = await overdueHold();
    const careless = { edits: [SELL_ANY_STATE], at: 'sell_hold' };
    expect(await both(sale, ['pay-1', 'pay-1b'], careless)).toEqual(['sold', 'sold']);
    expect(await sale.audit()).toMatchObject({ clean: false, paidWithoutSeat: 1 });
  });

  test.each(['ready', 'failed', 'waiting_deposit'] as const)(
    'an older description (%s) that is written later changes nothing',
    async (status) => {
      const sale = await overdueHold();
      const options = withoutGateway(sale.database);
      expect(await settle(sale)).toBe('sold');
      await settlePayment(options, paidPayment('order-1', 'pay-1', { status }));
      expect(await sale.count("payments WHERE status = 'paid'")).toBe(1);
      expect(await sale.audit()).toMatchObject({ clean: true });
    },
  );

  test('an older "paid" that is written after "cancelled" asks for no second refund', async () => {
    const sale = await overdueHold();
    const options = withoutGateway(sale.database);
    expect(await settle(sale)).toBe('sold');
    const cancelled = { status: 'cancelled', cancelledAmount: PRICE } as const;
    await settlePayment(options, paidPayment('order-1', 'pay-1', cancelled));
    expect(await sale.orderStatus('order-1')).toBe('refunded');
    expect(await settle(sale)).toBe('outdated');
    expect(await sale.count('refunds')).toBe(0);
  });

  // FLIP: src/payments/settle-payment.ts reads the order before it has the payment's lock, so that a
  // cancellation does not see the seat which the same payment is just being given.
  test('a late payment against its own cancellation: no seat stays sold for it', async () => {
    const sale = await overdueHold();
    await sweep(withoutGateway(sale.database), 10);
    const seating = new Halt('seat_late_payment');
    const settling = settle(sale, { before: seating.at });
    await seating.reached.opened;
    const cancelled = { status: 'cancelled', cancelledAmount: PRICE } as const;
    const options = withoutGateway(sale.another());
    const cancelling = settlePayment(options, paidPayment('order-1', 'pay-1', cancelled));
    await sale.untilWaiting();
    seating.go.open();
    expect(await settling).toBe('same_seats');
    await cancelling;
    expect(await sale.count("seats WHERE state = 'sold'")).toBe(0);
    expect(await sale.audit()).toMatchObject({ clean: true });
  });

  test('a late payment against a confirm for the last seat: one of them has it', async () => {
    const sale = await overdueHold();
    await sweep(withoutGateway(sale.database), 10);
    const late = new Halt('seat_late_payment');
    const settling = settle(sale, { before: late.at });
    await late.reached.opened;
    const confirming = sale.decide([request('order-2', 'pay-2')], sale.another());
    await sale.untilWaiting();
    late.go.open();
    expect(await settling).toBe('same_seats');
    expect((await confirming)[0]?.code).toBe('sold_out');
    expect(await sale.audit()).toMatchObject({ clean: true });
  });
});

describe('the organizer releases while a buyer confirms again', () => {
  const release = (sale: Sale, over: { overdue?: boolean; tampering?: Tampering } = {}) =>
    releaseSeats(
      withoutGateway(tamper(sale.database, over.tampering ?? {})),
      {
        event: 'sale',
        reason: 'test',
        ...(over.overdue ? { overdue: true } : { orders: ['order-1'] }),
      },
      'organizer:test',
    );

  /** A second payment of order-1 has read the live hold; before it writes, the hold is released. */
  async function releasedInBetween(edits: Edit[]): Promise<{ sale: Sale; verdict: Verdict }> {
    const sale = await overdueHold();
    const halt = new Halt('write_batch');
    const database = tamper(sale.another(), { before: halt.at, edits });
    const deciding = sale.decide([request('order-1', 'pay-1b')], database);
    await halt.reached.opened;
    expect(await release(sale)).toMatchObject({ ok: true, released: 1 });
    halt.go.open();
    const [verdict] = await deciding;
    if (!verdict) throw new Error('no verdict');
    return { sale, verdict };
  }

  test('the confirm notices, and seats the order anew', async () => {
    const { sale, verdict } = await releasedInBetween([]);
    expect(verdict).toMatchObject({ code: 'confirmed', seats: [{ label: 'ga-1' }] });
    expect(await sale.count("holds WHERE state = 'held' AND payment_id = 'pay-1b'")).toBe(1);
    expect(await sale.audit()).toMatchObject({ clean: true });
  });

  test('CONTROL no look at the hold: only the mark stands before a 200 for an ended hold', async () => {
    const outcome = releasedInBetween([MOVE_ANY_STATE]);
    const { sale, verdict } = await outcome;
    // Confirmed on a hold that has ended: only the mark before the 200 stands in between.
    expect(verdict).toMatchObject({ code: 'confirmed', seats: [] });
    const marked = await mark(sale, verdict, 'pay-1b');
    expect(marked).toBeNull();
    expect(await mark(sale, verdict, 'pay-1b', [MARK_ANY_STATE])).not.toBeNull();
    expect(await sale.count("holds WHERE state <> 'ended'")).toBe(0);
  });

  test('an overdue hold that moved to a new payment meanwhile is kept', async () => {
    const sale = await overdueHold();
    const halt = new Halt('end_holds');
    const releasing = release(sale, { overdue: true, tampering: { before: halt.at } });
    await halt.reached.opened;
    const [verdict] = await sale.decide([request('order-1', 'pay-1b')], sale.another());
    expect(verdict?.code).toBe('confirmed');
    expect(await mark(sale, verdict as Verdict, 'pay-1b')).not.toBeNull();
    halt.go.open();
    expect(await releasing).toMatchObject({ released: 0 });
    expect(await sale.count("holds WHERE state = 'held'")).toBe(1);
  });
});

function mark(sale: Sale, verdict: Verdict, paymentId: string, edits: Edit[] = []) {
  if (verdict.code !== 'confirmed') throw new Error(verdict.code);
  const database = tamper(sale.database, { edits });
  return new VerdictOrVoid(database, systemClock, silentLog, 100).mark(verdict, paymentId);
}
