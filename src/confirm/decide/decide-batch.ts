// One batch, one transaction: lock the event, read, judge, write. The only way to make a hold.

import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { Database, Transaction } from '../../db/database.ts';
import { loadSql } from '../../db/sql.ts';
import { StaleRead } from '../../faults/database-errors.ts';
import { loadHoldSeats } from '../../seats/hold-seats.ts';
import { lockSale } from '../../seats/lock.ts';
import type { EnrolledRequest } from '../batch.ts';
import type { StillHeld } from '../repeat.ts';
import { refuse, type SeatView, type Verdict } from '../verdict.ts';
import { type Decision, judge, type Plan } from './judge.ts';
import { readFacts, readMoreSeats } from './read-facts.ts';

const sql = { write: loadSql('write_batch') };

export interface DecideOptions {
  database: Database;
  clock: Clock;
  /** How many free seats are searched at most for a party that wants to sit together. */
  searchWindowMax: number;
}

interface Written {
  claimed: number;
  marked: number;
  moved: number;
  counted: number;
}

/**
 * Decides the requests in their order and commits what was decided before it returns.
 * Safe to be run twice with the same batch: a payment that has a verdict gets that one again.
 * @returns one verdict a request, in the order given
 */
export async function decideBatch(
  options: DecideOptions,
  eventId: number,
  requests: EnrolledRequest[],
): Promise<Verdict[]> {
  return options.database.transaction(async (tx) => {
    const sale = await lockSale(tx, eventId);
    if (!sale) return requests.map(() => refuse('unknown_order'));
    const now = options.clock.now();
    const facts = await readFacts(tx, sale, requests);
    let plan = judge(requests, structuredClone(facts), now, randomUUID);
    while (plan.wantsMoreSeats && (await readMoreSeats(tx, facts, options.searchWindowMax))) {
      plan = judge(requests, structuredClone(facts), now, randomUUID);
    }
    await write(tx, plan, eventId, sale.lastPosition, now);
    return answer(tx, plan.decisions);
  });
}

async function write(
  tx: Transaction,
  plan: Plan,
  eventId: number,
  lastPosition: number,
  now: Date,
): Promise<void> {
  if (plan.verdicts.length === 0) return;
  const doc = JSON.stringify({ holds: plan.holds, moved: plan.moved, verdicts: plan.verdicts });
  const [written] = await tx.$queryRawUnsafe<Written[]>(
    sql.write,
    doc,
    eventId,
    lastPosition,
    plan.positionsUsed,
    now,
    'gateway',
  );
  const wanted: Written = {
    claimed: plan.holds.reduce((sum, hold) => sum + hold.seatIds.length, 0),
    marked: plan.holds.length,
    moved: plan.moved.length,
    counted: 1,
  };
  for (const what of ['claimed', 'marked', 'moved', 'counted'] as const) {
    if (written?.[what] !== wanted[what]) throw new StaleRead(`batch (${what})`);
  }
}

async function answer(tx: Transaction, decisions: Decision[]): Promise<Verdict[]> {
  // New holds know their seats; only those that stood before are read.
  const holdIds = decisions.flatMap((d) => (d.code === 'still_held' && !d.seats ? [d.holdId] : []));
  const seats = await loadHoldSeats(tx, holdIds);
  return decisions.map((d) => (d.code === 'still_held' ? confirmed(d, seats) : d));
}

function confirmed(held: StillHeld, seats: Map<string, SeatView[]>): Verdict {
  return {
    code: 'confirmed',
    position: held.position,
    holdId: held.holdId,
    seats: held.seats ?? seats.get(held.holdId) ?? [],
    holdExpiresAt: held.holdExpiresAt,
  };
}
