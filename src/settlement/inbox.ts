// The inbox: webhooks are stored before they are answered, and worked until they are done.

import pLimit from 'p-limit';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import type { Log } from '../log.ts';
import { backoffMs } from '../payments/backoff.ts';
import { type SettleOptions, settlePayment } from '../payments/settle-payment.ts';
import type { Gateway } from '../portone/gateway.ts';
import { GatewayUnreachable } from '../portone/payment.ts';
import type { PortOne } from '../portone/portone.ts';
import type { WebhookNotice } from './read-webhook.ts';

const sql = { store: loadSql('store_webhooks'), claim: loadSql('claim_webhooks') };

/** Whoever claimed a webhook and died gives it up after this long. */
const CLAIM_MS = 15_000;
/** PortOne may not know a payment yet; after so many tries, over two hours, it never will. */
const UNKNOWN_TRIES_MAX = 30;
const CONCURRENT_MAX = 16;

export interface InboxOptions extends SettleOptions {
  portone: PortOne;
  log: Log;
  onSettled?: (outcome: string) => void;
}

interface Claimed {
  id: number;
  gateway: Gateway;
  paymentId: string | null;
  merchantUid: string | null;
  tries: number;
}

export interface IncomingWebhook {
  notice: WebhookNotice;
  /** The sender's own id of it, where the sender is known. */
  externalId: string | null;
  body: unknown;
}

/** @returns one id a webhook, in their order; null for a repeat that is there already */
export async function storeWebhooks(
  database: Database,
  clock: Clock,
  webhooks: IncomingWebhook[],
): Promise<(number | null)[]> {
  const rows = await database.query<{ id: number | null }>(
    sql.store,
    JSON.stringify(
      webhooks.map(({ notice, externalId, body }, n) => ({ n, ...notice, externalId, body })),
    ),
    clock.now(),
  );
  return rows.map((row) => row.id);
}

/**
 * Works pending webhooks that are due.
 * @param only those that were just stored; without it, whatever is due
 * @returns how many were taken
 */
export async function workInbox(
  options: InboxOptions,
  limit: number,
  only: number[] | null = null,
): Promise<number> {
  const now = options.clock.now();
  const claimed = await options.database.query<Claimed>(
    sql.claim,
    now,
    limit,
    new Date(now.getTime() + CLAIM_MS),
    only,
  );
  const turn = pLimit(CONCURRENT_MAX);
  await Promise.all(sameThing(claimed).map((group) => turn(() => work(options, group))));
  return claimed.length;
}

/** A payment sends several webhooks; one look at it answers them all. */
function sameThing(claimed: Claimed[]): [Claimed, ...Claimed[]][] {
  const groups = new Map<string, [Claimed, ...Claimed[]]>();
  for (const webhook of claimed) {
    const { gateway, paymentId, merchantUid } = webhook;
    const key = JSON.stringify([gateway, paymentId, merchantUid]);
    const group = groups.get(key);
    if (group) group.push(webhook);
    else groups.set(key, [webhook]);
  }
  return [...groups.values()];
}

async function work(options: InboxOptions, group: [Claimed, ...Claimed[]]): Promise<void> {
  const { log } = options;
  const [first] = group;
  const line = { webhookIds: group.map((w) => w.id), paymentId: first.paymentId };
  try {
    const outcome = await outcomeOf(options, first);
    if (outcome === null) {
      await again(options, group);
      log.info(line, 'webhook kept; asked again later');
      return;
    }
    await done(options, group, outcome);
    options.onSettled?.(outcome);
    log.info({ ...line, outcome }, 'webhook settled');
  } catch (error) {
    log.warn({ ...line, error: (error as Error).message }, 'webhook kept; asked again later');
    await again(options, group).catch(() => undefined);
  }
}

/** @returns null where nothing can be said yet */
async function outcomeOf(options: InboxOptions, webhook: Claimed): Promise<string | null> {
  const { gateway, paymentId, merchantUid } = webhook;
  if (paymentId === null || merchantUid === null) return 'ignored';
  // Nobody's order: not worth a question, and no way to make us ask many.
  const known = await options.database.prisma.order.count({ where: { merchantUid } });
  if (known === 0) return 'unknown_order';
  const api = options.portone.api(gateway);
  if (!api) return null;
  try {
    const payment = await api.read({ gateway, paymentId, merchantUid });
    if (payment) return await settlePayment(options, payment);
    return webhook.tries >= UNKNOWN_TRIES_MAX ? 'unknown_payment' : null;
  } catch (error) {
    if (error instanceof GatewayUnreachable) return null;
    throw error;
  }
}

async function done(options: InboxOptions, group: Claimed[], outcome: string): Promise<void> {
  await options.database.prisma.webhook.updateMany({
    where: { id: { in: group.map((w) => w.id) } },
    data: { state: 'done', outcome, doneAt: options.clock.now() },
  });
}

async function again(options: InboxOptions, group: [Claimed, ...Claimed[]]): Promise<void> {
  const at = options.clock.now().getTime() + backoffMs(group[0].tries);
  await options.database.prisma.webhook.updateMany({
    where: { id: { in: group.map((w) => w.id) }, state: 'pending' },
    data: { nextTryAt: new Date(at) },
  });
}
