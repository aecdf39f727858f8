// Any wish for a refund comes to something that money and seats allow, or to a refusal.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EarlierRefund, planRefund, type Refundable } from '../../src/refunds/plan-refund.ts';

const PRICE = 10_000;

interface Facts {
  seats: number;
  soldSeats: number;
  cancelled: number;
  byHand: number;
}

function orderOf({ seats, soldSeats, cancelled, byHand }: Facts): Refundable {
  const hand: EarlierRefund = {
    id: 1,
    state: 'done',
    amount: byHand,
    whole: false,
    seats: [],
    reason: 'r',
    requestedBy: 'organizer:x',
    byHand: true,
    doneAt: null,
  };
  return {
    id: 1,
    payments: [
      {
        paymentId: 'p',
        status: cancelled >= seats * PRICE ? 'cancelled' : 'paid',
        amount: seats * PRICE,
        cancelledAmount: cancelled,
        refunds: byHand > 0 ? [hand] : [],
      },
    ],
    hold: {
      paymentId: 'p',
      seats: Array.from({ length: soldSeats }, (_, n) => ({ label: `s${n}`, price: PRICE })),
    },
  };
}

const facts = fc
  .record({
    seats: fc.integer({ min: 1, max: 5 }),
    gone: fc.nat(5),
    cancelled: fc.nat(60_000),
    byHand: fc.nat(30_000),
  })
  .map(({ seats, gone, cancelled, byHand }) => ({
    seats,
    soldSeats: Math.max(1, seats - gone),
    cancelled: Math.min(cancelled, seats * PRICE),
    byHand: Math.min(byHand, Math.max(0, seats * PRICE - cancelled)),
  }));
const wishes = fc.record(
  {
    amount: fc.integer({ min: 1, max: 60_000 }),
    seats: fc.uniqueArray(
      fc.nat(5).map((n) => `s${n}`),
      { minLength: 1 },
    ),
    reason: fc.constant('r'),
  },
  { requiredKeys: ['reason'] },
);

test('never more than is left, never a seat that was not sold, and the whole only where it is the whole', () => {
  fc.assert(
    fc.property(facts, wishes, (given, wish) => {
      const order = orderOf(given);
      const plan = planRefund(order, wish);
      const left = given.seats * PRICE - given.cancelled - given.byHand;
      if (!plan.ok) return;
      const sold = order.hold?.seats.map((seat) => seat.label) ?? [];
      expect(plan.amount).toBeGreaterThan(0);
      expect(plan.amount).toBeLessThanOrEqual(left);
      expect(plan.seats.every((label) => sold.includes(label))).toBe(true);
      if (wish.amount !== undefined) expect(plan.amount).toBe(wish.amount);
      // PortOne gives a whole one all that it has, so nothing of it may have gone back elsewhere.
      if (plan.whole) expect([plan.amount, given.byHand]).toEqual([left, 0]);
      // All of the money at PortOne is a cancelled payment, which frees every seat.
      if (plan.amount === given.seats * PRICE - given.cancelled) {
        expect(plan.seats).toEqual(sold);
        expect(plan.whole).toBe(true);
      }
    }),
    { numRuns: 2_000 },
  );
});

describe('which payment is meant', () => {
  const two = (): Refundable => {
    const one = orderOf({ seats: 1, soldSeats: 1, cancelled: 0, byHand: 0 });
    const [payment] = one.payments;
    if (!payment) throw new Error('no payment');
    return { ...one, payments: [payment, { ...payment, paymentId: 'q' }] };
  };

  test('the one that has the seats', () => {
    expect(planRefund(two(), { reason: 'r' })).toMatchObject({ paymentId: 'p', seats: ['s0'] });
  });

  test('where none has seats, one must be named; a named one takes none with it', () => {
    const seatless = { ...two(), hold: null };
    expect(planRefund(seatless, { reason: 'r' })).toEqual({
      ok: false,
      reason: 'several_payments',
      paymentIds: ['p', 'q'],
    });
    const named = planRefund(two(), { reason: 'r', paymentId: 'q' });
    expect(named).toMatchObject({ ok: true, paymentId: 'q', whole: true, seats: [] });
  });
});
