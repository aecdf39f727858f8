/** The organizer's seat-release script: shows what it would give back, asks, and does it. */

import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { SingleBar } from 'cli-progress';
import { Command, CommanderError } from 'commander';
import { systemClock } from '../clock.ts';
import { ConfigError } from '../config.ts';
import { databaseFate } from '../faults/database-errors.ts';
import type { AskOptions } from '../payments/ask-before-release.ts';
import { createPortOne } from '../portone/portone.ts';
import {
  type ReleasedSeat,
  type ReleaseRequest,
  type ReleaseResult,
  releaseSeats,
} from '../release/release.ts';
import { type CommandTools, DatabaseNotReady, withDatabase } from './with-database.ts';

const EXIT = { ok: 0, failed: 1, usage: 2 } as const;
const REASON_MAX_CHARS = 500;
/** A longer list scrolls the question off the screen; `--json` shows all. */
const LISTED_MAX = 40;

interface Options {
  event: string;
  order: string[];
  seat: string[];
  overdue?: true;
  allHeld?: true;
  reason?: string;
  dryRun?: true;
  yes?: true;
  json?: true;
}

type Done = Extract<ReleaseResult, { ok: true }>;

class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
    readonly extra: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

const command = new Command('release')
  .usage('--event SLUG (--order ID... | --seat LABEL... | --overdue | --all-held) --reason TEXT')
  .description('Gives held seats of an event back to the sale. Sold seats are never touched.')
  .requiredOption('--event <slug>', 'the event')
  .option('--order <id>', "an order's held seats (repeatable)", collect, [])
  .option('--seat <label>', 'a held seat, with the rest of its order (repeatable)', collect, [])
  .option('--overdue', 'every hold whose time is over; PortOne is asked about each first')
  .option('--all-held', 'every hold of the event')
  .option('--reason <text>', 'why; kept on the record of every seat (needless with --dry-run)')
  .option('--dry-run', 'show what would be released, and change nothing')
  .option('--yes', 'do not ask')
  .option('--json', 'one JSON object on stdout, and nothing else there')
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration.')
  .allowExcessArguments(false)
  .exitOverride();

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

async function main(options: Options): Promise<number> {
  const request = requestFrom(options);
  if (!options.dryRun && !options.yes && !process.stdin.isTTY) {
    throw new Failure('There is nobody to ask: add --yes, or --dry-run to look only.', EXIT.usage);
  }
  return withDatabase(async (opened) => {
    const tools = askOptionsOf(opened);
    const preview = await attempt(tools, { ...request, dryRun: true });
    if (options.dryRun || preview.seats.length === 0) return finish(options, preview, preview);
    if (!options.json) list('To be released', preview);
    if (options.yes) return finish(options, preview, await withProgress(tools, request));
    if (!(await agreed(preview))) throw new Failure('Nothing was released.');
    return finish(options, preview, await withProgress(tools, asShown(request, preview)));
  }, say);
}

function requestFrom(options: Options): ReleaseRequest {
  const { event, order, seat, overdue, allHeld, dryRun } = options;
  const ways = [order.length > 0, seat.length > 0, overdue, allHeld].filter(Boolean).length;
  if (ways !== 1) {
    throw new Failure('Give one of --order, --seat, --overdue and --all-held.', EXIT.usage);
  }
  const reason = options.reason?.trim() ?? '';
  if (!dryRun && reason === '') {
    throw new Failure('Give a --reason: it is kept on the record of every seat.', EXIT.usage);
  }
  if (reason.length > REASON_MAX_CHARS) {
    throw new Failure(`--reason may have ${REASON_MAX_CHARS} characters.`, EXIT.usage);
  }
  return {
    event,
    orders: [...new Set(order)],
    seats: [...new Set(seat)],
    overdue: overdue ?? false,
    allHeld: allHeld ?? false,
    reason,
  };
}

/** Only what was agreed to: holds made while the question stood there are not part of it. */
function asShown(request: ReleaseRequest, { seats }: Done): ReleaseRequest {
  // What is overdue by now is overdue, and PortOne is asked about each.
  if (request.overdue) return request;
  const orders = [...new Set(seats.map((seat) => seat.merchantUid))];
  return { ...request, allHeld: false, seats: [], orders };
}

// --- the work -------------------------------------------------------------------------------

function askOptionsOf({ config, database, log }: CommandTools): AskOptions {
  const { v1, v2, timeoutMs, testPaymentsAccepted } = config.portone;
  const clock = systemClock;
  const portone = createPortOne({ v1, v2, timeoutMs, clock });
  return { database, clock, log, portone, testPaymentsAccepted };
}

async function attempt(
  tools: AskOptions,
  request: ReleaseRequest,
  onProgress?: (done: number, total: number) => void,
): Promise<Done> {
  const result = await releaseSeats(tools, request, `organizer:cli:${osUser()}`, onProgress);
  if (result.ok) return result;
  if (result.reason === 'unknown_event') throw new Failure(`There is no event ${request.event}.`);
  throw new Failure(`Not in this event: ${result.missing.join(', ')}. Nothing was released.`, 1, {
    missing: result.missing,
  });
}

