// The record of reconciliations: each run is written down when it begins and when it ends.

import { z } from 'zod';
import type { Database } from '../db/database.ts';
import type { Finding, Report } from './report.ts';
import type { Tally } from './tally.ts';
import type { Window } from './window.ts';

export interface RunStart extends Window {
  event: string | null;
  askedBy: string;
  dryRun: boolean;
}

const INTERRUPTED = 'interrupted: the process that ran it ended first';

/** Under the turn: whatever is not finished yet never will be. */
export async function beginRun(database: Database, run: RunStart, now: Date): Promise<number> {
  const { reconciliation } = database.prisma;
  await reconciliation.updateMany({
    where: { finishedAt: null },
    data: { finishedAt: now, error: INTERRUPTED },
  });
  const { event: eventSlug, from: fromAt, to: toAt, askedBy, dryRun } = run;
  const made = await reconciliation.create({
    data: { eventSlug, fromAt, toAt, askedBy, dryRun, startedAt: now },
    select: { id: true },
  });
  return made.id;
}

export interface RunEnd {
  id: number;
  run: RunStart;
  tally: Tally;
  complete: boolean;
  error: string | null;
  startedAt: Date;
  now: Date;
}

export async function endRun(database: Database, end: RunEnd): Promise<Report> {
  const { id, run, tally, complete, error, startedAt, now } = end;
  const { compared, foreign, notAsked, findings, left, casesClosed, totals } = tally;
  const more = tally.found - findings.length;
  const agree = complete && tally.agree;
  const rest = { foreign, notAsked, more, left, casesClosed, totals, complete, agree };
  await database.prisma.reconciliation.update({
    where: { id },
    data: {
      finishedAt: now,
      compared,
      error,
      findings: JSON.parse(JSON.stringify({ list: findings, ...rest })),
    },
  });
  return {
    id,
    event: run.event,
    from: run.from.toISOString(),
    to: run.to.toISOString(),
    askedBy: run.askedBy,
    dryRun: run.dryRun,
    startedAt: startedAt.toISOString(),
    finishedAt: now.toISOString(),
    compared,
    findings,
    error,
    ...rest,
  };
}

/** What is written in `findings`; a run that was cut off has none of it. */
const written = z.object({
  list: z.array(z.custom<Finding>()),
  foreign: z.number(),
  notAsked: z.number(),
  more: z.number(),
  left: z.number(),
  casesClosed: z.number(),
  totals: z.array(z.custom<Report['totals'][number]>()),
  complete: z.boolean(),
  agree: z.boolean(),
});

/**
 * Newest first: those of the event, and those of all events with what they found of this one.
 * @param differing only those that found something, in whatever event
 */
export async function listRuns(
  database: Database,
  event: string,
  { limit, differing }: { limit: number; differing: boolean },
): Promise<Report[]> {
  const rows = await database.prisma.reconciliation.findMany({
    where: {
      OR: [{ eventSlug: event }, { eventSlug: null }],
      ...(differing ? { NOT: { findings: { path: ['list'], equals: [] } } } : {}),
    },
    orderBy: { id: 'desc' },
    take: limit,
  });
  return rows.map((row) => {
    const parsed = written.safeParse(row.findings);
    const { list, ...rest } = parsed.success ? parsed.data : NOTHING_WRITTEN;
    const { id, eventSlug, fromAt, toAt, askedBy, dryRun, startedAt, finishedAt } = row;
    const findings = list.filter((finding) => finding.event === event);
    const left = findings.filter((finding) => finding.left).length;
    return {
      ...rest,
      // Of all events: what is left in others is not told to this one, unless it could not be listed.
      ...(eventSlug === null && rest.more === 0 && rest.notAsked === 0
        ? { left, agree: rest.complete && left === 0 }
        : {}),
      id,
      event: eventSlug,
      from: fromAt.toISOString(),
      to: toAt.toISOString(),
      askedBy,
      dryRun,
      startedAt: startedAt.toISOString(),
      finishedAt: finishedAt?.toISOString() ?? null,
      compared: row.compared,
      findings,
      totals: rest.totals.filter((total) => total.event === event),
      error: row.error,
    };
  });
}

const NOTHING_WRITTEN: z.infer<typeof written> = {
  list: [],
  foreign: 0,
  notAsked: 0,
  more: 0,
  left: 0,
  casesClosed: 0,
  totals: [],
  complete: false,
  agree: false,
};
