// Reads a webhook in any of PortOne's shapes; what it does not know, it lets pass.

import { z } from 'zod';
import type { Gateway } from '../portone/gateway.ts';

export interface WebhookNotice {
  gateway: Gateway;
  /** Null for what concerns no payment (billing keys, unknown types). */
  paymentId: string | null;
  merchantUid: string | null;
}

const id = z.string().min(1).max(200);

const v1 = z.object({ imp_uid: id, merchant_uid: id });
const v2Early = z.object({ payment_id: id, tx_id: id, status: z.string().optional() });
const v2 = z.object({
  type: z.string(),
  data: z.object({ paymentId: id, transactionId: id }),
});

const NOTHING_PAID: WebhookNotice = { gateway: 'v2', paymentId: null, merchantUid: null };

/**
 * V2 tells each opening of its payment window, before anything was paid or failed. There is
 * nothing to settle, so PortOne is not asked; half of a V2 sale's webhooks are these.
 */
const WINDOW_OPENED = ['Transaction.Ready', 'Ready'];

/** The status that it claims is not believed: the payment itself is asked for. */
export function readWebhook(body: unknown): WebhookNotice {
  const asV1 = v1.safeParse(body);
  if (asV1.success) {
    return { gateway: 'v1', paymentId: asV1.data.imp_uid, merchantUid: asV1.data.merchant_uid };
  }
  const asEarly = v2Early.safeParse(body);
  if (asEarly.success && WINDOW_OPENED.includes(asEarly.data.status ?? '')) return NOTHING_PAID;
  if (asEarly.success) {
    return { gateway: 'v2', paymentId: asEarly.data.tx_id, merchantUid: asEarly.data.payment_id };
  }
  const asV2 = v2.safeParse(body);
  if (asV2.success && WINDOW_OPENED.includes(asV2.data.type)) return NOTHING_PAID;
  if (asV2.success) {
    const { transactionId, paymentId } = asV2.data.data;
    return { gateway: 'v2', paymentId: transactionId, merchantUid: paymentId };
  }
  const looksV1 = typeof body === 'object' && body !== null && 'imp_uid' in body;
  return { gateway: looksV1 ? 'v1' : 'v2', paymentId: null, merchantUid: null };
}
