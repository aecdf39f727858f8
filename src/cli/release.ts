/** The organizer's seat-release script: shows what it would give back, asks, and does it. */

import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import type { AskOptions } from '../payments/ask-before-release.ts';
import { askForRefund } from '../refunds/ask-for-refund.ts';
import {
  type ReleasedSeat,
  type ReleaseRequest,
  type ReleaseResult,
  releaseSeats,
} from '../release/release.ts';
import {
  agreed,
  answer,
  collect,
  commandActor,
  EXIT,
  Failure,
  needSomebodyToAsk,
  print,
  runCommand,
  say,
} from './command.ts';
import { withDatabase } from './with-database.ts';

const REASON_MAX_CHARS = 500;
/** A longer list scrolls the question off the screen; `--json` shows all. */
const LISTED_MAX = 40;

interface Options {
  event: string;
  order: string[];
  seat: string[];
  overdue?: true;
  allHeld?: true;
  refund?: true;
  reason?: string;
  dryRun?: true;
  yes?: true;
  json?: true;
}

type Done = Extract<ReleaseResult, { ok: true }>;

const command = new Command('release')
  .usage('--event SLUG (--order ID... | --seat LABEL... | --overdue | --all-held) --reason TEXT')
  .description(
    'Gives held seats of an event back to the sale. Sold seats only with --refund, once their\n' +
      'money is back.',
  )
  .requiredOption('--event <slug>', 'the event')
  .option('--order <id>', "an order's held seats (repeatable)", collect, [])
  .option('--seat <label>', 'a held seat, with the rest of its order (repeatable)', collect, [])
  .option('--overdue', 'every hold whose time is over; PortOne is asked about each first')
  .option('--all-held', 'every hold of the event')
  .option('--refund', 'sold seats that are named too: their money goes back first')
  .option('--reason <text>', 'why; kept on the record of every seat (needless with --dry-run)')
  .option('--dry-run', 'show what would be released, and change nothing')
  .option('--yes', 'do not ask')
  .option('--json', 'one JSON object on stdout, and nothing else there')
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration.')
  .allowExcessArguments(false)
  .exitOverride();

async function main(options: Options): Promise<number> {
  const wanted = requestFrom(options);
  needSomebodyToAsk(options);
  return withDatabase(async (tools) => {
    const request = { ...wanted, refund: options.refund && askForRefund(tools) };
    const preview = await attempt(tools, { ...request, dryRun: true });
    const nothing = preview.seats.length + (preview.refunds ?? []).length === 0;
    if (options.dryRun || nothing) return finish(options, preview, preview);
    if (!options.json) listAll('To be', preview);
    if (options.yes) return finish(options, preview, await withProgress(tools, request));
    if (!(await agreed(question(preview)))) throw new Failure('Nothing was released.');
    return finish(options, preview, await withProgress(tools, asShown(request, preview)));
  }, say);
}

function requestFrom(options: Options): ReleaseRequest {
  const { event, order, seat, overdue, allHeld, refund, dryRun } = options;
  const ways = [order.length > 0, seat.length > 0, overdue, allHeld].filter(Boolean).length;
  if (ways !== 1) {
    throw new Failure('Give one of --order, --seat, --overdue and --all-held.', EXIT.usage);
  }
  if (refund && order.length + seat.length === 0) {
    throw new Failure('--refund needs an --order or a --seat: sold seats are named.', EXIT.usage);
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
    // A dry run keeps nothing on record.
    reason: reason || 'dry run',
  };
}

/** Only what was agreed to: holds made while the question stood there are not part of it. */
function asShown(request: ReleaseRequest, { seats, refunds = [] }: Done): ReleaseRequest {
  // What is overdue by now is overdue, and PortOne is asked about each.
  if (request.overdue) return request;
  const onlyOrders = [...new Set([...seats, ...refunds].map((shown) => shown.merchantUid))];
  return { ...request, onlyOrders };
}

// --- the work -------------------------------------------------------------------------------

