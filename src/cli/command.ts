// What the organizer's commands have in common: how they fail, ask, and speak.

import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { CommanderError } from 'commander';
import { ConfigError } from '../config.ts';
import { databaseFate } from '../faults/database-errors.ts';
import { DatabaseNotReady } from './with-database.ts';

export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

export class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
    readonly extra: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

/** For an option that may be given several times. */
export function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

export async function agreed(question: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D close the prompt without an answer, and that is a no.
  const closed = new Promise<string>((resolve) => prompt.once('close', () => resolve('')));
  const reply = await Promise.race([prompt.question(`${question} [y/N] `).catch(() => ''), closed]);
  prompt.close();
  return /^y(es)?$/i.test(reply.trim());
}

export function needSomebodyToAsk(options: { yes?: true; dryRun?: true }): void {
  if (options.dryRun || options.yes || process.stdin.isTTY) return;
  throw new Failure('There is nobody to ask: add --yes, or --dry-run to look only.', EXIT.usage);
}

/** The organizer's hand at this keyboard, as it is kept on record. */
export function commandActor(): string {
  return `organizer:cli:${osUser()}`;
}

function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return String(process.getuid?.() ?? 'unknown');
  }
}

export function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs a command to its exit code; what it throws is told, as JSON too where that was asked for. */
export async function runCommand(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.exitCode = fail(error);
  }
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
