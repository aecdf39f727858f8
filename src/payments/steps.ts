// What was done about a payment, and by whom: one line a step, never changed.

import type { Transaction } from '../db/database.ts';

export interface Step {
  orderId: number;
  paymentId: string;
  /** `sold`, `same_seats`, `refund_requested`, `account_closed`, ... */
  step: string;
  /** The reason, or an amount: whatever the organizer needs to understand the step. */
  detail?: string | null;
  /** `settlement`, `expiry`, `reconciliation`, `organizer:...`. */
  actor: string;
  at: Date;
}

/** In the same transaction as what it tells of. */
export async function recordStep(tx: Transaction, step: Step): Promise<void> {
  await tx.paymentStep.create({ data: { ...step, detail: step.detail ?? null } });
}
