// V2's answers: a payment, and the errors with their types.

import { z } from 'zod';
import type { HttpAnswer } from './http.ts';
import {
  GatewayUnreachable,
  type PaymentSnapshot,
  type PaymentStatus,
  UnusableAnswer,
} from './payment.ts';

const MESSAGE_MAX = 300;

const paymentBody = z.object({
  status: z.string(),
  id: z.string().min(1),
  transactionId: z.string().min(1),
  amount: z.object({ total: z.number(), cancelled: z.number().nullish() }),
  currency: z.string(),
  channel: z.object({ type: z.string() }).nullish(),
  method: z.object({ type: z.string().nullish(), expiredAt: z.string().nullish() }).nullish(),
  cancellations: z.array(z.object({ status: z.string() })).nullish(),
  paidAt: z.string().nullish(),
});

type V2Payment = z.infer<typeof paymentBody>;

const STATUS: Record<string, PaymentStatus> = {
  READY: 'ready',
  PAY_PENDING: 'pending',
  VIRTUAL_ACCOUNT_ISSUED: 'waiting_deposit',
  PAID: 'paid',
  PARTIAL_CANCELLED: 'paid',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
};

const errorBody = z.object({
  type: z.string().min(1),
  message: z.string().nullish(),
  pgCode: z.string().nullish(),
  pgMessage: z.string().nullish(),
});

export interface V2Error {
  /** In capitals, as `PAYMENT_NOT_FOUND`. */
  type: string;
  message: string;
}

/** @returns null where there is no such payment */
export function paymentFrom(answer: HttpAnswer): PaymentSnapshot | null {
  if (answer.status !== 200) {
    // A page of something in between says nothing about the payment.
    const error = errorOf(answer);
    if (answer.status === 404 && error.type === 'PAYMENT_NOT_FOUND') return null;
    if (answer.status === 400) throw new UnusableAnswer(`PortOne refused: ${error.message}`);
    throw notForUs(error);
  }
  const payment = readPayment(answer.body);
  if (!payment) throw new UnusableAnswer('PortOne sent a payment in an unknown shape');
  return payment;
}

const attemptsBody = z.object({
  items: z.array(z.looseObject({ id: z.string(), paymentId: z.string() })).max(1_000),
});

/** There an attempt goes by its own id, and names the order's. @returns the latest first */
export function attemptsFrom(answer: HttpAnswer): PaymentSnapshot[] {
  if (answer.status !== 200) {
    const error = errorOf(answer);
    if (answer.status === 404 && error.type === 'PAYMENT_NOT_FOUND') return [];
    throw notForUs(error);
  }
  const parsed = attemptsBody.safeParse(answer.body);
  const items = parsed.data?.items ?? [];
  const attempts = items.map((item) =>
    readPayment({ ...item, id: item.paymentId, transactionId: item.id }),
  );
  const known = attempts.filter((attempt) => attempt !== null);
  // To leave one out would say that there was no such attempt.
  if (!parsed.success || known.length < attempts.length) {
    throw new GatewayUnreachable('PortOne sent attempts in an unknown shape');
  }
  return known.reverse();
}

/** @returns null where it is in an unknown shape or status */
export function readPayment(value: unknown): PaymentSnapshot | null {
  const parsed = paymentBody.safeParse(value);
  const status = parsed.success ? STATUS[parsed.data.status] : undefined;
  if (!parsed.success || !status) return null;
  return snapshotOf(parsed.data, isNeverPaid(parsed.data, status) ? 'failed' : status);
}

/** As on V1: an account that was closed before any money came, and nothing of it went back. */
function isNeverPaid({ paidAt, amount, cancellations }: V2Payment, status: PaymentStatus): boolean {
  return status === 'cancelled' && !paidAt && !amount.cancelled && !cancellations?.length;
}

function snapshotOf(payment: V2Payment, status: PaymentStatus): PaymentSnapshot {
  const { amount, channel, method, cancellations } = payment;
  return {
    gateway: 'v2',
    paymentId: payment.transactionId,
    merchantUid: payment.id,
    status,
    amount: amount.total,
    cancelledAmount: amount.cancelled ?? 0,
    currency: payment.currency,
    test: channel?.type === 'TEST',
    method: method?.type ?? null,
    virtualAccount: method?.type === 'PaymentMethodVirtualAccount' || status === 'waiting_deposit',
    depositBy: timeOf(method?.expiredAt),
    cancelPending: cancellations?.some((one) => one.status === 'REQUESTED') ?? false,
    paidAt: timeOf(payment.paidAt),
  };
}

function timeOf(text: string | null | undefined): Date | null {
  const time = new Date(text ?? Number.NaN);
  return Number.isNaN(time.getTime()) ? null : time;
}

/** @throws GatewayUnreachable where PortOne's own answer is not known, or is not about the payment */
export function errorOf(answer: HttpAnswer): V2Error {
  const parsed = errorBody.safeParse(answer.body);
  if (answer.status < 400 || !parsed.success) {
    throw new GatewayUnreachable(`PortOne answered ${answer.status} in an unknown shape`);
  }
  const { type, message, pgCode, pgMessage } = parsed.data;
  // The first call with this key is still at work.
  if (type === 'IDEMPOTENCY_OUTSTANDING_REQUEST') {
    throw new GatewayUnreachable('PortOne is still at it');
  }
  const words = [message, pgCode, pgMessage].filter(Boolean).join(' ');
  return { type, message: `${type} ${words}`.trim().slice(0, MESSAGE_MAX) };
}

/** As errorOf; a door that is shut to us says nothing about what was asked either. */
export function refusalOf(answer: HttpAnswer): V2Error {
  const error = errorOf(answer);
  if (answer.status === 401 || answer.status === 403) throw notForUs(error);
  return error;
}

/** It did answer, but nothing that tells of the payment. */
export function notForUs(error: V2Error): GatewayUnreachable {
  return new GatewayUnreachable(`PortOne refused: ${error.message}`);
}
