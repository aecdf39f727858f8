// POST /webhook: verified where it can be, stored, and only then answered.

import type { Context, Middleware } from 'koa';
import { readBody } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import type { Log } from '../log.ts';
import type { SignatureChecker } from '../portone/signature.ts';
import type { Mailbox } from './mailbox.ts';
import { readWebhook, type WebhookNotice } from './read-webhook.ts';

export interface WebhookHandlerOptions {
  mailbox: Mailbox;
  log: Log;
  signatures: SignatureChecker;
  bodyMaxBytes: number;
}

export function webhookHandler(options: WebhookHandlerOptions): Middleware {
  return async (ctx) => {
    const body = await readBody(ctx, options.bodyMaxBytes);
    const notice = readWebhook(body.value);
    const verified = verify(ctx, options, body.raw, notice);
    // An unverified sender must not be able to use up somebody else's id.
    const externalId = verified ? ctx.get('webhook-id') : null;
    const webhookId = await options.mailbox.post({ notice, externalId, body: body.value });
    options.log.info(
      { webhookId, paymentId: notice.paymentId, repeat: webhookId === null },
      'webhook stored',
    );
    ctx.status = 200;
    ctx.body = { stored: true, repeat: webhookId === null };
  };
}

/** @returns whether the sender is known; V1 has no signature, and is read back before it counts */
function verify(
  ctx: Context,
  options: WebhookHandlerOptions,
  raw: string,
  notice: WebhookNotice,
): boolean {
  if (notice.gateway !== 'v2' || !options.signatures.configured) return false;
  const signature = options.signatures.check(raw, ctx.req.headers);
  if (signature === 'valid') return true;
  throw new Problem('unauthorized', `the webhook's signature is ${signature}`);
}
