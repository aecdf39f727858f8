// Writes a payment down as PortOne described it; what is on record never goes back.

import type { Transaction } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import type { PaymentSnapshot } from '../portone/payment.ts';

const sql = loadSql('record_payment');

export interface PaymentNotes {
  /** Why a person should look at it; null keeps what was noted before. */
  flag: string | null;
  bypassed: boolean;
}

/**
 * Takes the payment's row until the transaction ends.
 * @returns false where a later state of the payment is on record already
 */
export async function recordPayment(
  tx: Transaction,
  orderId: number,
  payment: PaymentSnapshot,
  notes: PaymentNotes,
  now: Date,
): Promise<boolean> {
  const rows = await tx.$queryRawUnsafe<unknown[]>(
    sql,
    payment.paymentId,
    payment.gateway,
    orderId,
    payment.status,
    recordable(payment.amount),
    Math.min(recordable(payment.cancelledAmount), recordable(payment.amount)),
    payment.currency,
    payment.test,
    payment.method,
    notes.flag,
    now,
    payment.depositBy,
    payment.cancelPending,
    notes.bypassed,
  );
  return rows.length > 0;
}

const AMOUNT_MAX = 2_147_483_647;

/**
 * An amount as it can be written down. The browser names V1's, so it may be anything; whatever is
 * not the order's own whole amount is refunded in full, and the refund asks for all there is.
 */
export function recordable(amount: number): number {
  return Math.min(Math.max(Math.ceil(amount), 0), AMOUNT_MAX);
}
