// What settling a payment needs to know of its order, as the database has it now.

import type { Transaction } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import type { PaymentStatus } from '../portone/payment.ts';

const sql = loadSql('load_settlement');

export interface OrderState {
  id: number;
  eventId: number;
  amount: number;
  currency: string;
  status: string;
  items: { ticketTypeId: number; quantity: number; labels: string[]; together: boolean }[];
  /** RFC 3339 instants. */
  hold: {
    id: string;
    state: string;
    paymentId: string;
    createdAt: string;
    expiresAt: string;
  } | null;
  /** Seats that the buyer has by other orders of this event. */
  buyerSeats: number;
  policy: {
    virtualAccounts: 'forbid' | 'allow';
    virtualAccountMaxSeconds: number | null;
    bypassedPayments: 'seat-if-free' | 'refund';
  };
  /** The payment as it was on record. */
  before: { status: PaymentStatus; flag: string | null; cancelledAmount: number } | null;
  confirmed: boolean;
  /** Of the hold that lives now; another attempt may have it. */
  letOn: boolean;
  /** Of this payment, without those that failed; oldest first. */
  refunds: {
    id: number;
    state: 'requested' | 'done' | 'needs_person';
    amount: number;
    whole: boolean;
    seats: string[];
    cancelledBefore: number | null;
    byHand: boolean;
  }[];
  /** Other attempts that were let on to the same hold and are not known to have failed. */
  rivals: boolean;
  returned: boolean;
  /** Cancelled, or refunded at the organizer's wish: no payment may seat it any more. */
  calledOff: boolean;
  settledByCases: number;
  /** Paid back twice, and closed by the organizer. */
  settledTwice: number;
}

export async function readOrder(
  tx: Transaction,
  payment: { merchantUid: string; paymentId: string },
): Promise<OrderState | null> {
  const [row] = await tx.$queryRawUnsafe<{ document: OrderState }[]>(
    sql,
    payment.merchantUid,
    payment.paymentId,
  );
  return row?.document ?? null;
}
