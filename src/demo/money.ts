// Holds the gateway's books against the seats: every payment that was kept has its seats, and every
// seat that was sold has its payment.

import type { BookEntry } from '../sandbox/types.ts';
import type { OrderSeen } from './organizer.ts';

export interface Money {
  agrees: boolean;
  /** Payments that were approved, refunded ones included. */
  paid: number;
  /** Payments whose money was kept, and what it comes to. */
  kept: number;
  keptAmount: number;
  /** Payments that went back in full, by why. */
  refunded: number;
  refundedWhy: Record<string, number>;
  paidOrders: number;
  soldAmount: number;
  soldSeats: number;
  /** Payments approved while their seats were held, and not given those seats. */
  paidInTimeLost: number;
  problems: string[];
}

export interface MoneyFacts {
  payments: readonly BookEntry[];
  /** Every order that a payment was approved for. */
  orders: readonly OrderSeen[];
  /** Seats asked for, by order. */
  quantities: ReadonlyMap<string, number>;
  /** Seats that the events say are sold. */
  soldSeats: number;
}

/** Which orders have to be looked at. */
export function ordersPaidFor(payments: readonly BookEntry[]): string[] {
  return [...new Set(payments.filter((p) => p.everPaid).map((p) => p.merchantUid))];
}

export function compareMoney(facts: MoneyFacts): Money {
  const paid = facts.payments.filter((payment) => payment.everPaid);
  const orders = new Map(facts.orders.map((order) => [order.merchantUid, order]));
  const byOrder = new Map<string, BookEntry[]>();
  for (const payment of paid) {
    byOrder.set(payment.merchantUid, [...(byOrder.get(payment.merchantUid) ?? []), payment]);
  }
  const problems: string[] = [];
  for (const [uid, payments] of byOrder) {
    const wrong = wrongWith(payments, orders.get(uid), facts.quantities.get(uid) ?? 0);
    if (wrong) problems.push(`${uid}: ${wrong}`);
  }
  const sold = facts.orders.filter((order) => order.status === 'paid');
  const seats = sold.reduce((sum, order) => sum + order.seats.length, 0);
  if (seats !== facts.soldSeats) {
    problems.push(`${facts.soldSeats} seats are sold, but paid orders have ${seats}`);
  }
  problems.push(...soldTwice(sold));
  const lost = paid.filter(wasLost);
  for (const payment of lost) {
    problems.push(`${payment.merchantUid}: paid while its seats were held, and refunded`);
  }
  const refunded = paid.filter((payment) => payment.kept === 0);
  return {
    agrees: problems.length === 0,
    paid: paid.length,
    kept: paid.length - refunded.length,
    keptAmount: paid.reduce((sum, payment) => sum + payment.kept, 0),
    refunded: refunded.length,
    refundedWhy: reasons(refunded, orders),
    paidOrders: sold.length,
    soldAmount: sold.reduce((sum, order) => sum + order.amount, 0),
    soldSeats: seats,
    paidInTimeLost: lost.length,
    problems,
  };
}

function wrongWith(
  payments: BookEntry[],
  order: OrderSeen | undefined,
  quantity: number,
): string | null {
  const kept = payments.filter((payment) => payment.kept > 0);
  if (!order) return 'paid for, but there is no such order';
  if (kept.length === 0) {
    return order.status === 'paid' ? 'sold, but all its money went back' : null;
  }
  if (kept.length > 1) return `paid ${kept.length} times`;
  if (order.status !== 'paid') return `paid for, but the order is ${order.status}`;
  if (order.seats.length !== quantity) return `${order.seats.length} seats instead of ${quantity}`;
  if (kept[0]?.kept !== order.amount) return `${kept[0]?.kept} kept instead of ${order.amount}`;
  return null;
}

function soldTwice(sold: readonly OrderSeen[]): string[] {
  const owner = new Map<string, string>();
  const problems: string[] = [];
  for (const order of sold) {
    // The slug is the uid without its number: a label is unique within its event only.
    const event = order.merchantUid.replace(/-\d+(-\d+)?$/, '');
    for (const { label } of order.seats) {
      const seat = `${event} ${label}`;
      const other = owner.get(seat);
      if (other) problems.push(`seat ${seat} is sold to ${other} and to ${order.merchantUid}`);
      owner.set(seat, order.merchantUid);
    }
  }
  return problems;
}

/** Approved before the hold that its yes named had ended, never failed, and yet given back. */
function wasLost(payment: BookEntry): boolean {
  if (payment.kept > 0 || payment.history.some(({ state }) => state === 'failed')) return false;
  const paidAtMs = payment.history.find(({ state }) => state === 'paid')?.atMs;
  return payment.confirms.some((answer) => {
    if (answer.status !== 200 || paidAtMs === undefined) return false;
    const endsAt: unknown = Reflect.get(Object(answer.body), 'holdExpiresAt');
    return typeof endsAt === 'string' && paidAtMs < Date.parse(endsAt);
  });
}

function reasons(
  refunded: readonly BookEntry[],
  orders: ReadonlyMap<string, OrderSeen>,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const payment of refunded) {
    const own = orders
      .get(payment.merchantUid)
      ?.payments.find(({ paymentId }) => paymentId === payment.paymentId);
    const reason = own?.refund?.reason ?? 'unknown';
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}
