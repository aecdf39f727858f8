/** Sends a webhook of the tester's own wording, signed rightly, wrongly, too long ago or not at all. */

import type { Gateway } from './gateway.ts';
import { encode, STORE_ID, signature } from './messages.ts';
import type { BillingKeyEvent, ConfirmAnswer, LooseWebhook } from './types.ts';

const TIMEOUT_MS = 30_000;
/** Receivers accept 300 s either way. */
const STALE_MS = 600_000;
const WRONG_SECRET = `whsec_${Buffer.from('not-the-secret-of-this-sandbox!!').toString('base64')}`;

export async function sendLoose(gateway: Gateway, webhook: LooseWebhook): Promise<ConfirmAnswer> {
  const url = webhook.url ?? gateway.settings.webhookUrl;
  if (url === null) throw new TypeError('no webhook URL: name one, here or in the settings');
  const { contentType, body } = encode(webhook.body, webhook.form ?? false);
  const message = { id: webhook.id ?? `msg_${gateway.ids.uuid()}`, body };
  const { forwardedFor } = webhook;
  const headers = {
    'content-type': contentType,
    ...signed(gateway, webhook, message),
    ...(forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }),
  };
  return gateway.outgoing.post({ url, headers, body, timeoutMs: TIMEOUT_MS });
}

/** Other business of the same store, on the same URL. */
export function sendBillingKey(
  gateway: Gateway,
  event: BillingKeyEvent,
  billingKey = `billing-key-${gateway.ids.uuid()}`,
): Promise<ConfirmAnswer> {
  const timestamp = new Date(gateway.clock()).toISOString();
  const data = { billingKey, storeId: STORE_ID };
  const body = { type: `BillingKey.${event}`, timestamp, data };
  return sendLoose(gateway, { body, signature: 'good' });
}

function signed(
  gateway: Gateway,
  { signature: wanted = 'none' }: LooseWebhook,
  message: { id: string; body: string },
): Record<string, string> {
  const now = gateway.clock();
  if (wanted === 'none') return {};
  if (wanted === 'bad') return signature(message, [WRONG_SECRET], now);
  return signature(message, gateway.signing.secrets, wanted === 'stale' ? now - STALE_MS : now);
}
