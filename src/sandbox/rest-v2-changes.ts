/** What a V2 merchant can have done: register, charge, cancel, close an account, send again. */

import { webhookOf } from './aftermath.ts';
import { type ChargeOutcome, chargeByToken } from './authenticate.ts';
import { cancelPayment } from './cancel.ts';
import type { Gateway } from './gateway.ts';
import { amountOf, isYes, type RestContext, textOf } from './rest.ts';
import { answer, refuse } from './rest-v2-answers.ts';
import { v2Cancellation, v2Webhook } from './rest-v2-shapes.ts';
import type { CancelRefusal } from './types.ts';

const CANCEL_REFUSALS: Record<CancelRefusal, [status: number, type: string]> = {
  unknown_payment: [404, 'PAYMENT_NOT_FOUND'],
  not_paid: [409, 'PAYMENT_NOT_PAID'],
  already_cancelled: [409, 'PAYMENT_ALREADY_CANCELLED'],
  balance_differs: [409, 'CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN'],
  amount_too_large: [409, 'CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT'],
  invalid_amount: [400, 'INVALID_REQUEST'],
  account_missing: [400, 'INVALID_REQUEST'],
  pg_refused: [502, 'PG_PROVIDER'],
};

/** Sends of one webhook, by hand and by itself; that there is a limit is documented, its number is not. */
const MAX_SENDS = 11;
const CANNOT_CLOSE = '[PG] 가상계좌 말소를 지원하지 않습니다.';

export function cancel(gateway: Gateway, ctx: RestContext, id: string) {
  const { fields } = ctx.state;
  const reason = textOf(fields.reason);
  if (reason === null) return refuse(ctx, 400, 'INVALID_REQUEST', 'reason is required');
  const payment = gateway.ledger.current('v2', id);
  if (payment === null) return refuseToCancel(ctx, 'unknown_payment');
  const request = {
    amount: amountOf(fields.amount),
    reason,
    expectedBalance: amountOf(fields.currentCancellableAmount),
    requester: 'api' as const,
    accountNamed: isAccount(fields.refundAccount),
  };
  const told = isYes(fields.skipWebhook) ? 'none' : 'payment_url';
  const outcome = cancelPayment(gateway, payment, request, told);
  if (!outcome.cancelled) return refuseToCancel(ctx, outcome.why, outcome.message);
  const { cancellation } = outcome;
  ctx.state.note?.('accepted', cancellation.id);
  return answer(ctx, { cancellation: v2Cancellation(cancellation) });
}

function refuseToCancel(ctx: RestContext, why: CancelRefusal, message?: string) {
  ctx.state.note?.(why);
  const [status, type] = CANCEL_REFUSALS[why];
  if (why === 'account_missing') return refuse(ctx, status, type, 'refundAccount is required');
  const pg = why === 'pg_refused' ? { pgCode: 'SANDBOX', pgMessage: message ?? '' } : {};
  return refuse(ctx, status, type, message, pg);
}

function isAccount(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ['bank', 'number', 'holderName'].every((key) => textOf(Reflect.get(value, key)) !== null);
}

export function preRegister(gateway: Gateway, ctx: RestContext, id: string) {
  if (gateway.ledger.wasPaid('v2', id)) return refuse(ctx, 409, 'ALREADY_PAID');
  const { fields } = ctx.state;
  const amount = amountOf(fields.totalAmount);
  if (amount !== null && (!Number.isInteger(amount) || amount < 0)) {
    return refuse(ctx, 400, 'INVALID_REQUEST', 'totalAmount is not an integer');
  }
  // Without an amount there is nothing to compare with later.
  if (amount !== null) {
    const currency = textOf(fields.currency) ?? 'KRW';
    gateway.ledger.registered('v2').set(id, { amount, currency });
  }
  return answer(ctx, {});
}

