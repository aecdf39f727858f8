// Compares PortOne's books with ours for a window and mends what differs, by settling it anew.

import type { Log } from '../log.ts';
import type { SettleOptions } from '../payments/settle-payment.ts';
import { GATEWAYS } from '../portone/gateway.ts';
import { GatewayUnreachable, type PaymentRef } from '../portone/payment.ts';
import type { PortOne } from '../portone/portone.ts';
import { beginRun, endRun, type RunStart } from './record.ts';
import type { Report } from './report.ts';
import { Tally } from './tally.ts';
import { Turn } from './turn.ts';
import { Walk, type WalkWindow, WrongBooks } from './walk.ts';
import { windowOf } from './window.ts';

export interface ReconcileOptions extends SettleOptions {
  portone: PortOne;
  log: Log;
  /** Ends the run early, in order. */
  signal?: AbortSignal;
  /** How long another run may be waited for; 0 unless told. */
  turnWaitMs?: number;
  /** Payments compared, and differences found, so far. */
  onProgress?: (compared: number, found: number) => void;
}

export interface ReconcileRequest {
  /** Null: every event. */
  event: string | null;
  /** Null: from the first order on, at most 90 days back. */
  from: Date | null;
  /** Null: until now. */
  to: Date | null;
  dryRun: boolean;
  /** `schedule`, or `organizer:...`. */
  askedBy: string;
  /** Asked about by name as well: an earlier run had no answer about them. */
  owed?: PaymentRef[];
}

export type ReconcileResult =
  /** Also of a run that ended early: then its report has an `error`. */
  | { ok: true; report: Report }
  | { ok: false; reason: 'unknown_event' }
  /** Nobody can be asked. */
  | { ok: false; reason: 'no_credentials' }
  | { ok: false; reason: 'wrong_window'; detail: string }
  /** Another run has the turn. */
  | { ok: false; reason: 'busy' };

/** @throws what the database throws */
export async function reconcile(
  options: ReconcileOptions,
  request: ReconcileRequest,
): Promise<ReconcileResult> {
  const { database, clock } = options;
  if (!GATEWAYS.some((gateway) => options.portone.api(gateway))) {
    return { ok: false, reason: 'no_credentials' };
  }
  const { event: slug } = request;
  const event = slug === null ? null : await database.prisma.event.findUnique({ where: { slug } });
  if (slug !== null && !event) return { ok: false, reason: 'unknown_event' };
  const eventId = event?.id ?? null;
  const window = await windowOf(database, { ...request, eventId }, clock.now());
  if (typeof window === 'string') return { ok: false, reason: 'wrong_window', detail: window };
  const turn = await Turn.take(database.url, options.turnWaitMs ?? 0);
  if (!turn) return { ok: false, reason: 'busy' };
  try {
    const start = { ...request, ...window, owed: request.owed ?? [] };
    return { ok: true, report: await run(options, start, eventId, turn) };
  } finally {
    await turn.end();
  }
}

async function run(
  options: ReconcileOptions,
  start: RunStart & { owed: PaymentRef[] },
  eventId: number | null,
  turn: Turn,
): Promise<Report> {
  const { database, clock, log } = options;
  const startedAt = clock.now();
  const id = await beginRun(database, start, startedAt);
  const tally = new Tally();
  let failure: unknown;
  try {
    for (const gateway of GATEWAYS) {
      const owed = start.owed.filter((ref) => ref.gateway === gateway);
      await compareGateway(options, { ...start, gateway, eventId, owed }, turn, tally);
    }
  } catch (error) {
    failure = error;
  }
  const error = failure === undefined ? unanswered(tally) : (failure as Error).message;
  const complete = failure === undefined;
  const end = { id, run: start, tally, complete, error, startedAt, now: clock.now() };
  const report = await endRun(database, end).catch((unwritten: unknown) => {
    throw failure ?? unwritten;
  });
  const { compared, left, agree } = report;
  const line = { id, event: start.event, compared, found: tally.found, left, agree, error };
  if (error === null) log.info(line, 'reconciled');
  else log.warn(line, 'reconciliation not done');
  if (failure !== undefined && !isExpected(failure, options.signal)) throw failure;
  return report;
}

interface GatewayRun extends RunStart, WalkWindow {}

async function compareGateway(
  options: ReconcileOptions,
  run: GatewayRun,
  turn: Turn,
  tally: Tally,
): Promise<void> {
  const api = options.portone.api(run.gateway);
  if (!api) {
    for await (const refs of turn.toRead(run)) tally.notAsked += refs.length;
    return;
  }
  const { signal, onProgress = () => undefined } = options;
  const { dryRun } = run;
  await new Walk({ ...options, turn, tally, dryRun, signal, onProgress }, api, run).run();
}

function unanswered({ failed }: Tally): string | null {
  if (failed === 0) return null;
  return `${failed} payment${failed === 1 ? '' : 's'} could not be compared`;
}

function isExpected(error: unknown, signal: AbortSignal | undefined): boolean {
  if (error instanceof GatewayUnreachable || error instanceof WrongBooks) return true;
  return signal?.aborted === true && error === signal.reason;
}
