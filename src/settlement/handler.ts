// POST /webhook: verified where it can be, stored, and only then answered.

import type { Context, Middleware } from 'koa';
import type { Clock } from '../clock.ts';
import { readBody } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import { addressList } from '../http/source-address.ts';
import type { Log } from '../log.ts';
import type { SignatureChecker } from '../portone/signature.ts';
import type { Mailbox } from './mailbox.ts';
import { readWebhook, type WebhookNotice } from './read-webhook.ts';

export interface WebhookHandlerOptions {
  mailbox: Mailbox;
  clock: Clock;
  log: Log;
  signatures: SignatureChecker;
  bodyMaxBytes: number;
  /** Addresses and ranges that webhooks may come from; undefined: anywhere. */
  sources: string[] | undefined;
}

export function webhookHandler(options: WebhookHandlerOptions): Middleware {
  const { sources, log } = options;
  const fromOurGateway = sources ? addressList(sources) : () => true;
  const tellOfStranger = strangerLog(log, options.clock);
  return async (ctx) => {
    if (!fromOurGateway(ctx.ip)) {
      tellOfStranger(ctx.ip);
      throw new Problem('forbidden', 'webhooks are not taken from your address');
    }
    const body = await readBody(ctx, options.bodyMaxBytes);
    const notice = readWebhook(body.value);
    const verified = verify(ctx, options, body.raw, notice);
    if (notice.kind === 'confirm') throw misdirected(log);
    // An unverified sender must not be able to use up somebody else's id.
    const externalId = verified ? ctx.get('webhook-id') : null;
    const webhookId = await options.mailbox.post({
      notice,
      externalId,
      verified,
      body: body.value,
    });
    const { paymentId, kind } = notice;
    log.info({ webhookId, paymentId, kind, repeat: webhookId === null }, 'webhook stored');
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

/** Any answer but a 200 stops the payment: nobody is charged for a seat that nobody has set aside. */
function misdirected(log: Log): Problem {
  const detail = 'this is a confirm request: set confirm_url to the confirmUrl of the order';
  log.error({ hint: detail }, 'confirm request sent to /webhook, refused');
  return new Problem('invalid_request', detail);
}

const TOLD_EVERY_MS = 60_000;
const STRANGERS_MAX = 1_000;

/** @returns tells of each address once a minute at most, and of so many addresses at most */
export function strangerLog(log: Log, clock: Clock): (address: string) => void {
  /** Oldest first. */
  const toldAt = new Map<string, number>();
  return (address) => {
    const now = clock.now().getTime();
    for (const [other, at] of toldAt) {
      if (now - at < TOLD_EVERY_MS) break;
      toldAt.delete(other);
    }
    if (toldAt.has(address) || toldAt.size >= STRANGERS_MAX) return;
    toldAt.set(address, now);
    log.warn(
      { address, hint: 'WEBHOOK_SOURCE_IPS does not list it; is TRUST_PROXY right?' },
      'webhook refused by its source address',
    );
  };
}
