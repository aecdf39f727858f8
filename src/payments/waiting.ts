// How long a hold waits for money that is on its way: a deposit, or somebody's approval.

import type { PaymentSnapshot } from '../portone/payment.ts';
import type { OrderState } from './order-state.ts';
import type { SettlementRules } from './settle-payment.ts';

/** Where the event names no limit of its own. */
const DEPOSIT_WAIT_MAX_MS = 7 * 24 * 3_600_000;
/** An approval (PayPal) comes within minutes; one that comes later is a late payment. */
const APPROVAL_WAIT_MAX_MS = 3_600_000;

/** @returns null where there is nothing to wait for */
export function waitsUntil(
  policy: Pick<OrderState['policy'], 'virtualAccountMaxSeconds'> &
    Pick<SettlementRules, 'depositGraceMs'>,
  hold: { createdAt: string },
  payment: PaymentSnapshot,
): Date | null {
  const heldAt = Date.parse(hold.createdAt);
  if (payment.status === 'pending') return new Date(heldAt + APPROVAL_WAIT_MAX_MS);
  if (payment.status !== 'waiting_deposit' || !payment.depositBy) return null;
  const { virtualAccountMaxSeconds: most } = policy;
  const limit = heldAt + (most === null ? DEPOSIT_WAIT_MAX_MS : most * 1_000);
  return new Date(Math.min(payment.depositBy.getTime() + policy.depositGraceMs, limit));
}
