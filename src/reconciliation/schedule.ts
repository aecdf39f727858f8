// The scheduled reconciliation: every event, from where the last good run ended, without a gap.

import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import type { PaymentRef } from '../portone/payment.ts';
import { type ReconcileOptions, reconcile } from './reconcile.ts';
import { WINDOW_MAX_MS, type Window } from './window.ts';

const pastSql = loadSql('reconcile_past');

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Again what the last run saw: a payment may be listed late. */
const OVERLAP_MS = HOUR_MS;
const FIRST_MS = DAY_MS;
/** One run's; a longer gap is closed by several. */
const RUN_MAX_MS = 7 * DAY_MS;
/**
 * Once a day it looks back over a week: V2's window is about when a payment was begun, and one that
 * was begun before may have changed without a word. V1's is about when it came to its present status.
 */
const WIDE_EVERY_MS = DAY_MS;
const ASKED_BY = 'schedule';

export interface ScheduleOptions extends ReconcileOptions {
  intervalMs: number;
  /** What is younger is left to its own webhook. */
  settleMs: number;
}

interface Past {
  fromAt: Date;
  toAt: Date;
  startedAt: Date;
  /** It read both sides to the end, but for what it says it owes. */
  good: boolean;
  /** Payments about which it had no answer. */
  owed: PaymentRef[];
}

/** @returns how many runs were made; none where another process made them just now */
export async function reconcileBySchedule(options: ScheduleOptions): Promise<number> {
  const { database, clock, settleMs } = options;
  if (!options.portone.api('v1') && !options.portone.api('v2')) return 0;
  const now = clock.now();
  const past = await pastRuns(database, now);
  const [last] = past;
  if (last && now.getTime() - last.startedAt.getTime() < options.intervalMs / 2) return 0;
  let owed = past.find((run) => run.good)?.owed ?? [];
  let runs = 0;
  for (const window of windowsUntil(new Date(now.getTime() - settleMs), past, now)) {
    const request = { ...window, event: null, dryRun: false, askedBy: ASKED_BY, owed };
    const result = await reconcile(options, request);
    if (!result.ok) {
      options.log.info({ reason: result.reason }, 'reconciliation left to the next interval');
      break;
    }
    runs += 1;
    // The rest is for the next interval, which begins again where the last good run ended.
    if (!result.report.complete || result.report.more > 0) break;
    owed = result.report.findings.filter((finding) => finding.repair === 'failed');
  }
  return runs;
}

/** @param past newest first */
export function windowsUntil(to: Date, past: Past[], now: Date): Window[] {
  const windows: Window[] = [];
  const end = to.getTime();
  let from = startOf(end, past, now);
  while (from < end) {
    const next = Math.min(from + RUN_MAX_MS, end);
    windows.push({ from: new Date(from), to: new Date(next) });
    from = next;
  }
  return windows;
}

function startOf(end: number, past: Past[], now: Date): number {
  const good = past.filter((run) => run.good);
  if (good.length === 0) return end - FIRST_MS;
  const reached = Math.max(...good.map((run) => run.toAt.getTime())) - OVERLAP_MS;
  const from = Math.max(reached, end - WINDOW_MAX_MS);
  const isWide = (run: Past) => run.toAt.getTime() - run.fromAt.getTime() >= RUN_MAX_MS;
  const wide = good.find(isWide);
  const isWideDue = !wide || now.getTime() - wide.startedAt.getTime() > WIDE_EVERY_MS;
  return isWideDue ? Math.min(from, end - RUN_MAX_MS) : from;
}

function pastRuns(database: Database, now: Date): Promise<Past[]> {
  const since = new Date(now.getTime() - 2 * WIDE_EVERY_MS);
  return database.query(pastSql, ASKED_BY, since, RUN_MAX_MS);
}
