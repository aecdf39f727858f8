// V1's answers: the envelope around everything, and a payment in it.

import { z } from 'zod';
import type { HttpAnswer } from './http.ts';
import {
  GatewayUnreachable,
  type PaymentSnapshot,
  type PaymentStatus,
  UnusableAnswer,
} from './payment.ts';

const MESSAGE_MAX = 300;
/** V1 tells whole seconds: whatever was paid within one was paid by its end. */
const SECOND_ENDS_MS = 999;

const envelope = z.object({
  code: z.number(),
  message: z.string().nullish(),
  response: z.unknown(),
});

const paymentBody = z.object({
  imp_uid: z.string().min(1),
  merchant_uid: z.string(),
  status: z.enum(['ready', 'pending', 'paid', 'failed', 'cancelled']),
  amount: z.number(),
  cancel_amount: z.number().nullish(),
  cancel_history: z.array(z.object({ amount: z.number() })).nullish(),
  currency: z.string().nullish(),
  sandbox: z.boolean().nullish(),
  pay_method: z.string().nullish(),
  vbank_date: z.number().nullish(),
  /** 0 unless it was paid. */
  paid_at: z.number().nullish(),
});

type V1Payment = z.infer<typeof paymentBody>;

export type V1Content =
  | { refused: false; response: unknown }
  /** There are no codes to tell one refusal from another; the message is the provider's own. */
  | { refused: true; message: string };

/** A `code` other than 0 is a refusal even at HTTP 200. */
export function openEnvelope(answer: HttpAnswer): V1Content {
  const parsed = envelope.safeParse(answer.body);
  if (!parsed.success) throw new GatewayUnreachable('PortOne answered in an unknown shape');
  const { code, message, response } = parsed.data;
  if (code === 0 && answer.status < 400) return { refused: false, response };
  return { refused: true, message: (message ?? `code ${code}`).slice(0, MESSAGE_MAX) };
}

export function contentOf(answer: HttpAnswer): unknown {
  const content = openEnvelope(answer);
  if (content.refused) throw new GatewayUnreachable(`PortOne refused: ${content.message}`);
  return content.response;
}

/** As contentOf, where it is the payments asked about that were refused or cannot be read. */
export function tellingOf(answer: HttpAnswer): unknown {
  // Too long, perhaps. A page of something in between has another status, and says nothing.
  if (answer.status < 300 && !envelope.safeParse(answer.body).success) {
    throw new UnusableAnswer('PortOne answered in an unknown shape');
  }
  const content = openEnvelope(answer);
  if (content.refused) throw new UnusableAnswer(`PortOne refused: ${content.message}`);
  return content.response;
}

/** Of several that were asked for some are missing: whatever the code, the others are there. */
export function partOf(answer: HttpAnswer): unknown {
  const parsed = envelope.safeParse(answer.body);
  return parsed.success ? parsed.data.response : null;
}

/** @returns true where PortOne itself says so, and not a page of something in between */
export function isNotFound(answer: HttpAnswer): boolean {
  return answer.status === 404 && openEnvelope(answer).refused;
}

/** @returns null where there is no such payment */
export function paymentFrom(answer: HttpAnswer): PaymentSnapshot | null {
  if (isNotFound(answer)) return null;
  const payment = readPayment(tellingOf(answer));
  if (!payment) throw new UnusableAnswer('PortOne sent a payment in an unknown shape');
  return payment;
}

/** @returns null where it is in an unknown shape */
export function readPayment(value: unknown): PaymentSnapshot | null {
  const parsed = paymentBody.safeParse(value);
  return parsed.success ? snapshotOf(parsed.data) : null;
}

function snapshotOf(payment: V1Payment): PaymentSnapshot {
  return {
    gateway: 'v1',
    paymentId: payment.imp_uid,
    merchantUid: payment.merchant_uid,
    ...moneyOf(payment),
    amount: payment.amount,
    currency: payment.currency ?? 'KRW',
    test: payment.sandbox ?? false,
    method: payment.pay_method ?? null,
    virtualAccount: payment.pay_method === 'vbank',
    depositBy: payment.vbank_date ? new Date(payment.vbank_date * 1_000) : null,
    // V1 does not tell of cancellations under way: they are seen once they are done.
    cancelPending: false,
    paidAt: payment.paid_at ? new Date(payment.paid_at * 1_000 + SECOND_ENDS_MS) : null,
  };
}

function moneyOf(payment: V1Payment): { status: PaymentStatus; cancelledAmount: number } {
  const cancelled = cancelledOf(payment);
  if (payment.status !== 'cancelled') {
    return { status: statusOf(payment), cancelledAmount: cancelled ?? 0 };
  }
  // An account that was closed before any money came.
  if (isNeverPaid(payment, cancelled)) return { status: 'failed', cancelledAmount: 0 };
  // `cancelled` is said of a partial cancellation too; the amounts tell them apart. Without any
  // figure its word is taken for the whole.
  const cancelledAmount = cancelled ?? payment.amount;
  return { status: cancelledAmount < payment.amount ? 'paid' : 'cancelled', cancelledAmount };
}

/** @returns null where there is no figure at all */
function cancelledOf({ cancel_amount, cancel_history }: V1Payment): number | null {
  if (typeof cancel_amount === 'number') return cancel_amount;
  if (cancel_history?.length) return cancel_history.reduce((sum, part) => sum + part.amount, 0);
  return null;
}

/** Nothing went back, and no time of payment is told: to call it paid would sell seats for nothing. */
function isNeverPaid({ paid_at }: V1Payment, cancelled: number | null): boolean {
  if (paid_at) return false;
  return cancelled === 0 || (cancelled === null && paid_at === 0);
}

function statusOf({ status, pay_method }: V1Payment): PaymentStatus {
  return status === 'ready' && pay_method === 'vbank' ? 'waiting_deposit' : status;
}
