// Reads a webhook in any of PortOne's shapes; what it does not know, it lets pass.

import { z } from 'zod';
import type { Gateway } from '../portone/gateway.ts';

export type WebhookKind =
  /** Something about a payment: it is asked for. */
  | 'payment'
  | 'dispute_opened'
  | 'dispute_resolved'
  /** A question for /confirm at the wrong address: a 200 would charge without a seat. */
  | 'confirm'
  /** Nothing to settle (billing keys, opened windows, escrow, unknown types): only kept. */
  | 'other';

export interface WebhookNotice {
  gateway: Gateway;
  kind: WebhookKind;
  /** Null where it names no payment. */
  paymentId: string | null;
  merchantUid: string | null;
}

const id = z.string().min(1).max(200);

const v1 = z.object({
  imp_uid: id,
  merchant_uid: id,
  event: z.string().nullish(),
  status: z.unknown().optional(),
  amount: z.unknown().optional(),
});
const v2Early = z.object({
  payment_id: id,
  tx_id: id,
  status: z.string().optional(),
  total_amount: z.unknown().optional(),
});
const v2 = z.object({
  type: z.string(),
  data: z.object({ paymentId: id, transactionId: id }),
});

/** V2's words: `status` in its early shape, `type` after `Transaction.` in the later one. */
const KIND_OF_WORD = new Map<string, WebhookKind>([
  // Before anything was paid or failed; half of a V2 sale's webhooks are these.
  ['Ready', 'other'],
  ['Confirm', 'confirm'],
  ['DisputeCreated', 'dispute_opened'],
  ['DisputeResolved', 'dispute_resolved'],
]);
const TRANSACTION = 'Transaction.';

/** The status that it claims is not believed: the payment itself is asked for. */
export function readWebhook(body: unknown): WebhookNotice {
  return readV1(body) ?? readEarlyV2(body) ?? readV2(body) ?? nothingNamed(body);
}

function readV1(body: unknown): WebhookNotice | null {
  const { data } = v1.safeParse(body);
  if (!data) return null;
  const confirm = data.status === undefined && data.amount !== undefined;
  // Escrow and convenience stores tell their own events under the payment's ids.
  const kind = data.event ? 'other' : confirm ? 'confirm' : 'payment';
  return { gateway: 'v1', kind, paymentId: data.imp_uid, merchantUid: data.merchant_uid };
}

function readEarlyV2(body: unknown): WebhookNotice | null {
  const { data } = v2Early.safeParse(body);
  if (!data) return null;
  // Only the confirm call, which has no status, names an amount.
  const confirm = data.status === undefined && data.total_amount !== undefined;
  const kind = confirm ? 'confirm' : kindOf(data.status ?? '');
  return { gateway: 'v2', kind, paymentId: data.tx_id, merchantUid: data.payment_id };
}

function readV2(body: unknown): WebhookNotice | null {
  const { data: message } = v2.safeParse(body);
  if (!message) return null;
  const { type, data } = message;
  const kind = type.startsWith(TRANSACTION) ? kindOf(type.slice(TRANSACTION.length)) : 'other';
  return { gateway: 'v2', kind, paymentId: data.transactionId, merchantUid: data.paymentId };
}

/** A word that is new to us is asked about: that never harms. */
function kindOf(word: string): WebhookKind {
  return KIND_OF_WORD.get(word) ?? 'payment';
}

/** Fields of V1's events that name no payment of an order; V2 has none of these names. */
const V1_FIELDS = ['imp_uid', 'merchant_uid', 'customer_uid', 'event'];

function nothingNamed(body: unknown): WebhookNotice {
  const looksV1 =
    typeof body === 'object' &&
    body !== null &&
    V1_FIELDS.some((name) => Object.hasOwn(body, name));
  return { gateway: looksV1 ? 'v1' : 'v2', kind: 'other', paymentId: null, merchantUid: null };
}
