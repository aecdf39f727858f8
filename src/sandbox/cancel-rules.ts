/** What may be cancelled of a payment, and why not; changes nothing. */

import type { Payment } from './ledger.ts';
import type { Cancellation, CancelRefusal } from './types.ts';

export interface CancelRequest {
  /** null: all that is left. */
  amount: number | null;
  reason: string;
  /** What the merchant believes is left (V1 `checksum`, V2 `currentCancellableAmount`). */
  expectedBalance: number | null;
  requester: Cancellation['requester'];
  /** Whether an account was named to which the money of a virtual account goes back. */
  accountNamed: boolean;
}

export interface Refusal {
  why: CancelRefusal;
  /** The PG's own words. */
  message?: string;
}

/** The money that has not gone back. */
export const balanceOf = (payment: Payment): number => payment.amount - payment.cancelledAmount;

/** What is neither back nor on its way. */
export function cancellableOf(payment: Payment): number {
  const underWay = payment.cancellations
    .filter(({ status }) => status === 'requested')
    .reduce((sum, { amount }) => sum + amount, 0);
  return balanceOf(payment) - underWay;
}

export function refusalOf(payment: Payment, request: CancelRequest): Refusal | null {
  const cancellable = cancellableOf(payment);
  if (payment.paidAtMs === null) return { why: 'not_paid' };
  if (balanceOf(payment) === 0) return { why: 'already_cancelled' };
  const fromAccount = payment.account !== null;
  if (fromAccount && request.requester === 'api' && !request.accountNamed) {
    return { why: 'account_missing' };
  }
  if (request.expectedBalance !== null && request.expectedBalance !== cancellable) {
    return { why: 'balance_differs' };
  }
  const amount = request.amount ?? cancellable;
  if (amount > cancellable || cancellable === 0) return { why: 'amount_too_large' };
  if (!Number.isInteger(amount) || amount <= 0) return { why: 'invalid_amount' };
  const { how, message } = payment.cancelPlan;
  // A deposit pushed in test mode is no money.
  if (fromAccount && payment.test) return { why: 'pg_refused', message };
  // V1 has no word for a cancellation that failed, but to refuse it.
  const isNever = how === 'never' || (how === 'failed' && payment.dialect === 'v1');
  return isNever || payment.refusalsLeft > 0 ? { why: 'pg_refused', message } : null;
}
