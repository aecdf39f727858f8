/** A payment as V2 prints it: a union on `status`, RFC 3339 times, the sums under `amount`. */

import { balanceOf } from './cancel-rules.ts';
import type { Payment } from './ledger.ts';
import { STORE_ID } from './messages.ts';
import { PROVIDER_NAMES } from './providers.ts';
import type { Cancellation, Dispute, WebhookAttempt, WebhookRecord } from './types.ts';

type Shape = Record<string, unknown>;

const time = (ms: number): string => new Date(ms).toISOString();

const MERCHANT_ID = 'merchant-sandbox';
const MAX_EXECUTIONS = 6;

export function v2Status(payment: Payment): string {
  if (payment.state === 'cancelled') {
    // An account that was closed unpaid has no balance.
    const left = payment.paidAtMs === null ? 0 : balanceOf(payment);
    return left === 0 ? 'CANCELLED' : 'PARTIAL_CANCELLED';
  }
  if (payment.state !== 'ready') return payment.state.toUpperCase();
  if (payment.pending) return 'PAY_PENDING';
  return payment.account === null ? 'READY' : 'VIRTUAL_ACCOUNT_ISSUED';
}

export function v2Payment(payment: Payment): Shape {
  return {
    status: v2Status(payment),
    id: payment.merchantUid,
    transactionId: payment.paymentId,
    merchantId: MERCHANT_ID,
    storeId: STORE_ID,
    ...method(payment),
    channel: {
      type: payment.test ? 'TEST' : 'LIVE',
      id: 'channel-id-sandbox',
      key: 'channel-key-sandbox',
      name: 'sandbox',
      pgProvider: PROVIDER_NAMES[payment.provider].v2,
      pgMerchantId: payment.test ? 'INIpayTest' : 'SANDBOX001',
    },
    version: 'V2',
    webhooks: payment.webhooks.filter(({ attempts }) => attempts.length > 0).map(v2Webhook),
    requestedAt: time(payment.startedAtMs),
    updatedAt: time(payment.updatedAtMs),
    statusChangedAt: time(payment.statusChangedAtMs),
    orderName: payment.orderName,
    amount: amounts(payment),
    currency: payment.currency,
    customer: { name: '구매자', email: 'buyer@example.com' },
    ...(payment.customData === null ? {} : { customData: payment.customData }),
    ...settled(payment),
  };
}

/** One attempt: the same, with its own id first and the order's beside it. */
export function v2Transaction(payment: Payment): Shape {
  const { id, transactionId, ...rest } = v2Payment(payment);
  return { ...rest, id: transactionId, paymentId: id };
}

function amounts(payment: Payment): Shape {
  const vat = Math.round(payment.amount / 11);
  return {
    total: payment.amount,
    taxFree: 0,
    vat,
    supply: payment.amount - vat,
    discount: 0,
    paid: payment.paidAtMs === null ? 0 : payment.amount,
    cancelled: payment.cancelledAmount,
    cancelledTaxFree: 0,
  };
}

function method(payment: Payment): Shape {
  const { account } = payment;
  if (account !== null) {
    return {
      method: {
        type: 'PaymentMethodVirtualAccount',
        bank: account.bank,
        accountNumber: account.number,
        accountType: 'NORMAL',
        remitteeName: account.holder,
        expiredAt: time(account.dueAtMs),
        issuedAt: time(account.issuedAtMs),
      },
    };
  }
  if (payment.method !== 'card' || payment.paidAtMs === null) return {};
  const card = { issuer: 'BC_CARD', brand: 'LOCAL', type: 'CREDIT', number: '943000******0000' };
  const approvalNumber = payment.pgTid.slice(-8);
  return { method: { type: 'PaymentMethodCard', card, approvalNumber } };
}

