/** A payment as V1 prints it: unix seconds, 0 where a time does not apply. */

import type { Payment } from './ledger.ts';
import { PROVIDER_NAMES } from './providers.ts';

const seconds = (ms: number | null | undefined): number => Math.floor((ms ?? 0) / 1_000);

export interface Envelope {
  code: number;
  message: string | null;
  response: unknown;
}

export const good = (response: unknown): Envelope => ({ code: 0, message: null, response });

export const bad = (message: string, code = 1): Envelope => ({ code, message, response: null });

/** Approval is awaited, by PayPal for one: `pending`. */
export const v1Status = ({ pending, state }: Payment): string => (pending ? 'pending' : state);

/** The status `cancelled` covers a partial cancel too: `cancel_amount` tells them apart. */
export function v1Payment(payment: Payment): Record<string, unknown> {
  // One that is only under way is not told of.
  const cancelled = payment.cancellations.filter(({ status }) => status === 'succeeded');
  return {
    imp_uid: payment.paymentId,
    merchant_uid: payment.merchantUid,
    pay_method: payment.method,
    channel: 'pc',
    pg_provider: PROVIDER_NAMES[payment.provider].v1,
    emb_pg_provider: null,
    pg_tid: payment.pgTid,
    pg_id: payment.test ? 'INIpayTest' : 'SANDBOX001',
    escrow: false,
    sandbox: payment.test,
    ...cardFields(payment),
    ...accountFields(payment),
    name: payment.orderName,
    amount: payment.amount,
    cancel_amount: payment.cancelledAmount,
    currency: payment.currency,
    buyer_name: '구매자',
    buyer_email: 'buyer@example.com',
    buyer_tel: '010-0000-0000',
    buyer_addr: null,
    buyer_postcode: null,
    custom_data: payment.customData,
    user_agent: 'sandbox',
    status: v1Status(payment),
    started_at: seconds(payment.startedAtMs),
    paid_at: seconds(payment.paidAtMs),
    failed_at: seconds(payment.failedAtMs),
    cancelled_at: seconds(payment.cancelledAtMs),
    fail_reason: payment.failReason,
    cancel_reason: cancelled.at(-1)?.reason ?? null,
    receipt_url: null,
    cancel_history: cancelled.map((cancellation) => ({
      pg_tid: cancellation.pgTid,
      amount: cancellation.amount,
      cancelled_at: seconds(cancellation.doneAtMs),
      reason: cancellation.reason,
      cancellation_id: cancellation.id,
      receipt_url: null,
    })),
    cancel_receipt_urls: [],
    cash_receipt_issued: false,
    customer_uid: null,
    customer_uid_usage: null,
    promotion: null,
  };
}

function cardFields(payment: Payment): Record<string, unknown> {
  const paidByCard = payment.method === 'card' && payment.paidAtMs !== null;
  return {
    apply_num: paidByCard ? payment.pgTid.slice(-8) : null,
    bank_code: null,
    bank_name: null,
    card_code: paidByCard ? '361' : null,
    card_name: paidByCard ? 'BC카드' : null,
    card_quota: 0,
    card_number: paidByCard ? '9430-****-****-0000' : null,
    card_type: paidByCard ? 0 : null,
  };
}

function accountFields(payment: Payment): Record<string, unknown> {
  const account = payment.account;
  return {
    vbank_code: account?.bankCode ?? null,
    vbank_name: account?.bankName ?? null,
    vbank_num: account?.number ?? null,
    vbank_holder: account?.holder ?? null,
    vbank_date: seconds(account?.dueAtMs),
    vbank_issued_at: seconds(account?.issuedAtMs),
  };
}
