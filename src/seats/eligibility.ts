// The rules that need no look at the seats; asked at the door, again under the event's lock, and
// of a payment that came without asking.

export interface SaleWindow {
  opensAt: Date;
  closesAt: Date | null;
  maxPerOrder: number | null;
}

export interface OrderFacts {
  amount: number;
  status: string;
  /** Seats asked for, over all items. */
  quantity: number;
}

export interface Ineligible {
  code:
    | 'amount_mismatch'
    | 'already_paid'
    | 'order_cancelled'
    | 'not_open'
    | 'sale_closed'
    | 'limit_reached';
  /** For `not_open`: when the sale opens. RFC 3339. */
  at?: string;
}

/** @returns the refusal, or null where the order may go on to ask for seats */
export function ineligible(
  sale: SaleWindow,
  order: OrderFacts,
  asked: { amount: number | null },
  now: Date,
): Ineligible | null {
  if (asked.amount !== null && asked.amount !== order.amount) return { code: 'amount_mismatch' };
  if (order.status === 'paid' || order.status === 'refunded') return { code: 'already_paid' };
  if (order.status === 'cancelled') return { code: 'order_cancelled' };
  if (now < sale.opensAt) return { code: 'not_open', at: sale.opensAt.toISOString() };
  // A buyer who holds seats may still pay for them after the sale has closed.
  if (sale.closesAt && now >= sale.closesAt && order.status !== 'held')
    return { code: 'sale_closed' };
  if (sale.maxPerOrder !== null && order.quantity > sale.maxPerOrder)
    return { code: 'limit_reached' };
  return null;
}

/** @param seats that the buyer has or holds by other orders, and those asked for now */
export function overBuyerLimit(sale: { maxPerBuyer: number | null }, seats: number): boolean {
  return sale.maxPerBuyer !== null && seats > sale.maxPerBuyer;
}
