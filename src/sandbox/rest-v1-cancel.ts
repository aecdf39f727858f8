/** V1's `POST /payments/cancel`: every refusal of it is an HTTP 200 with a code other than 0. */

import { cancelPayment } from './cancel.ts';
import type { Gateway } from './gateway.ts';
import { addressed } from './request-notes.ts';
import { amountOf, type Fields, isYes, type RestContext, textOf } from './rest.ts';
import { answer, refuse } from './rest-v1-answers.ts';
import { v1Payment } from './rest-v1-shapes.ts';
import type { CancelRefusal } from './types.ts';

const REFUSALS: Record<CancelRefusal, string> = {
  unknown_payment: '취소할 결제건이 존재하지 않습니다.',
  not_paid: '결제완료 상태가 아니어서 취소할 수 없습니다.',
  already_cancelled: '이미 전액취소된 주문입니다.',
  balance_differs: '취소 가능 잔액(checksum)이 일치하지 않습니다.',
  amount_too_large: '취소 가능 금액을 초과하였습니다.',
  invalid_amount: '취소 금액이 올바르지 않습니다.',
  account_missing: '가상계좌 환불에는 환불계좌 정보가 필요합니다.',
  pg_refused: '[PG] 취소가 거절되었습니다.',
};

export function cancel(gateway: Gateway, ctx: RestContext) {
  const { fields } = ctx.state;
  if (textOf(fields.imp_uid) === null && textOf(fields.merchant_uid) === null) {
    return refuse(ctx, 400, 'imp_uid 또는 merchant_uid가 필요합니다.');
  }
  const payment = addressed(gateway, 'v1', ctx);
  if (payment === null) return refuseToCancel(ctx, 'unknown_payment');
  const amount = amountOf(fields.amount);
  const request = {
    // None and 0 both mean all that is left.
    amount: amount === 0 ? null : amount,
    reason: textOf(fields.reason) ?? '',
    expectedBalance: amountOf(fields.checksum),
    requester: 'api' as const,
    accountNamed: isAccount(fields),
  };
  // Silent unless asked, and then only to the console's URL, for payments that had a webhook.
  const told = isYes(fields.enable_webhook) && payment.webhookUrl !== null ? 'console_url' : 'none';
  const outcome = cancelPayment(gateway, payment, request, told);
  if (!outcome.cancelled) return refuseToCancel(ctx, outcome.why, outcome.message);
  ctx.state.note?.('accepted', outcome.cancellation.id);
  return answer(ctx, v1Payment(payment));
}

function refuseToCancel(ctx: RestContext, why: CancelRefusal, message = REFUSALS[why]): void {
  ctx.state.note?.(why);
  refuse(ctx, 200, message);
}

const isAccount = (fields: Fields): boolean =>
  [fields.refund_holder, fields.refund_bank, fields.refund_account].every(
    (value) => textOf(value) !== null,
  );
