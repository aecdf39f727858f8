/** Compares PortOne's books with ours and mends what differs; exit code 0 only when both agree. */

import { userInfo } from 'node:os';
import { SingleBar } from 'cli-progress';
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config.ts';
import { printed } from '../reconciliation/print.ts';
import {
  type ReconcileRequest,
  type ReconcileResult,
  reconcile,
} from '../reconciliation/reconcile.ts';
import type { Report } from '../reconciliation/report.ts';
import { type CommandTools, DatabaseNotReady, withDatabase } from './with-database.ts';

const EXIT = { agree: 0, differ: 1, usage: 2, interrupted: 130 } as const;
/** A scheduled run takes seconds. */
const TURN_WAIT_MS = 60_000;

interface Options {
  event?: string;
  from?: Date;
  to?: Date;
  dryRun?: true;
  json?: true;
}

type Refusal = Extract<ReconcileResult, { ok: false }>;

class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.differ,
  ) {
    super(message);
  }
}

const command = new Command('reconcile')
  .description("Compares PortOne's books with ours and mends what differs, on record.")
  .option('--event <slug>', 'this event only; all of them otherwise')
  .option('--from <time>', 'from when; otherwise the first order, at most 90 days back', instant)
  .option('--to <time>', 'until when; otherwise now', instant)
  .option('--dry-run', 'show what differs, and change nothing')
  .option('--json', 'one JSON object on stdout, and nothing else there')
  .addHelpText(
    'after',
    '\nTimes: 2026-05-01 (midnight UTC) or 2026-05-01T10:00:00+09:00.\n' +
      'Exit codes: 0 both sides agree (after the repairs), 1 differences are left, or found with\n' +
      '--dry-run, or it could not be finished, 2 wrong usage or configuration.',
  )
  .allowExcessArguments(false)
  .exitOverride();

function instant(text: string): Date {
  const shape = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/;
  const time = new Date(text);
  if (shape.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new Failure(`${text} is no time; give 2026-05-01 or 2026-05-01T10:00:00Z.`, EXIT.usage);
}

async function main(options: Options, signal: AbortSignal): Promise<number> {
  const report = await withDatabase((tools) => run(tools, options, signal), say);
  if (options.json) answer(report);
  else process.stdout.write(`${printed(report)}\n`);
  return report.agree ? EXIT.agree : EXIT.differ;
}

async function run(tools: CommandTools, options: Options, signal: AbortSignal): Promise<Report> {
  const request: ReconcileRequest = {
    event: options.event ?? null,
    from: options.from ?? null,
    to: options.to ?? null,
    dryRun: options.dryRun ?? false,
    askedBy: `organizer:cli:${osUser()}`,
  };
  const bar = await progressBar(tools, options);
  const reconcileOptions = { ...tools, signal, onProgress: bar.update };
  try {
    let result = await reconcile(reconcileOptions, request);
    if (!result.ok && result.reason === 'busy') {
      say('Another reconciliation is running; waiting for it.');
      result = await reconcile({ ...reconcileOptions, turnWaitMs: TURN_WAIT_MS }, request);
    }
    if (!result.ok) throw failureOf(result, request);
    return result.report;
  } finally {
    bar.stop();
  }
}

/** Only where somebody watches. What PortOne has is not known before; what we have is. */
async function progressBar({ database }: CommandTools, { event }: Options) {
  const nothing = () => undefined;
  if (!process.stderr.isTTY) return { update: nothing, stop: nothing };
  const where = event === undefined ? {} : { order: { event: { slug: event } } };
  const expected = await database.prisma.payment.count({ where });
  const bar = new SingleBar({
    format: 'Comparing {bar} {value}/{total} payments, {found} differences',
    stream: process.stderr,
    hideCursor: true,
  });
  let started = false;
  return {
    update: (compared: number, found: number) => {
      if (!started) bar.start(expected, 0, { found });
      started = true;
      bar.setTotal(Math.max(expected, compared));
      bar.update(compared, { found });
    },
    stop: () => {
      if (started) bar.stop();
    },
  };
}

function failureOf(refusal: Refusal, { event }: ReconcileRequest): Failure {
  switch (refusal.reason) {
    case 'unknown_event':
      return new Failure(`There is no event ${event}.`);
    case 'wrong_window':
      return new Failure(`Wrong --from or --to: ${refusal.detail}.`, EXIT.usage);
    case 'no_credentials':
      return new Failure('No PortOne credentials are configured.', EXIT.usage);
    case 'busy':
      return new Failure('Another reconciliation is still running; try again later.');
  }
}

function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return String(process.getuid?.() ?? 'unknown');
  }
}

/** The first signal ends the run in order, with a report of what was done; a second at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new Error('interrupted'));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  return controller.signal;
}

function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function fail(error: unknown): number {
  const json = process.argv.includes('--json');
  if (error instanceof CommanderError) {
    // Commander has printed its help, or its complaint, by itself; help is no failure.
    if (error.exitCode === 0) return EXIT.agree;
    if (json) answer({ agree: false, error: error.message });
    return EXIT.usage;
  }
  const { message } = error as Error;
  const known = [Failure, ConfigError, DatabaseNotReady].some((kind) => error instanceof kind);
  say(
    known ? message : `The reconciliation failed: ${message || (error as { code?: string }).code}`,
  );
  if (json) answer({ agree: false, error: message });
  if (error instanceof ConfigError) return EXIT.usage;
  return error instanceof Failure ? error.exitCode : EXIT.differ;
}

try {
  process.exitCode = await main(command.parse().opts<Options>(), interruption());
} catch (error) {
  process.exitCode = fail(error);
}
// The gateway's idle connections would keep a finished program for seconds.
process.exit();
