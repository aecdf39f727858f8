// Holds the gateway's books against the seats, order by order: the money that was kept is the price of
// the seats, but for what the organizer gave away, and every seat that was sold has its payment.

import type { BookEntry } from '../sandbox/types.ts';
import type { Deals } from './deals.ts';
import type { OrderSeen, PaymentSeen } from './organizer.ts';
import { countBy } from './stats.ts';

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
  /** Payments of which a part went back, and what it comes to. */
  partBack: number;
  partBackAmount: number;
  paidOrders: number;
  /** The price of the seats that are sold. */
  soldAmount: number;
  /** Given back with the seats left, less what was kept of seats that went back. */
  allowances: number;
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
  deals: Deals;
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
    const wrong = wrongWith(payments, orders.get(uid), facts);
    if (wrong) problems.push(`${uid}: ${wrong}`);
  }
  const sold = facts.orders.filter((order) => order.status === 'paid');
  const seats = sold.reduce((sum, order) => sum + order.seats.length, 0);
  if (seats !== facts.soldSeats) {
    problems.push(`${facts.soldSeats} seats are sold, but paid orders have ${seats}`);
  }
  problems.push(...soldTwice(sold));
  const lost = paid.filter((payment) => wasLost(payment, ownOf(orders, payment)));
  for (const payment of lost) {
    problems.push(`${payment.merchantUid}: paid while its seats were held, and refunded`);
  }
  const refunded = paid.filter((payment) => payment.kept === 0);
  const partly = paid.filter((payment) => payment.kept > 0 && payment.kept < payment.amount);
  return {
    agrees: problems.length === 0,
    paid: paid.length,
    kept: paid.length - refunded.length,
    keptAmount: paid.reduce((sum, payment) => sum + payment.kept, 0),
    refunded: refunded.length,
    refundedWhy: reasons(refunded, orders),
    partBack: partly.length,
    partBackAmount: partly.reduce((sum, payment) => sum + payment.cancelledAmount, 0),
    paidOrders: sold.length,
    soldAmount: sold.reduce((sum, order) => sum + order.seats.length * priceIn(order, facts), 0),
    allowances: sold.reduce((sum, order) => sum + facts.deals.of(order.merchantUid).allowance, 0),
    soldSeats: seats,
    paidInTimeLost: lost.length,
    problems,
  };
}

/** All the seats of an order cost the same. */
function priceIn(order: OrderSeen, { quantities }: MoneyFacts): number {
  return order.amount / (quantities.get(order.merchantUid) ?? 1);
}

function wrongWith(
  payments: BookEntry[],
  order: OrderSeen | undefined,
  facts: MoneyFacts,
): string | null {
  const kept = payments.filter((payment) => payment.kept > 0);
  if (!order) return 'paid for, but there is no such order';
  if (kept.length === 0) {
    return order.status === 'paid' ? 'sold, but all its money went back' : null;
  }
  if (kept.length > 1) return `paid ${kept.length} times`;
  if (order.status !== 'paid') return `paid for, but the order is ${order.status}`;
  const { seatsBack, allowance } = facts.deals.of(order.merchantUid);
  const due = (facts.quantities.get(order.merchantUid) ?? 0) - seatsBack;
  if (order.seats.length !== due) return `${order.seats.length} seats instead of ${due}`;
  const worth = due * priceIn(order, facts) - allowance;
  return kept[0]?.kept === worth ? null : `${kept[0]?.kept} kept instead of ${worth}`;
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

function ownOf(
  orders: ReadonlyMap<string, OrderSeen>,
  { merchantUid, paymentId }: BookEntry,
): PaymentSeen | undefined {
  return orders.get(merchantUid)?.payments.find((payment) => payment.paymentId === paymentId);
}

/**
 * Approved before the hold that its yes named had ended, never failed, and yet given back by nobody's
 * wish: neither the organizer's, nor the event's that wants no virtual accounts.
 */
function wasLost(payment: BookEntry, own: PaymentSeen | undefined): boolean {
  if (payment.kept > 0 || payment.history.some(({ state }) => state === 'failed')) return false;
  if (own?.flag === 'virtual_account_forbidden' || whyBack(payment, own).wished) return false;
  const paidAtMs = payment.history.find(({ state }) => state === 'paid')?.atMs;
  return payment.confirms.some((answer) => {
    if (answer.status !== 200 || paidAtMs === undefined) return false;
    const endsAt: unknown = Reflect.get(Object(answer.body), 'holdExpiresAt');
    return typeof endsAt === 'string' && paidAtMs < Date.parse(endsAt);
  });
}

function whyBack(
  payment: BookEntry,
  own: PaymentSeen | undefined,
): { why: string; wished: boolean } {
  if (payment.cancellations.some(({ requester }) => requester === 'console')) {
    return { why: 'cancelled in the console', wished: true };
  }
  const refund = own?.refunds.at(-1);
  const wished = refund?.requestedBy.startsWith('organizer') ?? false;
  return { why: refund?.reason ?? 'unknown', wished };
}

function reasons(
  refunded: readonly BookEntry[],
  orders: ReadonlyMap<string, OrderSeen>,
): Record<string, number> {
  return countBy(refunded, (payment) => whyBack(payment, ownOf(orders, payment)).why);
}
