// The inbox: webhooks are stored before they are answered, and worked until they are done.

import pLimit from 'p-limit';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { databaseFate } from '../faults/database-errors.ts';
import type { Log } from '../log.ts';
import { backoffMs } from '../payments/backoff.ts';
import { type Settled, type SettleOptions, settlePayment } from '../payments/settle-payment.ts';
import type { Gateway } from '../portone/gateway.ts';
import { GatewayUnreachable } from '../portone/payment.ts';
import type { PortOne } from '../portone/portone.ts';
import { noteDispute } from './disputes.ts';
import type { WebhookKind, WebhookNotice } from './read-webhook.ts';

const sql = { store: loadSql('store_webhooks'), claim: loadSql('claim_webhooks') };

/** Whoever claimed a webhook and died gives it up after this long. */
const CLAIM_MS = 15_000;
/** PortOne may not know a payment yet; so long after its webhook, it never will. */
const UNKNOWN_FOR_MS = 7_200_000;
/** While PortOne is away: all that waits is settled within so long of its return. */
const AWAY_WAIT_MAX_MS = 15_000;
const CONCURRENT_MAX = 16;

/** What became of a webhook; kept with it. */
export type InboxOutcome = Settled | 'ignored' | 'unknown_payment' | 'unanswerable';

/** Nothing can be said yet. `away`: PortOne, or the database, did not answer. */
type NotYet = 'away' | 'later';

export interface InboxOptions extends SettleOptions {
  portone: PortOne;
  log: Log;
  config: { portone: { webhookSecrets: string[] } };
  onSettled?: (outcome: InboxOutcome) => void;
}

interface Claimed {
  id: number;
  gateway: Gateway;
  kind: WebhookKind;
  verified: boolean;
  paymentId: string | null;
  merchantUid: string | null;
  tries: number;
  receivedAt: Date;
  happenedAt: string | null;
}

export interface IncomingWebhook {
  notice: WebhookNotice;
  /** The sender's own id of it, where the sender is known. */
  externalId: string | null;
  /** Signed by a secret of ours. */
  verified: boolean;
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
    JSON.stringify(webhooks.map(({ notice, ...rest }, n) => ({ n, ...notice, ...rest }))),
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

/** A payment sends several webhooks; one look at it answers them all. The newest comes first. */
function sameThing(claimed: Claimed[]): [Claimed, ...Claimed[]][] {
  const groups = new Map<string, [Claimed, ...Claimed[]]>();
  for (const webhook of claimed.toSorted((a, b) => b.id - a.id)) {
    const key = JSON.stringify(keyOf(webhook));
    const group = groups.get(key);
    if (group) group.push(webhook);
    else groups.set(key, [webhook]);
  }
  return [...groups.values()];
}

function keyOf({ id, gateway, kind, paymentId, merchantUid }: Claimed): unknown[] {
  if (kind === 'other') return [kind];
  if (kind === 'payment') return [gateway, paymentId, merchantUid];
  // Each dispute has its own time and sender.
  return [kind, id];
}

async function work(options: InboxOptions, group: [Claimed, ...Claimed[]]): Promise<void> {
  const { log } = options;
  const [first] = group;
  const line = { webhookIds: group.map((w) => w.id), paymentId: first.paymentId };
  try {
    const outcome = await outcomeOf(options, first);
    if (outcome === 'away' || outcome === 'later') {
      await again(options, group, outcome);
      log.info({ ...line, outcome }, 'webhook kept; asked again later');
      return;
    }
    await done(options, group, outcome);
    options.onSettled?.(outcome);
    log.info({ ...line, outcome }, 'webhook settled');
  } catch (error) {
    log.warn({ ...line, error: (error as Error).message }, 'webhook kept; asked again later');
    const why = databaseFate(error) === 'fail' ? 'later' : 'away';
    await again(options, group, why).catch(() => undefined);
  }
}

async function outcomeOf(options: InboxOptions, webhook: Claimed): Promise<InboxOutcome | NotYet> {
  const { kind, paymentId, merchantUid } = webhook;
  if (kind === 'other' || paymentId === null || merchantUid === null) return 'ignored';
  // Nobody's order: not worth a question, and no way to make us ask many.
  const known = await options.database.prisma.order.count({ where: { merchantUid } });
  if (known === 0) return 'unknown_order';
  const noted = await noteIfDispute(options, webhook, { paymentId, merchantUid });
  try {
    return await settle(options, webhook, { paymentId, merchantUid }, noted);
  } catch (error) {
    if (error instanceof GatewayUnreachable) return 'away';
    throw error;
  }
}

interface Named {
  paymentId: string;
  merchantUid: string;
}

async function settle(
  options: InboxOptions,
  webhook: Claimed,
  named: Named,
  noted: boolean,
): Promise<InboxOutcome | NotYet> {
  const api = options.portone.api(webhook.gateway);
  const waitedMs = options.clock.now().getTime() - webhook.receivedAt.getTime();
  // Without credentials nobody can be asked; kept a while, for a process that is set up later.
  if (!api) return waitedMs > UNKNOWN_FOR_MS ? 'unanswerable' : 'later';
  const payment = await api.read({ gateway: webhook.gateway, ...named });
  if (!payment) {
    return waitedMs > UNKNOWN_FOR_MS ? 'unknown_payment' : 'later';
  }
  const outcome = await settlePayment(options, payment);
  // V2 may have told of an attempt that it does not show; the one that it shows is the order's.
  if (!noted) {
    const now = await noteIfDispute(options, webhook, named);
    if (!now) await noteIfDispute(options, webhook, payment);
  }
  return outcome;
}

/** @returns false where the payment is not on record yet */
async function noteIfDispute(
  options: InboxOptions,
  { kind, verified, receivedAt, happenedAt }: Claimed,
  { paymentId, merchantUid }: Named,
): Promise<boolean> {
  if (kind !== 'dispute_opened' && kind !== 'dispute_resolved') return true;
  // Stored before there was a secret: its sender could have been known, and was not.
  if (!verified && options.config.portone.webhookSecrets.length > 0) return true;
  const told = Date.parse(happenedAt ?? '');
  // Nothing happened after it was told, nor before there were computers.
  const at = told > 0 && told < receivedAt.getTime() ? new Date(told) : receivedAt;
  return noteDispute(options, { paymentId, merchantUid, step: kind, happenedAt: at, verified });
}

async function done(options: InboxOptions, group: Claimed[], outcome: InboxOutcome): Promise<void> {
  await options.database.prisma.webhook.updateMany({
    where: { id: { in: group.map((w) => w.id) } },
    data: { state: 'done', outcome, doneAt: options.clock.now() },
  });
}

async function again(
  options: InboxOptions,
  group: [Claimed, ...Claimed[]],
  why: NotYet,
): Promise<void> {
  const waitMs = backoffMs(group[0].tries);
  const at =
    options.clock.now().getTime() + Math.min(waitMs, why === 'away' ? AWAY_WAIT_MAX_MS : waitMs);
  await options.database.prisma.webhook.updateMany({
    where: { id: { in: group.map((w) => w.id) }, state: 'pending' },
    data: { nextTryAt: new Date(at) },
  });
}
