/** Gives money back and tells the merchant when, and where, the chosen way of cancelling does so. */

import { balanceOf, type CancelRequest } from './cancel-rules.ts';
import type { Gateway } from './gateway.ts';
import type { Payment } from './ledger.ts';
import type { Cancellation, CancelOutcome } from './types.ts';

/** Where the webhook about it goes; `none`: nobody is told. */
export type Told = 'payment_url' | 'console_url' | 'none';

export function cancelPayment(
  gateway: Gateway,
  payment: Payment,
  request: CancelRequest,
  told: Told,
): CancelOutcome {
  const outcome = gateway.ledger.cancel(payment, request);
  if (!outcome.cancelled) return outcome;
  const { cancellation } = outcome;
  const { how } = payment.cancelPlan;
  if (how === 'now') {
    gateway.ledger.completeCancellation(payment, cancellation);
    announce(gateway, payment, cancellation, told);
    return outcome;
  }
  if (how === 'failed') {
    gateway.ledger.dropCancellation(payment, cancellation);
    return outcome;
  }
  if (told !== 'none') {
    const about = { cancellationId: cancellation.id, url: urlOf(gateway, payment, told) };
    gateway.courier.announce(payment, 'cancel_pending', about);
  }
  finishLater(gateway, payment, cancellation, told);
  return outcome;
}

function finishLater(
  gateway: Gateway,
  payment: Payment,
  cancellation: Cancellation,
  told: Told,
): void {
  const { lateMs } = payment.cancelPlan;
  const finishing = () => finish(gateway, payment, cancellation, told);
  payment.unfinished.push(finishing);
  if (lateMs !== null) gateway.later.after(lateMs, finishing);
}

/** What a sandbox before this one had only taken is carried out by this one, as late once more. */
export function resumeCancellations(gateway: Gateway): void {
  for (const payment of [...gateway.ledger.payments('v1'), ...gateway.ledger.payments('v2')]) {
    for (const cancellation of payment.cancellations) {
      if (cancellation.status !== 'requested') continue;
      finishLater(gateway, payment, cancellation, 'payment_url');
    }
  }
}

/** Carries out now, or gives up, what was only taken. */
export function finishCancellations(gateway: Gateway, paymentId: string): number {
  const unfinished = gateway.ledger.findAnywhere(paymentId)?.unfinished.splice(0) ?? [];
  return unfinished.filter((finishing) => finishing()).length;
}

/** false: it is over already. */
function finish(
  gateway: Gateway,
  payment: Payment,
  cancellation: Cancellation,
  told: Told,
): boolean {
  if (payment.cancelPlan.how === 'late_failure') {
    return gateway.ledger.dropCancellation(payment, cancellation);
  }
  if (!gateway.ledger.completeCancellation(payment, cancellation)) return false;
  // The result of an asynchronous cancellation comes by webhook, on V1 unasked too.
  const unasked = payment.dialect === 'v1' && told === 'none' ? 'payment_url' : told;
  announce(gateway, payment, cancellation, unasked, 'ASYNC_CANCEL_APPROVED');
  return true;
}

function announce(
  gateway: Gateway,
  payment: Payment,
  cancellation: Cancellation,
  told: Told,
  trigger: 'ASYNC_CANCEL_APPROVED' | null = null,
): void {
  if (told === 'none') return;
  const event = balanceOf(payment) === 0 ? 'cancelled' : 'partly_cancelled';
  const url = urlOf(gateway, payment, told);
  gateway.courier.announce(payment, event, { cancellationId: cancellation.id, url, trigger });
}

const urlOf = (gateway: Gateway, payment: Payment, told: Told): string | null =>
  told === 'console_url' ? gateway.settings.webhookUrl : payment.webhookUrl;

export function cancelInConsole(
  gateway: Gateway,
  paymentId: string,
  amount?: number,
  reason = '관리자 콘솔 취소',
): CancelOutcome {
  const payment = gateway.ledger.findAnywhere(paymentId);
  if (payment === null) return { cancelled: false, why: 'unknown_payment' };
  const asked = { amount: amount ?? null, reason, requester: 'console' as const };
  const request = { ...asked, expectedBalance: null, accountNamed: true };
  const outcome = cancelPayment(gateway, payment, request, 'payment_url');
  payment.cancelRequests.push({
    ...asked,
    atMs: gateway.clock(),
    checksum: null,
    idempotencyKey: null,
    outcome: outcome.cancelled ? 'accepted' : outcome.why,
    cancellationId: outcome.cancelled ? outcome.cancellation.id : null,
    status: null,
  });
  return outcome;
}
