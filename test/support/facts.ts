// Facts of a batch, made by hand for the pure judge.

import type { EnrolledRequest } from '../../src/confirm/batch.ts';
import type { BatchFacts, OrderDocument } from '../../src/confirm/decide/judge.ts';
import type { EarlierVerdict } from '../../src/confirm/repeat.ts';
import type { DescribedSeat } from '../../src/seats/free-seats.ts';

export const NOW = new Date('2026-05-01T12:00:00.000Z');
export const HOLD_SECONDS = 300;
export const GA = 1;

export function at(seconds: number): string {
  return new Date(NOW.getTime() + seconds * 1_000).toISOString();
}

export function sale(over: Partial<BatchFacts['sale']> = {}): BatchFacts['sale'] {
  return {
    id: 1,
    opensAt: new Date(at(-3_600)),
    closesAt: null,
    holdSeconds: HOLD_SECONDS,
    maxPerOrder: null,
    maxPerBuyer: null,
    lastPosition: 0,
    ...over,
  };
}

export function order(n: number, over: Partial<OrderDocument> = {}): OrderDocument {
  return {
    id: n,
    merchantUid: `order-${n}`,
    buyerId: `buyer-${n}`,
    amount: 1_000,
    status: 'pending',
    items: [item(1)],
    hold: null,
    buyerSeats: 0,
    ...over,
  };
}

export function item(
  quantity: number,
  over: Partial<OrderDocument['items'][number]> = {},
): OrderDocument['items'][number] {
  return {
    ticketTypeId: GA,
    ticketType: 'ga',
    quantity,
    labels: [],
    together: false,
    available: 1_000,
    ...over,
  };
}

export function heldBy(paymentId: string, over: Partial<NonNullable<OrderDocument['hold']>> = {}) {
  const hold = {
    id: 'hold-0',
    state: 'held',
    paymentId,
    createdAt: at(-60),
    expiresAt: at(240),
    ...over,
  };
  return { status: 'held', hold };
}

/** General admission: no rows. */
export function seats(count: number, ticketTypeId = GA): DescribedSeat[] {
  return Array.from({ length: count }, (_, i) => ({
    id: ticketTypeId * 1_000 + i + 1,
    ticketTypeId,
    label: `${ticketTypeId}-${i + 1}`,
    rank: i + 1,
    rowKey: null,
    place: null,
    section: null,
    row: null,
    number: null,
  }));
}

/** One row of numbered seats at the places given. */
export function row(rowKey: string, places: number[], firstRank = 1): DescribedSeat[] {
  return places.map((place, i) => ({
    id: firstRank + i,
    ticketTypeId: GA,
    label: `${rowKey}-${place}`,
    rank: firstRank + i,
    rowKey,
    place,
    section: 'S',
    row: rowKey,
    number: String(place),
  }));
}

export function facts(over: Partial<BatchFacts> = {}): BatchFacts {
  return { sale: sale(), orders: [], earlier: [], free: [], nextHoldEnds: new Map(), ...over };
}

/** The request of order n by payment `pay-n`, unless said otherwise. */
export function asks(n: number, over: Partial<EnrolledRequest> = {}): EnrolledRequest {
  return {
    gateway: 'v1',
    paymentId: `pay-${n}`,
    merchantUid: `order-${n}`,
    amount: 1_000,
    decideBy: NOW.getTime() + 3_000,
    answerBy: NOW.getTime() + 4_000,
    ...over,
  };
}

export function earlier(n: number, over: Partial<EarlierVerdict> = {}): EarlierVerdict {
  return {
    paymentId: `pay-${n}`,
    merchantUid: `order-${n}`,
    code: 'confirmed',
    amount: 1_000,
    position: 5,
    holdId: 'hold-0',
    holdState: 'held',
    holdPaymentId: `pay-${n}`,
    holdExpiresAt: at(240),
    ...over,
  };
}
