/** V1's virtual accounts by API: issued, changed, closed. */

import { ZodError } from 'zod';
import type { Gateway } from './gateway.ts';
import type { Payment } from './ledger.ts';
import { type PayPlan, readPayRequest } from './pay-request.ts';
import { providerOf } from './providers.ts';
import { amountOf, type Fields, type RestContext, textOf } from './rest.ts';
import { answer, NO_SUCH_PAYMENT, refuse } from './rest-v1-answers.ts';
import { v1Payment } from './rest-v1-shapes.ts';

const NOT_WAITING = '입금대기 상태의 가상계좌가 아닙니다.';
const KEY_MISSING = 'KG이니시스는 pg_api_key가 필요합니다.';
const UNSUPPORTED = '가상계좌 말소 및 수정을 지원하지 않는 PG사입니다.';
const MAX_MERCHANT_UID_LENGTH = 40;

/** Accounts are issued without a window, hence without a confirm. */
export function issueAccount(gateway: Gateway, ctx: RestContext) {
  const { fields } = ctx.state;
  const merchantUid = textOf(fields.merchant_uid);
  const amount = amountOf(fields.amount);
  const dueAtMs = dueOf(fields);
  if (merchantUid === null || merchantUid.length > MAX_MERCHANT_UID_LENGTH) {
    return refuse(ctx, 400, 'merchant_uid가 올바르지 않습니다.');
  }
  if (amount === null || !Number.isInteger(amount) || amount <= 0) {
    return refuse(ctx, 400, 'amount가 올바르지 않습니다.');
  }
  if (dueAtMs === null || dueAtMs <= gateway.clock()) {
    return refuse(ctx, 400, 'vbank_due가 올바르지 않습니다.');
  }
  for (const name of ['vbank_code', 'vbank_holder']) {
    if (textOf(fields[name]) === null) return refuse(ctx, 400, `${name}가 필요합니다.`);
  }
  const webhookUrl = textOf(fields.notice_url) ?? gateway.settings.webhookUrl;
  const provider = providerOf(textOf(fields.pg));
  const request = { merchantUid, amount, method: 'vbank', provider, confirmUrl: null, webhookUrl };
  const plan = planOf(gateway, request);
  if (plan === null) return refuse(ctx, 400, 'notice_url이 올바르지 않습니다.');
  if (gateway.ledger.obstacle(plan) !== null)
    return refuse(ctx, 200, '이미 결제된 주문번호입니다.');
  const payment = gateway.ledger.open(plan);
  gateway.ledger.issueAccount(payment, dueAtMs - gateway.clock());
  gateway.courier.announce(payment, 'issued');
  return answer(ctx, v1Payment(payment));
}

/** null: what is left to be wrong is the URL. */
function planOf(gateway: Gateway, request: unknown): PayPlan | null {
  try {
    return readPayRequest(request, gateway.settings);
  } catch (error) {
    if (error instanceof ZodError) return null;
    throw error;
  }
}

export function changeAccount(gateway: Gateway, ctx: RestContext, impUid: string) {
  const payment = waiting(gateway, ctx, impUid);
  if (payment === null) return;
  const { fields } = ctx.state;
  const amount = amountOf(fields.amount);
  const dueAtMs = dueOf(fields);
  const badAmount = amount !== null && (!Number.isInteger(amount) || amount <= 0);
  const badDue = textish(fields.vbank_due) && (dueAtMs === null || dueAtMs <= gateway.clock());
  if (badAmount || badDue) return refuse(ctx, 400, 'amount 또는 vbank_due가 올바르지 않습니다.');
  gateway.ledger.changeAccount(payment, { amount, dueAtMs });
  return answer(ctx, v1Payment(payment));
}

export function closeAccount(gateway: Gateway, ctx: RestContext, impUid: string) {
  const payment = waiting(gateway, ctx, impUid);
  if (payment === null) return;
  const key = textOf(ctx.state.fields.pg_api_key ?? ctx.query.pg_api_key);
  if (payment.provider === 'inicis' && key === null) return refuse(ctx, 400, KEY_MISSING);
  gateway.ledger.closeAccount(payment);
  return answer(ctx, v1Payment(payment));
}

/** The payment whose account waits for money, or null with the refusal already written. */
function waiting(gateway: Gateway, ctx: RestContext, impUid: string): Payment | null {
  const payment = gateway.ledger.find('v1', impUid);
  if (payment === null) refuse(ctx, 404, NO_SUCH_PAYMENT);
  else if (payment.account === null || payment.state !== 'ready') refuse(ctx, 400, NOT_WAITING);
  else if (!payment.accountPlan.closable) refuse(ctx, 400, UNSUPPORTED);
  else return payment;
  return null;
}

const textish = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/** `vbank_due` in unix seconds; null when absent or no such number. */
function dueOf(fields: Fields): number | null {
  const due = amountOf(fields.vbank_due);
  return due === null || !Number.isInteger(due) ? null : due * 1_000;
}
