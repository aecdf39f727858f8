// What settling a payment needs to know of its order, as the database has it now.

import type { Transaction } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import type { PaymentStatus } from '../portone/payment.ts';

const sql = { glance: loadSql('glance_at_order'), state: loadSql('load_settlement') };

interface PaymentKey {
  merchantUid: string;
  paymentId: string;
}

/** Enough to know which locks a payment needs, and what to write down of it. */
export interface OrderGlance {
  id: number;
  eventId: number;
  amount: number;
  currency: string;
  hasHold: boolean;
  confirmed: boolean;
  /** Of the payment, as it was on record; null where it was not. */
  statusBefore: PaymentStatus | null;
  flagBefore: string | null;
}

export interface OrderState {
  id: number;
  eventId: number;
  amount: number;
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
  /** Of this payment, as far as was ever told. */
  cancelledAmount: number;
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

export async function glanceAtOrder(
  tx: Transaction,
  { merchantUid, paymentId }: PaymentKey,
): Promise<OrderGlance | null> {
  const rows = await tx.$queryRawUnsafe<OrderGlance[]>(sql.glance, merchantUid, paymentId);
  return rows[0] ?? null;
}

export async function readOrder(
  tx: Transaction,
  { merchantUid, paymentId }: PaymentKey,
): Promise<OrderState | null> {
  const rows = await tx.$queryRawUnsafe<{ document: OrderState }[]>(
    sql.state,
    merchantUid,
    paymentId,
  );
  return rows[0]?.document ?? null;
}
