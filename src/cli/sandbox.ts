/** A sandbox PortOne: serves until it is told to stop, or plays scenario files and says what held. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { BooksUnreadable } from '../sandbox/books-file.ts';
import { helpText, READ_API_KEY } from '../sandbox/help.ts';
import { hintOf } from '../sandbox/scenario/hint.ts';
import { FILE_CHARS_MAX, loadScenario, wordsOfFault } from '../sandbox/scenario/load.ts';
import { footOf, headOf, lineOf, summaryOf } from '../sandbox/scenario/print.ts';
import { scenarioReference } from '../sandbox/scenario/reference.ts';
import { runScenario, type ScenarioResult } from '../sandbox/scenario/run.ts';
import type { Scenario } from '../sandbox/scenario/schema.ts';
import { forwardedFor } from '../sandbox/scenario/words.ts';
import { startSandbox } from '../sandbox/server.ts';
import type { Sandbox } from '../sandbox/types.ts';

const LOOK_TIMEOUT_MS = 2_000;
const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

interface Options {
  port: number;
  host: string;
  confirmUrl?: string;
  webhookUrl?: string;
  seed?: number;
  timeScale?: number;
  books?: string;
  v1Resend?: true;
  confirmTimeoutMs?: number;
  forwardedFor?: string;
  scenario: string[];
  seatline?: string;
  json?: true;
}

interface Written {
  file: string;
  scenario: Scenario;
}

/** Nothing was played: the files, the options or the machine are in the way. */
class Unusable extends Error {}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('not a whole number');
  return value;
}

function scale(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('not above zero');
  return value;
}

function forwarded(text: string): string {
  if (forwardedFor.safeParse(text).success) return text;
  throw new InvalidArgumentError('not addresses joined by commas');
}

function webAddress(text: string): string {
  const ok = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  if (!ok) throw new InvalidArgumentError('not a URL that begins with http');
  return text;
}

const command = new Command('sandbox')
  .description('A PortOne of your own: confirms, webhooks and both REST APIs, in memory.')
  .option('--port <number>', 'where to listen', count, 4010)
  .option('--host <name>', 'address to listen on', '127.0.0.1')
  .option('--confirm-url <url>', 'asked before a payment that names no confirmUrl', webAddress)
  .option('--webhook-url <url>', "the console's webhook URL", webAddress)
  .option(
    '--seed <number>',
    'makes ids and chances repeatable; Seatline then needs a fresh database for each run',
    count,
  )
  .option('--time-scale <factor>', 'divides the documented webhook retry pauses', scale)
  .option('--books <file>', 'keeps the books there over restarts; without it they are in memory')
  .option('--v1-resend', 'V1 sends a webhook again after a failure, as one may ask PortOne to')
  .option('--confirm-timeout-ms <number>', 'how long a confirm may take (default: 10000)', count)
  .option(
    '--forwarded-for <addresses>',
    'X-Forwarded-For of each confirm and webhook, as your proxy would write it',
    forwarded,
  )
  .option(
    '--scenario <file>',
    'plays it and ends; a folder stands for its .yaml files (repeatable)',
    (value: string, earlier: string[]) => [...earlier, value],
    [],
  )
  .option('--seatline <url>', "plays against that Seatline instead of the scenario's", webAddress)
  .option('--json', 'with --scenario: one JSON object on stdout, and nothing else there')
  .addHelpText(
    'after',
    `
Without --scenario it serves, and prints how to use it: with curl, or with the page at /checkout.
What a scenario may say: --help scenario. Examples: src/sandbox/scenarios.
Seatline must take this sandbox for its PortOne (PORTONE_V1_URL, PORTONE_V2_URL and the keys that
it prints).
Exit codes with --scenario: 0 all held, 1 something did not, 2 wrong file or usage; nothing was played.`,
  )
  .allowExcessArguments(false)
  .exitOverride();

// --- serving --------------------------------------------------------------------------------

async function serve(options: Options): Promise<void> {
  const sandbox = await listening(options, {});
  console.log(helpText(sandbox.url, sandbox.credentials, options.books));
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      void sandbox.close();
    });
  }
}

/** `gateway`: what a scenario wants of it; what was typed goes before what a file says. */
function listening(options: Options, gateway: Partial<Scenario['gateway']>): Promise<Sandbox> {
  const { port, host, confirmUrl, webhookUrl, seed, timeScale, books } = options;
  const confirmTimeoutMs = options.confirmTimeoutMs ?? gateway.confirmTimeoutMs;
  const forwardedFor = options.forwardedFor ?? gateway.forwardedFor;
  return startSandbox({
    port,
    host,
    timeScale: timeScale ?? gateway.timeScale ?? 1,
    v1Resend: options.v1Resend ?? gateway.v1Resend ?? false,
    ...(confirmTimeoutMs === undefined ? {} : { confirmTimeoutMs }),
    ...(forwardedFor === undefined ? {} : { forwardedFor }),
    ...(confirmUrl === undefined ? {} : { confirmUrl }),
    ...(webhookUrl === undefined ? {} : { webhookUrl }),
    ...(seed === undefined ? {} : { seed }),
    ...(books === undefined ? {} : { books }),
  }).catch(async (error: unknown) => {
    if (error instanceof BooksUnreadable) throw new Unusable(error.message);
    const code = error instanceof Error ? Reflect.get(error, 'code') : null;
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw error;
    throw new Unusable(`cannot listen on ${host}:${port} (${code}): ${await wayOut(host, port)}`);
  });
}

