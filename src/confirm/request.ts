// Reads a confirm request in any of PortOne's three dialects, told apart by shape.

import { z } from 'zod';
import type { Gateway } from '../portone/gateway.ts';

export interface ConfirmRequest {
  gateway: Gateway;
  /** One attempt to pay: V1 `imp_uid`, V2 `transactionId`. */
  paymentId: string;
  /** The order: V1 `merchant_uid`, V2 `paymentId`. */
  merchantUid: string;
  /** Null where the older V1 variant names none; checked at settlement then. */
  amount: number | null;
  /** The dialect must carry a signature wherever a webhook secret is configured. */
  signed: boolean;
  /** The caller proved who they are; anybody else's payment is looked up after its 200. */
  proven?: boolean;
}

const id = z.string().trim().min(1).max(200);
const AMOUNT_MAX = 2_147_483_647;
const wholeNumber = z.number().int().min(0).max(AMOUNT_MAX);
/** A form body, and some gateways' JSON, write numbers as text. */
const amount = z.union([
  wholeNumber,
  z
    .string()
    .regex(/^\d{1,10}(\.0+)?$/)
    .transform(Number)
    .pipe(wholeNumber),
]);

const v1 = z.object({ imp_uid: id, merchant_uid: id, amount: amount.nullish() }).transform(
  (b): ConfirmRequest => ({
    gateway: 'v1',
    paymentId: b.imp_uid,
    merchantUid: b.merchant_uid,
    amount: b.amount ?? null,
    signed: false,
  }),
);

const v2Early = z.object({ payment_id: id, tx_id: id, total_amount: amount }).transform(
  (b): ConfirmRequest => ({
    gateway: 'v2',
    paymentId: b.tx_id,
    merchantUid: b.payment_id,
    amount: b.total_amount,
    signed: false,
  }),
);

const v2 = z
  .object({
    type: z.literal('Transaction.Confirm'),
    timestamp: z.string(),
    data: z.object({ paymentId: id, transactionId: id, totalAmount: amount }),
  })
  .transform(
    (b): ConfirmRequest => ({
      gateway: 'v2',
      paymentId: b.data.transactionId,
      merchantUid: b.data.paymentId,
      amount: b.data.totalAmount,
      signed: true,
    }),
  );

export type ReadRequest = { ok: true; request: ConfirmRequest } | { ok: false; faults: string[] };

/** @param body the parsed JSON or form; anything at all may arrive here */
export function readConfirmRequest(body: unknown): ReadRequest {
  const dialect = dialectOf(body);
  if (!dialect) {
    return { ok: false, faults: ['the body is none of the three confirm requests of PortOne'] };
  }
  const parsed = dialect.safeParse(body);
  if (parsed.success) return { ok: true, request: parsed.data };
  return {
    ok: false,
    faults: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  };
}

function dialectOf(body: unknown) {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  if ('imp_uid' in body || 'merchant_uid' in body) return v1;
  if ('payment_id' in body || 'tx_id' in body) return v2Early;
  if ('type' in body && 'data' in body) return v2;
  return undefined;
}
