/** Checks every law, adds the money up, and tells what waits for the organizer; exit code 0 if clean. */

import { Command, CommanderError } from 'commander';
import { type Audit, auditEvent, type Violations } from '../audit/audit.ts';
import { inWords } from '../audit/case-words.ts';
import { type CaseView, listCases } from '../audit/list-cases.ts';
import type { Money } from '../audit/money.ts';
import { systemClock } from '../clock.ts';
import { ConfigError } from '../config.ts';
import type { Database } from '../db/database.ts';
import { LAW_MEANING } from '../operations/openapi-words.ts';
import { DatabaseNotReady, withDatabase } from './with-database.ts';

/** Of each event; the API lists the rest. */
const CASES_SHOWN = 20;

const EXIT = { clean: 0, wrong: 1, usage: 2 } as const;

interface Options {
  event?: string;
  json?: true;
}

class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.wrong,
  ) {
    super(message);
  }
}

const command = new Command('audit')
  .description('Checks every law against the database; also in the middle of a sale.')
  .option('--event <slug>', 'this event only; all of them otherwise')
  .option('--json', 'one JSON object on stdout, and nothing else there')
  .addHelpText('after', '\nExit codes: 0 clean, 1 something is wrong, 2 wrong usage.')
  .allowExcessArguments(false)
  .exitOverride();

async function main(options: Options): Promise<number> {
  const told = options.json ? undefined : show;
  const work = ({ database }: { database: Database }) => auditAll(database, options.event, told);
  const events = await withDatabase(work, say);
  const clean = Object.values(events).every((audit) => audit.clean);
  if (options.json) answer({ clean, events });
  else print(verdictOn(events));
  return clean ? EXIT.clean : EXIT.wrong;
}

type Show = (slug: string, audit: Audit, cases: CaseView[], more: boolean) => void;

/** @param told each event as soon as it was looked at */
async function auditAll(
  database: Database,
  only: string | undefined,
  told: Show | undefined,
): Promise<Record<string, Audit>> {
  const slugs = only === undefined ? await allSlugs(database) : [only];
  const audits: Record<string, Audit> = {};
  for (const slug of slugs) {
    const audit = await auditEvent({ database, clock: systemClock }, slug);
    if (!audit) throw new Failure(`There is no event ${slug}.`);
    audits[slug] = audit;
    if (!told) continue;
    const page = await listCases(database, slug, { open: true, limit: CASES_SHOWN });
    told(slug, audit, page?.cases ?? [], page?.next !== null);
  }
  return audits;
}

async function allSlugs(database: Database): Promise<string[]> {
  const rows = await database.prisma.event.findMany({
    select: { slug: true },
    orderBy: { id: 'asc' },
  });
  return rows.map((row) => row.slug);
}

function show(slug: string, audit: Audit, cases: CaseView[], more: boolean): void {
  print(slug);
  for (const [law, meaning] of Object.entries(LAW_MEANING) as [keyof Violations, string][]) {
    const violations = audit[law];
    const mark = violations === 0 ? 'ok  ' : 'FAIL';
    const found = violations === 0 ? '' : `: ${violations} violation${violations === 1 ? '' : 's'}`;
    print(`  ${mark}  ${law.padEnd(20)} ${meaning}${found}`);
  }
  for (const money of audit.money) showMoney(money);
  for (const one of cases) showCase(one);
  if (more) print(`  open  and more: GET /api/events/${slug}/cases?open=true`);
}

function showMoney(money: Money): void {
  const of = (amount: number) => inWords(amount, money.currency);
  const { count, amount } = money.openCases;
  print(
    `  money ${of(money.kept)} kept: ${of(money.paid)} paid, ${of(money.refunded)} back through`,
  );
  print(`        PortOne, ${of(money.byHand)} by hand; seats sold for ${of(money.seatsSold)},`);
  print(`        allowances ${of(money.allowances)}, ${count} open (${of(amount)}),`);
  print(`        unexplained ${of(money.difference)}`);
}

function showCase(one: CaseView): void {
  const { kind, id, merchantUid, paymentId, since } = one;
  print(`  open  ${kind} ${id}, order ${merchantUid}, payment ${paymentId}, since ${since}`);
  print(`        ${one.what}`);
  print(`        To do: ${one.todo}`);
}

function verdictOn(events: Record<string, Audit>): string {
  const audits = Object.values(events);
  if (audits.length === 0) return 'There is no event yet; nothing to check.';
  const bad = audits.filter((audit) => !audit.clean).length;
  const all = `${audits.length} event${audits.length === 1 ? '' : 's'}`;
  return bad === 0 ? `Clean: ${all}, every law held.` : `${bad} of ${all} not clean.`;
}

function answer(value: unknown): void {
  print(JSON.stringify(value));
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function fail(error: unknown): number {
  const json = process.argv.includes('--json');
  if (error instanceof CommanderError) {
    // Commander has printed its help, or its complaint, by itself; help is no failure.
    if (error.exitCode === 0) return EXIT.clean;
    if (json) answer({ clean: false, error: error.message });
    return EXIT.usage;
  }
  const { message } = error as Error;
  const known = [Failure, ConfigError, DatabaseNotReady].some((kind) => error instanceof kind);
  say(known ? message : `The audit failed: ${message || (error as { code?: string }).code}`);
  if (json) answer({ clean: false, error: message });
  if (error instanceof ConfigError) return EXIT.usage;
  return error instanceof Failure ? error.exitCode : EXIT.wrong;
}

try {
  process.exitCode = await main(command.parse().opts<Options>());
} catch (error) {
  process.exitCode = fail(error);
}
