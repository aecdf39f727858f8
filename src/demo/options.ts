// What the demo may be told on the command line, checked and with every default filled in.

import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { projectRoot } from '../root.ts';

const BUYERS_MAX = 50_000;
const SEATS_MAX = 100_000;
const EVENTS_MAX = 20;
const SEED_MAX = 0xffff_ffff;

export interface DemoOptions {
  buyers: number;
  seats: number;
  events: number;
  seed: number;
  json: boolean;
  /** Where the report goes; null: none is written. */
  report: string | null;
}

interface Given {
  buyers: number;
  seats: number;
  events: number;
  seed?: number;
  json?: true;
  /** A path, or false for --no-report; Commander's default is true. */
  report: string | boolean;
}

/** @throws CommanderError for wrong usage, and for --help, which it prints */
export function readOptions(argv: string[]): DemoOptions {
  const command = new Command('demo')
    .description(
      'Sells out several events at once, and shows that every law held and all money agrees.',
    )
    .option('--buyers <number>', 'how many people come', whole(1, BUYERS_MAX), 3_000)
    .option('--seats <number>', 'how many seats there are', whole(1, SEATS_MAX), 1_000)
    .option('--events <number>', 'how many events share them', whole(1, EVENTS_MAX), 3)
    .option('--seed <number>', 'who comes when and does what; random otherwise', whole(0, SEED_MAX))
    .option('--json', 'one JSON object on stdout, and nothing else there')
    .option('--report <file>', 'where the report goes (default: demo-report.html)')
    .option('--no-report', 'write no report')
    .addHelpText(
      'after',
      '\nExit codes: 0 every law held and all money agrees, 1 not so, 2 wrong usage.',
    )
    .allowExcessArguments(false)
    .exitOverride();
  const given = command.parse(argv).opts<Given>();
  if (given.seats < given.events || given.buyers < given.events) {
    command.error('error: every event needs a seat and a buyer', { exitCode: 2 });
  }
  return {
    buyers: given.buyers,
    seats: given.seats,
    events: given.events,
    seed: given.seed ?? randomInt(2 ** 32),
    json: given.json === true,
    report: reportPath(given.report),
  };
}

function reportPath(given: string | boolean): string | null {
  if (given === false) return null;
  return typeof given === 'string' ? given : join(projectRoot, 'demo-report.html');
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`a whole number from ${min} to ${max}`);
  };
}
