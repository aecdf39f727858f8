/** A payment as V2 prints it: a union on `status`, RFC 3339 times, the sums under `amount`. */

import { balanceOf, type Payment } from './ledger.ts';
import { STORE_ID } from './messages.ts';
import type { Cancellation, WebhookRecord } from './types.ts';

type Shape = Record<string, unknown>;

const time = (ms: number): string => new Date(ms).toISOString();

const MERCHANT_ID = 'merchant-sandbox';
const MAX_EXECUTIONS = 6;

export function v2Status(payment: Payment): string {
  if (payment.state === 'cancelled') {
    return balanceOf(payment) === 0 ? 'CANCELLED' : 'PARTIAL_CANCELLED';
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
      pgProvider: 'INICIS_V2',
      pgMerchantId: payment.test ? 'INIpayTest' : 'SANDBOX001',
    },
    version: 'V2',
    webhooks: payment.webhooks.filter(({ attempts }) => attempts.length > 0).map(v2Webhook),
    requestedAt: time(payment.startedAtMs),
    updatedAt: time(payment.updatedAtMs),
    statusChangedAt: time(payment.updatedAtMs),
    orderName: payment.orderName,
    amount: amounts(payment),
    currency: payment.currency,
    customer: { name: '구매자', email: 'buyer@example.com' },
    ...settled(payment),
  };
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
  if (paidAtMs === null) return {};
  const paid = { paidAt: time(paidAtMs), pgTxId: payment.pgTid };
  if (cancelledAtMs === null) return paid;
  const cancellations = payment.cancellations.map(v2Cancellation);
  return { ...paid, cancellations, cancelledAt: time(cancelledAtMs) };
}

export function v2Cancellation(cancellation: Cancellation): Shape {
  return {
    status: 'SUCCEEDED',
    id: cancellation.id,
    pgCancellationId: cancellation.pgTid,
    totalAmount: cancellation.amount,
    taxFreeAmount: 0,
    vatAmount: Math.round(cancellation.amount / 11),
    reason: cancellation.reason,
    cancelledAt: time(cancellation.atMs),
    requestedAt: time(cancellation.atMs),
    trigger: cancellation.requester === 'api' ? 'API' : 'CONSOLE',
  };
}

const PAYMENT_STATUS: Partial<Record<WebhookRecord['event'], string>> = {
  opened: 'READY',
  issued: 'VIRTUAL_ACCOUNT_ISSUED',
  paid: 'PAID',
  failed: 'FAILED',
  pending: 'PAY_PENDING',
  partly_cancelled: 'PARTIAL_CANCELLED',
  cancelled: 'CANCELLED',
};

function v2Webhook(webhook: WebhookRecord): Shape {
  const last = webhook.attempts.at(-1);
  const answered = last !== undefined && last.status !== null;
  const unhappy = answered ? 'FAILED_NOT_OK_RESPONSE' : 'FAILED_UNEXPECTED_ERROR';
  return {
    id: webhook.id,
    paymentStatus: PAYMENT_STATUS[webhook.event],
    status: webhook.fate === 'delivered' ? 'SUCCEEDED' : unhappy,
    url: webhook.url,
    isAsync: false,
    currentExecutionCount: webhook.attempts.length,
    maxExecutionCount: MAX_EXECUTIONS,
    request: { body: webhook.body, requestedAt: time(webhook.attempts[0]?.atMs ?? 0) },
    ...(answered ? { response: { code: String(last.status) } } : {}),
  };
}
