// The rules that need no look at the seats; asked at the door and again under the event's lock.

import { type Refused, refuse } from './verdict.ts';

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

/** @returns the refusal, or null where the order may go on to ask for seats */
export function ineligible(
  sale: SaleWindow,
  order: OrderFacts,
  asked: { amount: number | null },
  now: Date,
): Refused | null {
  if (asked.amount !== null && asked.amount !== order.amount) return refuse('amount_mismatch');
  if (order.status === 'paid' || order.status === 'refunded') return refuse('already_paid');
  if (order.status === 'cancelled') return refuse('order_cancelled');
  if (now < sale.opensAt) return refuse('not_open', { at: sale.opensAt.toISOString() });
  // A buyer who holds seats may still pay for them after the sale has closed.
  if (sale.closesAt && now >= sale.closesAt && order.status !== 'held')
    return refuse('sale_closed');
  if (sale.maxPerOrder !== null && order.quantity > sale.maxPerOrder)
    return refuse('limit_reached');
  return null;
}
