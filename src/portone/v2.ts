// PortOne's V2 REST API: payments, cancellation, registration of amounts.

import { z } from 'zod';
import { createPortOneHttp, type HttpAnswer, type PortOneHttpOptions } from './http.ts';
import {
  type CancelResult,
  GatewayUnreachable,
  type PaymentApi,
  type PaymentSnapshot,
  type PaymentStatus,
} from './payment.ts';

export interface V2Options extends PortOneHttpOptions {
  secret: string;
}

const paymentBody = z.object({
  status: z.string(),
  id: z.string(),
  transactionId: z.string(),
  amount: z.object({ total: z.number(), cancelled: z.number().nullish() }),
  currency: z.string(),
  channel: z.object({ type: z.string() }).nullish(),
  method: z.object({ type: z.string().nullish(), expiredAt: z.string().nullish() }).nullish(),
});

type V2Payment = z.infer<typeof paymentBody>;

const STATUS: Record<string, PaymentStatus> = {
  READY: 'ready',
  PAY_PENDING: 'ready',
  VIRTUAL_ACCOUNT_ISSUED: 'waiting_deposit',
  PAID: 'paid',
  PARTIAL_CANCELLED: 'paid',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
};

const errorBody = z.object({ type: z.string(), message: z.string().nullish() });
const cancelBody = z.object({ cancellation: z.object({ status: z.string() }) });

export function createV2Api(options: V2Options): PaymentApi {
  const http = createPortOneHttp(options);
  const headers = { authorization: `PortOne ${options.secret}` };
  const read = async (merchantUid: string) =>
    snapshotFrom(await http.get(`/payments/${encodeURIComponent(merchantUid)}`, headers));
  return {
    // V2 knows orders, not attempts: what it tells is the latest attempt, or the paid one.
    read: ({ merchantUid }) => read(merchantUid),
    readPaidOfOrder: async (merchantUid) => {
      const payment = await read(merchantUid);
      return payment?.status === 'paid' ? payment : null;
    },
    cancel: async (payment, reason) => {
      const path = `/payments/${encodeURIComponent(payment.merchantUid)}/cancel`;
      const left = payment.amount - payment.cancelledAmount;
      const key = `"seatline-refund-${payment.paymentId}-${payment.cancelledAmount}"`;
      return cancelResultFrom(
        await http.post(
          path,
          { reason, currentCancellableAmount: left },
          { ...headers, 'idempotency-key': key },
        ),
      );
    },
    register: async (merchantUid, amount, currency) => {
      const path = `/payments/${encodeURIComponent(merchantUid)}/pre-register`;
      const answer = await http.post(path, { totalAmount: amount, currency }, headers);
      if (answer.status >= 400)
        throw new GatewayUnreachable(`PortOne refused: ${messageOf(answer)}`);
    },
  };
}

function snapshotFrom(answer: HttpAnswer): PaymentSnapshot | null {
  if (answer.status === 404) return null;
  if (answer.status !== 200) throw new GatewayUnreachable(`PortOne refused: ${messageOf(answer)}`);
  const parsed = paymentBody.safeParse(answer.body);
  const status = parsed.success ? STATUS[parsed.data.status] : undefined;
  if (!parsed.success || !status) {
    throw new GatewayUnreachable('PortOne sent a payment in an unknown shape');
  }
  return snapshotOf(parsed.data, status);
}

function snapshotOf(payment: V2Payment, status: PaymentStatus): PaymentSnapshot {
  return {
    gateway: 'v2',
    paymentId: payment.transactionId,
    merchantUid: payment.id,
    status,
    amount: payment.amount.total,
    cancelledAmount: payment.amount.cancelled ?? 0,
    currency: payment.currency,
    test: payment.channel?.type === 'TEST',
    method: payment.method?.type ?? null,
    depositBy: payment.method?.expiredAt ? new Date(payment.method.expiredAt) : null,
  };
}

function cancelResultFrom(answer: HttpAnswer): CancelResult {
  const done = cancelBody.safeParse(answer.body);
  if (answer.status === 200 && done.success) {
    const { status } = done.data.cancellation;
    if (status === 'SUCCEEDED') return { outcome: 'done' };
    if (status === 'REQUESTED') return { outcome: 'pending' };
    return { outcome: 'refused', message: `cancellation ${status}` };
  }
  const error = errorBody.safeParse(answer.body);
  if (error.success && error.data.type === 'PAYMENT_ALREADY_CANCELLED') return { outcome: 'done' };
  if (error.success && error.data.type === 'IDEMPOTENCY_OUTSTANDING_REQUEST') {
    return { outcome: 'pending' };
  }
  return { outcome: 'refused', message: messageOf(answer) };
}

function messageOf(answer: HttpAnswer): string {
  const error = errorBody.safeParse(answer.body);
  return error.success
    ? `${error.data.type} ${error.data.message ?? ''}`.trim()
    : `${answer.status}`;
}