async function withProgress(tools: AskOptions, request: ReleaseRequest): Promise<Done> {
  if (!process.stderr.isTTY) return attempt(tools, request);
  const bar = new SingleBar({
    format: 'Releasing {bar} {value}/{total} seats, {eta} s left',
    stream: process.stderr,
    hideCursor: true,
  });
  let started = false;
  try {
    return await attempt(tools, request, (done, total) => {
      if (!started) bar.start(total, 0);
      started = true;
      bar.update(done);
    });
  } finally {
    if (started) bar.stop();
  }
}

async function agreed(preview: Done): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D close the prompt without an answer, and that is a no.
  const closed = new Promise<string>((resolve) => prompt.once('close', () => resolve('')));
  const question = prompt.question(`Release ${count(preview.seats, 'seat')}? [y/N] `);
  const reply = await Promise.race([question.catch(() => ''), closed]);
  prompt.close();
  return /^y(es)?$/i.test(reply.trim());
}

// --- what is said ---------------------------------------------------------------------------

function finish(options: Options, preview: Done, done: Done): number {
  const released = new Set(done.seats.map((seat) => seat.label));
  const kept = preview.seats.filter((seat) => !released.has(seat.label));
  const shown = new Map(preview.seats.map((seat, index) => [seat.label, index]));
  const place = ({ label }: ReleasedSeat) => shown.get(label) ?? shown.size;
  done.seats.sort((a, b) => place(a) - place(b));
  // Somebody asked for sold seats by name and got nothing: a script must notice.
  const ok = done.released > 0 || done.sold.length === 0;
  if (options.json) {
    const { dryRun, seats, sold } = done;
    answer({ ok, event: options.event, dryRun, released: done.released, seats, kept, sold });
  } else {
    summarize(options, done, kept);
  }
  return ok ? EXIT.ok : EXIT.failed;
}

function summarize({ event }: Options, done: Done, kept: ReleasedSeat[]): void {
  const orders = new Set(done.seats.map((seat) => seat.merchantUid)).size;
  const what = `${count(done.seats, 'seat')} of ${orders} order${orders === 1 ? '' : 's'}`;
  if (done.dryRun && done.seats.length > 0) list('Would be released', done);
  if (done.seats.length === 0) process.stdout.write(`Nothing of ${event} was released.\n`);
  else if (!done.dryRun) process.stdout.write(`Released ${what} of ${event}.\n`);
  else process.stdout.write(`A dry run: ${what} would be released, nothing was changed.\n`);
  if (kept.length > 0) {
    process.stdout.write(
      `Kept ${labels(kept)}: paid meanwhile, moved on, or PortOne could not be asked.\n`,
    );
  }
  if (done.sold.length > 0) {
    process.stdout.write(
      `Left alone ${labels(done.sold)}: sold. Refund the payment and its seats come back.\n`,
    );
  }
}

function list(title: string, { seats }: Done): void {
  process.stdout.write(`${title}:\n`);
  for (const { label, ticketType, merchantUid } of seats.slice(0, LISTED_MAX)) {
    process.stdout.write(`  ${label.padEnd(24)} ${ticketType.padEnd(16)} order ${merchantUid}\n`);
  }
  const more = seats.length - LISTED_MAX;
  if (more > 0) process.stdout.write(`  ... and ${more} more\n`);
}

function labels(seats: ReleasedSeat[]): string {
  const shown = seats.slice(0, 10).map((seat) => seat.label);
  const more = seats.length > shown.length ? `, ... (${seats.length} in all)` : '';
  return `${shown.join(', ')}${more}`;
}

function count(things: unknown[], name: string): string {
  return `${things.length} ${name}${things.length === 1 ? '' : 's'}`;
}

function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return String(process.getuid?.() ?? 'unknown');
  }
}

// --- failures -------------------------------------------------------------------------------

function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof ConfigError) return new Failure(error.message, EXIT.usage);
  if (error instanceof DatabaseNotReady) return new Failure(error.message);
  const { message, stack } = error as Error;
  if (isUnreachable(error)) return new Failure(`The database cannot be reached: ${message}`);
  return new Failure(stack ?? message);
}

/** What waiting would mend, or what a database says that does not let us in. */
function isUnreachable(error: unknown): boolean {
  const code = String((error as { code?: unknown }).code ?? '');
  // 3D000 no such database, class 28 wrong user or password.
  return databaseFate(error) !== 'fail' || code === '3D000' || code.startsWith('28');
}

function fail(error: unknown): number {
  const json = process.argv.includes('--json');
  if (error instanceof CommanderError) {
    // Commander has printed its help, or its complaint, by itself; help is no failure.
    if (error.exitCode === 0) return EXIT.ok;
    if (json) answer({ ok: false, error: error.message });
    return EXIT.usage;
  }
  const failure = failureOf(error);
  say(failure.message);
  if (json) answer({ ok: false, error: failure.message, ...failure.extra });
  return failure.exitCode;
}

try {
  process.exitCode = await main(command.parse().opts<Options>());
} catch (error) {
  process.exitCode = fail(error);
}