/** Seatline looks for PortOne in one place: stories are played where the page was served. */
async function wayOut(host: string, port: number): Promise<string> {
  const answer = await fetch(`http://${host}:${port}/sandbox`, {
    signal: AbortSignal.timeout(LOOK_TIMEOUT_MS),
  }).catch(() => null);
  const ours = answer?.ok === true && (await answer.text()).startsWith('Sandbox PortOne');
  if (!ours) {
    return 'stop what does, or give another --port and point PORTONE_V1_URL and PORTONE_V2_URL there';
  }
  return (
    'a sandbox is running there. Stop it, play, and start it again: with the same --books FILE ' +
    'each time none of them forgets what another did'
  );
}

// --- playing --------------------------------------------------------------------------------

async function play(options: Options): Promise<number> {
  const written = options.scenario.flatMap(filesOf).map(read);
  const faults = written.flatMap((one) => (Array.isArray(one) ? one : []));
  if (faults.length > 0) throw new Unusable(faults.join('\n'));
  const scenarios = written.filter((one): one is Written => !Array.isArray(one));
  for (const one of scenarios) mustHaveOpponent(one, options);
  const results = await playAll(scenarios, options);
  const held = results.every((result) => result.held);
  if (options.json) console.log(JSON.stringify({ held, scenarios: results }, null, 2));
  else console.log(summaryOf(results));
  return held ? EXIT.ok : EXIT.failed;
}

function filesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => /\.ya?ml$/.test(name));
    if (names.length === 0) throw new Unusable(`${path}: there is no .yaml file in it`);
    return names.sort().map((name) => join(path, name));
  } catch (error) {
    if (error instanceof Unusable) throw error;
    throw new Unusable(`${path}: cannot be read: is the name right?`);
  }
}

/** The scenario, or the lines that say what is wrong with its file. */
function read(file: string): Written | string[] {
  // UTF-8 takes at most four bytes a character: what is longer is too long anyhow.
  if (statSync(file).size > 4 * FILE_CHARS_MAX) return [`${file}:1: too long for a scenario`];
  const loaded = loadScenario(file, readFileSync(file, 'utf8'));
  return loaded.ok ? { file, scenario: loaded.scenario } : loaded.faults.map(wordsOfFault);
}

function mustHaveOpponent({ file, scenario }: Written, options: Options): void {
  const { seatline, server } = scenario;
  if (seatline !== undefined) {
    if (process.env[seatline.apiKeyFromEnv]) return;
    throw new Unusable(
      `${file}: seatline.apiKeyFromEnv: ${seatline.apiKeyFromEnv} is not set: ` +
        `export the API_KEY that Seatline was started with; the one it made for itself: ${READ_API_KEY}`,
    );
  }
  if (server !== undefined || options.confirmUrl !== undefined) return;
  throw new Unusable(`${file}: against whom? Give seatline or server there, or --confirm-url here`);
}

/** One sandbox for all that want the same of it: Seatline may still ask about an earlier scenario. */
async function playAll(
  scenarios: Written[],
  options: Options,
): Promise<(ScenarioResult & { file: string })[]> {
  const results: (ScenarioResult & { file: string })[] = [];
  let gateway = '';
  let sandbox: Sandbox | null = null;
  try {
    for (const { file, scenario } of scenarios) {
      const wanted = JSON.stringify(scenario.gateway);
      if (sandbox === null || wanted !== gateway) {
        await sandbox?.close();
        sandbox = null;
        sandbox = await listening(options, scenario.gateway);
        gateway = wanted;
      }
      results.push({ file, ...(await playOne(file, scenario, sandbox, options)) });
    }
  } finally {
    await sandbox?.close();
  }
  return results;
}

async function playOne(
  file: string,
  written: Scenario,
  sandbox: Sandbox,
  options: Options,
): Promise<ScenarioResult> {
  const timeScale = options.timeScale ?? written.gateway.timeScale;
  const scenario = { ...written, gateway: { ...written.gateway, timeScale } };
  const say = (line: string) => {
    if (!options.json) console.log(line);
  };
  say(headOf(scenario, file));
  const result = await runScenario(scenario, {
    sandbox,
    env: process.env,
    seatlineUrl: options.seatline,
    onEntry: (entry) => say(lineOf(entry)),
  });
  const hint =
    scenario.seatline === undefined
      ? ''
      : hintOf(result, { v1Url: sandbox.v1Url, v2Url: sandbox.v2Url, seed: options.seed });
  say(footOf(result, hint));
  return result;
}

// --- the command ----------------------------------------------------------------------------

async function main(): Promise<void> {
  const typed = process.argv.slice(2);
  if (typed.includes('scenario') && typed.some((word) => word === '--help' || word === '-h')) {
    console.log(scenarioReference());
    return;
  }
  const options = command.parse().opts<Options>();
  if (options.scenario.length > 0) {
    process.exitCode = await play(options);
    return;
  }
  if (options.json || options.seatline !== undefined) {
    throw new Unusable('--json and --seatline go with --scenario');
  }
  await serve(options);
}

main().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    // Commander has printed it already.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (error instanceof Unusable) {
    console.error(error.message);
    process.exitCode = EXIT.usage;
  } else throw error;
});
