// POST /webhook: verified where it can be, stored, and only then answered.

import type { Context, Middleware } from 'koa';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { readBody } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import type { Log } from '../log.ts';
import type { SignatureChecker } from '../portone/signature.ts';
import { storeWebhook } from './inbox.ts';
import { readWebhook, type WebhookNotice } from './read-webhook.ts';

export interface WebhookHandlerOptions {
  database: Database;
  clock: Clock;
  log: Log;
  signatures: SignatureChecker;
  bodyMaxBytes: number;
  /** Tells the workers; the inbox is swept as well, so this may fail. */
  announce: (webhookId: number) => Promise<void>;
}

export function webhookHandler(options: WebhookHandlerOptions): Middleware {
  return async (ctx) => {
    const body = await readBody(ctx, options.bodyMaxBytes);
    const notice = readWebhook(body.value);
    const verified = verify(ctx, options, body.raw, notice);
    const { database, clock, log } = options;
    // An unverified sender must not be able to use up somebody else's id.
    const externalId = verified ? ctx.get('webhook-id') : null;
    const webhookId = await storeWebhook(database, clock, notice, externalId, body.value);
    if (webhookId !== null) {
      options.announce(webhookId).catch((error: Error) => {
        log.warn({ webhookId, error: error.message }, 'webhook left to the sweep');
      });
    }
    log.info(
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
