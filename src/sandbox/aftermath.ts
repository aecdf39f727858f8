/** What happens to a payment after its buyer has gone: approvals, failures, disputes, resends. */

import { approve, failLate } from './decide.ts';
import type { Gateway } from './gateway.ts';
import type { WebhookRecord } from './types.ts';

/** An attempt left open, or failed, is paid after all. */
export function approveById(gateway: Gateway, paymentId: string): boolean {
  const payment = gateway.ledger.findAnywhere(paymentId);
  return payment !== null && approve(gateway, payment, 'approved after all');
}

export function failById(gateway: Gateway, paymentId: string, reason: string): boolean {
  const payment = gateway.ledger.findAnywhere(paymentId);
  return payment !== null && failLate(gateway, payment, reason);
}

export function dispute(gateway: Gateway, paymentId: string, reason: string): boolean {
  const payment = gateway.ledger.findAnywhere(paymentId);
  if (payment === null || payment.paidAtMs === null) return false;
  payment.disputes.push({ reason, createdAtMs: gateway.clock(), resolvedAtMs: null });
  gateway.courier.announce(payment, 'dispute_created', { trigger: 'DISPUTE_CREATED' });
  return true;
}

export function resolveDispute(gateway: Gateway, paymentId: string): boolean {
  const payment = gateway.ledger.findAnywhere(paymentId);
  const open = payment?.disputes.find(({ resolvedAtMs }) => resolvedAtMs === null);
  if (payment === null || open === undefined) return false;
  open.resolvedAtMs = gateway.clock();
  gateway.courier.announce(payment, 'dispute_resolved', { trigger: 'DISPUTE_RESOLVED' });
  return true;
}

/** The console's button: sends the webhook once more, the latest unless told which. */
export function resendInConsole(gateway: Gateway, paymentId: string, webhookId?: string): boolean {
  const payment = gateway.ledger.findAnywhere(paymentId);
  const record = webhookOf(payment?.webhooks ?? [], webhookId);
  if (payment === null || record === undefined) return false;
  gateway.later.track(gateway.courier.resend(payment, record));
  return true;
}

export function webhookOf(
  webhooks: readonly WebhookRecord[],
  webhookId?: string,
): WebhookRecord | undefined {
  return webhooks.findLast(({ id }) => webhookId === undefined || id === webhookId);
}