async function attempt(
  tools: AskOptions,
  request: ReleaseRequest,
  onProgress?: (done: number, total: number) => void,
): Promise<Done> {
  const result = await releaseSeats(tools, request, commandActor(), onProgress);
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

function question(preview: Done): string {
  const seats = preview.seats.length > 0 ? [`Release ${count(preview.seats, 'seat')}`] : [];
  const refunds = preview.refunds ?? [];
  const money = refunds.length > 0 ? [`refund ${count(refunds, 'order')}`] : [];
  return `${[...seats, ...money].join(' and ')}?`;
}

// --- what is said ---------------------------------------------------------------------------

function finish(options: Options, preview: Done, done: Done): number {
  const released = new Set(done.seats.map((seat) => seat.label));
  const kept = preview.seats.filter((seat) => !released.has(seat.label));
  const shown = new Map(preview.seats.map((seat, index) => [seat.label, index]));
  const place = ({ label }: ReleasedSeat) => shown.get(label) ?? shown.size;
  done.seats.sort((a, b) => place(a) - place(b));
  // Somebody asked for sold seats by name and got nothing: a script must notice.
  const refunds = done.refunds ?? [];
  const ok = done.released > 0 || refunds.length > 0 || done.sold.length === 0;
  if (options.json) {
    const { dryRun, seats, sold } = done;
    const asked = options.refund ? { refunds, refused: done.refused ?? [] } : {};
    const told = { ok, event: options.event, dryRun, released: done.released };
    answer({ ...told, seats, kept, sold, ...asked });
  } else {
    summarize(options, done, kept);
  }
  return ok ? EXIT.ok : EXIT.failed;
}

function summarize({ event }: Options, done: Done, kept: ReleasedSeat[]): void {
  const orders = new Set(done.seats.map((seat) => seat.merchantUid)).size;
  const what = `${count(done.seats, 'seat')} of ${orders} order${orders === 1 ? '' : 's'}`;
  if (done.dryRun) listAll('Would be', done);
  if (done.seats.length === 0) print(`Nothing of ${event} was released.`);
  else if (!done.dryRun) print(`Released ${what} of ${event}.`);
  else print(`A dry run: ${what} would be released, nothing was changed.`);
  if (kept.length > 0) {
    print(`Kept ${labels(kept)}: paid meanwhile, moved on, or PortOne could not be asked.`);
  }
  for (const { id, merchantUid, amount, seats } of done.refunds ?? []) {
    if (id === null) continue;
    print(`Refund ${id}: ${won(amount)} of order ${merchantUid}, then ${seats.join(', ')}.`);
  }
  for (const { merchantUid, detail } of done.refused ?? []) {
    print(`No refund of order ${merchantUid}: ${detail}.`);
  }
  if (done.sold.length > 0 && !done.refused) {
    print(`Left alone ${labels(done.sold)}: sold. Add --refund to give their money back.`);
  }
}

function listAll(title: string, { seats, refunds = [] }: Done): void {
  if (seats.length > 0) print(`${title} released:`);
  const released = seats.map(({ label, ticketType, merchantUid }) => {
    return `  ${label.padEnd(24)} ${ticketType.padEnd(16)} order ${merchantUid}`;
  });
  cut(released);
  if (refunds.length > 0) print(`${title} refunded:`);
  cut(
    refunds.map(({ merchantUid, amount, seats: going }) => {
      return `  ${won(amount).padEnd(16)} order ${merchantUid}, then ${going.join(', ')}`;
    }),
  );
}

function cut(lines: string[]): void {
  for (const line of lines.slice(0, LISTED_MAX)) print(line);
  const more = lines.length - LISTED_MAX;
  if (more > 0) print(`  ... and ${more} more`);
}

function won(amount: number): string {
  return `${amount.toLocaleString('en-US')} KRW`;
}

function labels(seats: ReleasedSeat[]): string {
  const shown = seats.slice(0, 10).map((seat) => seat.label);
  const more = seats.length > shown.length ? `, ... (${seats.length} in all)` : '';
  return `${shown.join(', ')}${more}`;
}

function count(things: unknown[], name: string): string {
  return `${things.length} ${name}${things.length === 1 ? '' : 's'}`;
}

await runCommand(() => main(command.parse().opts<Options>()));
