/** Gives money back and tells the merchant when, and where, the chosen way of cancelling does so. */

import type { Gateway } from './gateway.ts';
import { balanceOf, type CancelRequest, type Payment } from './ledger.ts';
import type { CancelOutcome } from './types.ts';

/** Where the webhook about it goes; `none`: nobody is told. */
export type Told = 'payment_url' | 'console_url' | 'none';

export function cancelPayment(
  gateway: Gateway,
  payment: Payment,
  request: CancelRequest,
  told: Told,
): CancelOutcome {
  const outcome = gateway.ledger.cancel(payment, request);
  if (!outcome.cancelled || told === 'none') return outcome;
  gateway.courier.announce(payment, balanceOf(payment) === 0 ? 'cancelled' : 'partly_cancelled', {
    cancellationId: outcome.cancellation.id,
    url: told === 'console_url' ? gateway.settings.webhookUrl : payment.webhookUrl,
  });
  return outcome;
}

export function cancelInConsole(
  gateway: Gateway,
  paymentId: string,
  amount?: number,
  reason = '관리자 콘솔 취소',
): CancelOutcome {
  const payment = gateway.ledger.findAnywhere(paymentId);
  if (payment === null) return { cancelled: false, why: 'unknown_payment' };
  const request = { amount: amount ?? null, reason, expectedBalance: null };
  return cancelPayment(gateway, payment, { ...request, requester: 'console' }, 'payment_url');
}
