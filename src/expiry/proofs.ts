// What a look at PortOne's books shows of a hold, and how it is noted.

import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { outageBackoffMs } from '../payments/backoff.ts';
import { type SettleOptions, settlePayment } from '../payments/settle-payment.ts';
import type { PaymentRef, PaymentSnapshot } from '../portone/payment.ts';

const sql = loadSql('note_proofs');

/** PortOne gave no answer, or none of use, about a payment: it is looked up again after so long. */
export const SILENT_WAIT_MS = outageBackoffMs(4);

/** An answered hold whose payment was not seen at PortOne yet. */
export interface Unproven extends PaymentRef {
  id: string;
  orderId: number;
  doubtedAt: Date | null;
}

export interface Proof {
  id: string;
  paymentId: string;
  /** When to look again; null: nobody need. */
  checkAt: Date | null;
  doubtedAt: Date | null;
}

export async function noteProofs(database: Database, proofs: Proof[]): Promise<void> {
  if (proofs.length > 0) await database.query(sql, JSON.stringify(proofs));
}

/** Another order's payment does not stand for this one. V2 tells of orders, V1 of attempts. */
export function snapshotOf(known: PaymentSnapshot[], ref: PaymentRef): PaymentSnapshot | undefined {
  return known.find(
    (payment) =>
      payment.merchantUid === ref.merchantUid &&
      (ref.gateway === 'v2' || payment.paymentId === ref.paymentId),
  );
}

export async function settleFound(
  options: SettleOptions,
  payment: PaymentSnapshot | null | undefined,
): Promise<void> {
  if (!payment || payment.status === 'ready') return;
  try {
    await settlePayment(options, payment, 'expiry');
  } catch (error) {
    // Its webhook, or its expiry, comes to it again.
    const line = { paymentId: payment.paymentId, error: (error as Error).message };
    options.log.info(line, 'payment looked up, but not settled yet');
  }
}
