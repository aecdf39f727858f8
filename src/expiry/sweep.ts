// The sweep: ends holds that nobody was answered for, and overdue ones once PortOne was asked.

import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { type AskOptions, askBeforeRelease } from '../payments/ask-before-release.ts';
import { backoffMs, outageBackoffMs } from '../payments/backoff.ts';
import type { Gateway } from '../portone/gateway.ts';
import { endHolds } from '../seats/end-holds.ts';

const sql = { claim: loadSql('claim_overdue'), unanswered: loadSql('find_unanswered') };

/** Whoever claimed a hold and died gives it up after this long. */
const CLAIM_MS = 20_000;
/** Clocks of two machines may differ by so much before a hold is voided under a live caller. */
const UNANSWERED_GRACE_MS = 1_000;
/**
 * Asked at once, and released together: with the largest orders still well within the time that one
 * statement may take.
 */
const AT_A_TIME = 16;

export type SweepOptions = AskOptions;

export interface SweepResult {
  unanswered: number;
  claimed: number;
  released: number;
  paid: number;
  kept: number;
}

interface Overdue {
  id: string;
  orderId: number;
  paymentId: string;
  merchantUid: string;
  gateway: Gateway;
  asks: number;
}

/**
 * One bounded pass at the clock's present instant; what is left over waits for the next. Holds are
 * claimed, asked about and released a few at a time, so that no release acts on an old answer and
 * no claim runs out under its holder.
 */
export async function sweep(options: SweepOptions, limit: number): Promise<SweepResult> {
  const result: SweepResult = { unanswered: 0, claimed: 0, released: 0, paid: 0, kept: 0 };
  result.unanswered = await endUnanswered(options, Math.min(limit, AT_A_TIME));
  while (result.claimed < limit) {
    const overdue = await claim(
      options.database,
      options.clock.now(),
      Math.min(AT_A_TIME, limit - result.claimed),
    );
    if (overdue.length === 0) break;
    const fates = await decide(options, overdue);
    result.claimed += overdue.length;
    result.paid += fates.paid;
    result.kept += overdue.length - fates.paid - fates.release.length;
    result.released += await release(options, fates.release);
  }
  return result;
}

async function endUnanswered(options: SweepOptions, limit: number): Promise<number> {
  const { database, clock } = options;
  const now = clock.now();
  const before = new Date(now.getTime() - UNANSWERED_GRACE_MS);
  const holds = await database.query<{ id: string; paymentId: string }>(
    sql.unanswered,
    before,
    limit,
  );
  const freed = await endHolds(database.prisma, {
    holds,
    now,
    actor: 'expiry',
    reason: 'unanswered',
    orderStatus: 'pending',
    onlyUnanswered: true,
  });
  const ended = new Set(freed.map((seat) => seat.holdId)).size;
  return ended > 0 && holds.length === limit
    ? ended + (await endUnanswered(options, limit))
    : ended;
}

function claim(database: Database, now: Date, limit: number): Promise<Overdue[]> {
  const until = new Date(now.getTime() + CLAIM_MS);
  return database.query<Overdue>(sql.claim, now, limit, until);
}

async function decide(options: SweepOptions, overdue: Overdue[]) {
  const fates = { paid: 0, release: [] as Overdue[] };
  await Promise.all(
    overdue.map(async (hold) => {
      const fate = await askBeforeRelease(options, hold);
      if (fate === 'kept') await askLater(options, hold, backoffMs(hold.asks));
      if (fate === 'unreachable') await askLater(options, hold, outageBackoffMs(hold.asks));
      if (fate === 'paid') fates.paid += 1;
      if (fate === 'release') fates.release.push(hold);
    }),
  );
  return fates;
}

async function askLater(options: SweepOptions, hold: Overdue, waitMs: number): Promise<void> {
  const at = options.clock.now().getTime() + waitMs;
  await options.database.prisma.hold.updateMany({
    where: { id: hold.id, state: 'held' },
    data: { nextAskAt: new Date(at) },
  });
}

async function release(options: SweepOptions, holds: Overdue[]): Promise<number> {
  const now = options.clock.now();
  const freed = await endHolds(options.database.prisma, {
    // Only while the payment that was asked about still holds the seats.
    holds: holds.map(({ id, paymentId }) => ({ id, paymentId })),
    now,
    actor: 'expiry',
    reason: 'expired',
    orderStatus: 'pending',
    expiredBy: now,
  });
  const ended = new Set(freed.map((seat) => seat.holdId));
  if (ended.size > 0) {
    const paymentIds = holds.filter((hold) => ended.has(hold.id)).map((hold) => hold.paymentId);
    options.log.info({ paymentIds, seats: freed.length }, 'holds expired');
  }
  return ended.size;
}
