/** Checks every law against the database, for one event or for all; exit code 0 only when clean. */

import { Command, CommanderError } from 'commander';
import { type Audit, auditEvent, type Violations } from '../audit/audit.ts';
import { systemClock } from '../clock.ts';
import { ConfigError } from '../config.ts';
import type { Database } from '../db/database.ts';
import { LAW_MEANING } from '../operations/openapi-words.ts';
import { DatabaseNotReady, withDatabase } from './with-database.ts';

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
  const events = await withDatabase(({ database }) => auditAll(database, options.event), say);
  const clean = Object.values(events).every((audit) => audit.clean);
  if (options.json) answer({ clean, events });
  else for (const [slug, audit] of Object.entries(events)) show(slug, audit);
  if (!options.json) process.stdout.write(`${verdictOn(events)}\n`);
  return clean ? EXIT.clean : EXIT.wrong;
}

async function auditAll(database: Database, only?: string): Promise<Record<string, Audit>> {
  const slugs = only === undefined ? await allSlugs(database) : [only];
  const audits: Record<string, Audit> = {};
  for (const slug of slugs) {
    const audit = await auditEvent({ database, clock: systemClock }, slug);
    if (!audit) throw new Failure(`There is no event ${slug}.`);
    audits[slug] = audit;
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

function show(slug: string, audit: Audit): void {
  process.stdout.write(`${slug}\n`);
  for (const [law, meaning] of Object.entries(LAW_MEANING) as [keyof Violations, string][]) {
    const violations = audit[law];
    const mark = violations === 0 ? 'ok  ' : 'FAIL';
    const found = violations === 0 ? '' : `: ${violations} violation${violations === 1 ? '' : 's'}`;
    process.stdout.write(`  ${mark}  ${law.padEnd(20)} ${meaning}${found}\n`);
  }
}

function verdictOn(events: Record<string, Audit>): string {
  const audits = Object.values(events);
  if (audits.length === 0) return 'There is no event yet; nothing to check.';
  const bad = audits.filter((audit) => !audit.clean).length;
  const all = `${audits.length} event${audits.length === 1 ? '' : 's'}`;
  return bad === 0 ? `Clean: ${all}, every law held.` : `${bad} of ${all} not clean.`;
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