function settled(payment: Payment): Shape {
  const { paidAtMs, failedAtMs, cancelledAtMs } = payment;
  if (payment.state === 'failed' && failedAtMs !== null) {
    const reason = payment.failReason ?? '';
    const failure = { reason, pgCode: 'SANDBOX', pgMessage: reason };
    return { failedAt: time(failedAtMs), failure };
  }
  if (paidAtMs === null) {
    return cancelledAtMs === null ? {} : { cancelledAt: time(cancelledAtMs), cancellations: [] };
  }
  const cancellations = payment.cancellations.map(v2Cancellation);
  const settled = {
    paidAt: time(paidAtMs),
    pgTxId: payment.pgTid,
    disputes: payment.disputes.map(v2Dispute),
    ...(cancellations.length > 0 ? { cancellations } : {}),
  };
  return cancelledAtMs === null ? settled : { ...settled, cancelledAt: time(cancelledAtMs) };
}

const v2Dispute = ({ reason, createdAtMs, resolvedAtMs }: Dispute): Shape => ({
  status: resolvedAtMs === null ? 'UNRESOLVED' : 'RESOLVED',
  reason,
  createdAt: time(createdAtMs),
  ...(resolvedAtMs === null ? {} : { resolvedAt: time(resolvedAtMs) }),
});

export function v2Cancellation(cancellation: Cancellation): Shape {
  return {
    status: cancellation.status.toUpperCase(),
    id: cancellation.id,
    pgCancellationId: cancellation.pgTid,
    totalAmount: cancellation.amount,
    taxFreeAmount: 0,
    vatAmount: Math.round(cancellation.amount / 11),
    reason: cancellation.reason,
    ...(cancellation.doneAtMs === null ? {} : { cancelledAt: time(cancellation.doneAtMs) }),
    requestedAt: time(cancellation.atMs),
    trigger: cancellation.requester === 'api' ? 'API' : 'CONSOLE',
  };
}

const PAYMENT_STATUS: Partial<Record<WebhookRecord['event'], string>> = {
  opened: 'READY',
  issued: 'VIRTUAL_ACCOUNT_ISSUED',
  paid: 'PAID',
  failed: 'FAILED',
  failed_late: 'FAILED',
  pending: 'PAY_PENDING',
  // Nothing of the payment itself has changed by then.
  cancel_pending: 'PAID',
  dispute_created: 'PAID',
  dispute_resolved: 'PAID',
  partly_cancelled: 'PARTIAL_CANCELLED',
  cancelled: 'CANCELLED',
};

export function v2Webhook(webhook: WebhookRecord): Shape {
  const first = webhook.attempts[0];
  const last = webhook.attempts.at(-1);
  return {
    paymentStatus: PAYMENT_STATUS[webhook.event],
    id: webhook.id,
    ...statusOf(webhook, last),
    url: webhook.url,
    isAsync: webhook.trigger !== null && webhook.trigger !== 'MANUAL',
    currentExecutionCount: webhook.attempts.length,
    maxExecutionCount: MAX_EXECUTIONS,
    ...(webhook.trigger === null ? {} : { trigger: webhook.trigger }),
    request: { header: '{}', body: webhook.body, requestedAt: time(last?.atMs ?? 0) },
    ...responseOf(last),
    triggeredAt: time(first?.atMs ?? 0),
  };
}

/** Without an answer yet there is no status. */
function statusOf(webhook: WebhookRecord, last: WebhookAttempt | undefined): Shape {
  if (webhook.fate === 'delivered') return { status: 'SUCCEEDED' };
  if (last?.status != null) return { status: 'FAILED_NOT_OK_RESPONSE' };
  return last?.error == null ? {} : { status: 'FAILED_UNEXPECTED_ERROR' };
}

function responseOf(last: WebhookAttempt | undefined): Shape {
  if (last === undefined || last.status === null || last.answeredAtMs === null) return {};
  const { status, answer, answeredAtMs } = last;
  const code = String(status);
  const respondedAt = time(answeredAtMs);
  return { response: { code, header: '{}', body: answer ?? '', respondedAt } };
}
