// What the judge keeps for every batch there may be: first come, first served; no seat twice.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judge, type Plan } from '../../src/confirm/decide/judge.ts';
import { asks, facts, item, NOW, order, row, sale, seats } from '../support/facts.ts';

interface Batch {
  orders: { quantity: number; type: number; together: boolean; buyer: number }[];
  /** Which order asks, and with which of its payments. */
  requests: { order: number; payment: number }[];
  free: number;
  rows: boolean;
  maxPerBuyer: number | null;
  lastPosition: number;
}

const batches: fc.Arbitrary<Batch> = fc.record({
  orders: fc.array(
    fc.record({
      quantity: fc.integer({ min: 1, max: 4 }),
      type: fc.integer({ min: 1, max: 2 }),
      together: fc.boolean(),
      buyer: fc.nat(3),
    }),
    { minLength: 1, maxLength: 10 },
  ),
  requests: fc.array(fc.record({ order: fc.nat(9), payment: fc.nat(1) }), { maxLength: 25 }),
  free: fc.nat(20),
  rows: fc.boolean(),
  maxPerBuyer: fc.option(fc.integer({ min: 1, max: 6 }), { nil: null }),
  lastPosition: fc.nat(1_000),
});

function run(batch: Batch): { plan: Plan; quantities: number[]; types: number[] } {
  const orders = batch.orders.map((o, i) =>
    order(i, {
      buyerId: `buyer-${o.buyer}`,
      items: [item(o.quantity, { ticketTypeId: o.type, together: o.together })],
    }),
  );
  const places = Array.from({ length: batch.free }, (_, i) => i + Math.floor(i / 3));
  const first = batch.rows ? row('A', places) : seats(batch.free);
  const requests = batch.requests.map((r) => {
    const n = r.order % orders.length;
    return asks(n, { paymentId: `pay-${n}-${r.payment}` });
  });
  let ids = 0;
  const plan = judge(
    requests,
    facts({
      sale: sale({ lastPosition: batch.lastPosition, maxPerBuyer: batch.maxPerBuyer }),
      orders,
      free: [...first, ...seats(batch.free, 2)],
    }),
    NOW,
    () => {
      ids += 1;
      return `hold-${ids}`;
    },
  );
  const of = batch.requests.map((r) => batch.orders[r.order % batch.orders.length]);
  return { plan, quantities: of.map((o) => o?.quantity ?? 0), types: of.map((o) => o?.type ?? 0) };
}

const RUNS = { numRuns: 400 };

describe('for every batch', () => {
  test('whoever came earlier is not told "none left" while a later one of the kind is seated', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const { plan, quantities, types } = run(batch);
        const seated = new Set(plan.holds.map((hold) => hold.id));
        plan.decisions.forEach((early, i) => {
          if (early.code !== 'sold_out' && early.code !== 'all_held') return;
          plan.decisions.forEach((later, j) => {
            if (j <= i || later.code !== 'still_held' || !seated.has(later.holdId)) return;
            // Seats that an order of the kind took before the refusal may be told again after it.
            const before = plan.decisions.slice(0, i);
            if (before.some((d) => d.code === 'still_held' && d.holdId === later.holdId)) return;
            const sameKind = quantities[i] === quantities[j] && types[i] === types[j];
            expect(sameKind, `request ${i} refused, ${j} seated`).toBe(false);
          });
        });
      }),
      RUNS,
    );
  });

  test('no seat is given twice, and each party gets as many as it asked for', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const { plan } = run(batch);
        const given = plan.holds.flatMap((hold) => hold.seatIds);
        expect(new Set(given).size).toBe(given.length);
        for (const hold of plan.holds) {
          expect(hold.seatIds).toHaveLength(batch.orders[hold.orderId]?.quantity ?? -1);
          expect(hold.quantity).toBe(hold.seatIds.length);
        }
        const holders = plan.holds.map((hold) => hold.orderId);
        expect(new Set(holders).size).toBe(holders.length);
      }),
      RUNS,
    );
  });

  test('positions follow one another, one a payment, and each request has its answer', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const { plan } = run(batch);
        expect(plan.decisions).toHaveLength(batch.requests.length);
        const positions = plan.verdicts.map((v) => v.position);
        const expected = positions.map((_, i) => batch.lastPosition + i + 1);
        expect(positions).toEqual(expected);
        expect(plan.positionsUsed).toBe(positions.length);
        const payments = plan.verdicts.map((v) => v.paymentId);
        expect(new Set(payments).size).toBe(payments.length);
      }),
      RUNS,
    );
  });

  test('no buyer gets beyond the limit', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const { plan } = run(batch);
        if (batch.maxPerBuyer === null) return;
        const got = new Map<string, number>();
        for (const hold of plan.holds) {
          got.set(hold.buyerId, (got.get(hold.buyerId) ?? 0) + hold.quantity);
        }
        for (const count of got.values()) expect(count).toBeLessThanOrEqual(batch.maxPerBuyer);
      }),
      RUNS,
    );
  });

  test('the same batch on the same facts is decided the same way', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        expect(run(batch).plan).toEqual(run(batch).plan);
      }),
      RUNS,
    );
  });
});