export function closeAccount(gateway: Gateway, ctx: RestContext, id: string) {
  const payment = gateway.ledger.current('v2', id);
  if (payment === null) return refuse(ctx, 404, 'PAYMENT_NOT_FOUND');
  if (payment.account === null || payment.state !== 'ready') {
    return refuse(ctx, 409, 'PAYMENT_NOT_WAITING_FOR_DEPOSIT');
  }
  if (!payment.accountPlan.closable) {
    const pg = { pgCode: 'SANDBOX', pgMessage: CANNOT_CLOSE };
    return refuse(ctx, 502, 'PG_PROVIDER', CANNOT_CLOSE, pg);
  }
  const closedAtMs = gateway.ledger.closeAccount(payment);
  if (closedAtMs === null) return refuse(ctx, 409, 'PAYMENT_NOT_WAITING_FOR_DEPOSIT');
  gateway.courier.announce(payment, payment.accountPlan.closedAs);
  return answer(ctx, { closedAt: new Date(closedAtMs).toISOString() });
}

/** The manual confirm: nothing is charged before this call, and by it once at most. */
export async function confirm(gateway: Gateway, ctx: RestContext, id: string) {
  const attempts = gateway.ledger.attemptsOf('v2', id);
  if (attempts.length === 0) return refuse(ctx, 404, 'PAYMENT_NOT_FOUND');
  const { fields } = ctx.state;
  const paymentToken = textOf(fields.paymentToken);
  if (paymentToken === null) return refuse(ctx, 400, 'INVALID_REQUEST', 'paymentToken is required');
  const outcome = await chargeByToken(gateway, attempts, {
    paymentToken,
    txId: textOf(fields.txId),
    currency: textOf(fields.currency),
    totalAmount: amountOf(fields.totalAmount),
    taxFreeAmount: amountOf(fields.taxFreeAmount),
    isTest: typeof fields.isTest === 'boolean' ? fields.isTest : null,
    skipWebhook: isYes(fields.skipWebhook),
  });
  ctx.state.note?.(outcome.charged ? 'charged' : outcome.why);
  return confirmed(ctx, outcome, gateway.clock());
}

function confirmed(ctx: RestContext, outcome: ChargeOutcome, nowMs: number) {
  if (!outcome.charged) {
    if (outcome.why === 'already_paid') return refuse(ctx, 409, 'ALREADY_PAID');
    if (outcome.why === 'mismatch') return refuse(ctx, 409, 'INFORMATION_MISMATCH');
    if (outcome.why !== 'declined') return refuse(ctx, 400, 'INVALID_PAYMENT_TOKEN');
    const pg = { pgCode: 'SANDBOX', pgMessage: outcome.message };
    return refuse(ctx, 502, 'PG_PROVIDER', outcome.message, pg);
  }
  const { payment } = outcome;
  const { pgTid: pgTxId, paidAtMs } = payment;
  const always = payment.authentication?.plan.paidAtAlways === true ? nowMs : null;
  const atMs = paidAtMs ?? always;
  return answer(ctx, {
    pgTxId,
    ...(atMs === null ? {} : { paidAt: new Date(atMs).toISOString() }),
  });
}

export async function resendWebhook(gateway: Gateway, ctx: RestContext, id: string) {
  const payment = gateway.ledger.current('v2', id);
  if (payment === null) return refuse(ctx, 404, 'PAYMENT_NOT_FOUND');
  const attempts = gateway.ledger.attemptsOf('v2', id);
  const webhooks = attempts.flatMap((attempt) => attempt.webhooks);
  const record = webhookOf(webhooks, textOf(ctx.state.fields.webhookId) ?? undefined);
  const owner = attempts.find((attempt) => record && attempt.webhooks.includes(record));
  if (record === undefined || owner === undefined) return refuse(ctx, 404, 'WEBHOOK_NOT_FOUND');
  if (record.attempts.length >= MAX_SENDS) {
    return refuse(ctx, 400, 'MAX_WEBHOOK_RETRY_COUNT_REACHED');
  }
  await gateway.courier.resend(owner, record);
  return answer(ctx, { webhook: v2Webhook(record) });
}
