/** What the gateway writes to the merchant, word for word, in the three dialects. */

import { Webhook } from 'standardwebhooks';
import type { Payment } from './ledger.ts';
import type { Dialect, GatewayEvent, WebhookRecord } from './types.ts';

export interface Message {
  id: string;
  dialect: Dialect | null;
  contentType: string;
  body: string;
}

export interface ConfirmClaims {
  paymentId: string;
  merchantUid: string;
  amount: number;
  omitAmount: boolean;
  amountAsText: boolean;
  form: boolean;
}

export const STORE_ID = 'store-sandbox';

type Fields = Record<string, unknown>;

export function confirmMessage(
  id: string,
  dialect: Dialect,
  claims: ConfirmClaims,
  atMs: number,
): Message {
  const { paymentId, merchantUid } = claims;
  const amount = claims.omitAmount
    ? undefined
    : claims.amountAsText
      ? String(claims.amount)
      : claims.amount;
  if (dialect === 'v1') {
    const fields = { imp_uid: paymentId, merchant_uid: merchantUid, amount };
    return { id, dialect, ...encode(fields, claims.form) };
  }
  if (dialect === 'v2-2024-01-01') {
    const fields = { payment_id: merchantUid, tx_id: paymentId, total_amount: amount };
    return { id, dialect, ...encode(fields, claims.form) };
  }
  const data = {
    paymentId: merchantUid,
    transactionId: paymentId,
    storeId: STORE_ID,
    totalAmount: amount,
  };
  const timestamp = new Date(atMs).toISOString();
  return { id, dialect, ...encode({ type: 'Transaction.Confirm', timestamp, data }, false) };
}

const V1_STATUS: Partial<Record<GatewayEvent, string>> = {
  issued: 'ready',
  paid: 'paid',
  failed_late: 'failed',
  // Docs name no status of its own for a partial cancel; PortOne's plugin reads `cancelled`.
  partly_cancelled: 'cancelled',
  cancelled: 'cancelled',
};

const V2_STATUS: Record<GatewayEvent, string> = {
  opened: 'Ready',
  issued: 'VirtualAccountIssued',
  paid: 'Paid',
  failed: 'Failed',
  failed_late: 'Failed',
  pending: 'PayPending',
  cancel_pending: 'CancelPending',
  partly_cancelled: 'PartialCancelled',
  cancelled: 'Cancelled',
  dispute_created: 'DisputeCreated',
  dispute_resolved: 'DisputeResolved',
};

/** 2024-01-01 knows no disputes. */
const SINCE_2024_04_25: ReadonlySet<GatewayEvent> = new Set([
  'dispute_created',
  'dispute_resolved',
]);

/** The word on the wire for `event`, or null where the dialect sends nothing about it. */
export function wordFor(dialect: Dialect, event: GatewayEvent): string | null {
  // V1 is silent about opened windows and ordinary failures.
  if (dialect === 'v1') return V1_STATUS[event] ?? null;
  if (dialect === 'v2-2024-04-25') return `Transaction.${V2_STATUS[event]}`;
  return SINCE_2024_04_25.has(event) ? null : V2_STATUS[event];
}

export function webhookMessage(
  id: string,
  payment: Payment,
  says: string,
  cancellationId: string | undefined,
  atMs: number,
): Message {
  const { dialect, paymentId, merchantUid, form } = payment;
  if (dialect === 'v1') {
    const fields = {
      imp_uid: paymentId,
      merchant_uid: merchantUid,
      status: says,
      cancellation_id: cancellationId,
    };
    return { id, dialect, ...encode(fields, form) };
  }
  if (dialect === 'v2-2024-01-01') {
    return {
      id,
      dialect,
      ...encode({ payment_id: merchantUid, tx_id: paymentId, status: says }, form),
    };
  }
  const data = {
    paymentId: merchantUid,
    storeId: STORE_ID,
    transactionId: paymentId,
    cancellationId,
  };
  const timestamp = new Date(atMs).toISOString();
  return { id, dialect, ...encode({ type: says, timestamp, data }, false) };
}

/** The message of a webhook that is on record. */
export function messageOf(payment: Payment, { id, body }: WebhookRecord): Message {
  const { dialect, form } = payment;
  const { contentType } = encode({}, form && dialect !== 'v2-2024-04-25');
  return { id, dialect, contentType, body };
}

export function encode(fields: Fields, form: boolean): Pick<Message, 'contentType' | 'body'> {
  if (!form) return { contentType: 'application/json', body: JSON.stringify(fields) };
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]): [string, string] => [name, String(value)]);
  return {
    contentType: 'application/x-www-form-urlencoded',
    body: new URLSearchParams(pairs).toString(),
  };
}

/** Headers for one attempt. Each attempt is stamped anew: retries reach hours, receivers allow 5 min. */
export function headersFor(
  message: Message,
  secrets: readonly string[],
  atMs: number,
): Record<string, string> {
  const plain = { 'content-type': message.contentType, 'user-agent': 'PortOne-Sandbox' };
  if (message.dialect === 'v1' || secrets.length === 0) return plain;
  return { ...plain, ...signature(message, secrets, atMs) };
}

export function signature(
  message: Pick<Message, 'id' | 'body'>,
  secrets: readonly string[],
  atMs: number,
): Record<string, string> {
  const signatures = secrets.map((secret) =>
    new Webhook(secret).sign(message.id, new Date(atMs), message.body),
  );
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(Math.floor(atMs / 1_000)),
    'webhook-signature': signatures.join(' '),
  };
}
