/** Sells out several events at once; exit code 0 only when every law held and all money agrees. */

import { setMaxListeners } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { SingleBar } from 'cli-progress';
import { CommanderError } from 'commander';
import { type DemoOptions, readOptions } from '../demo/options.ts';
import { printed } from '../demo/printed.ts';
import { reportOf } from '../demo/report.ts';
import { demonstrate } from '../demo/run.ts';
import type { Progress } from '../demo/sale.ts';

const EXIT = { clean: 0, wrong: 1, usage: 2, interrupted: 130 } as const;

async function main(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const bar = progressBar(options);
  try {
    const done = await demonstrate(options, {
      say: options.json ? () => undefined : bar.say,
      onProgress: bar.update,
      signal,
      now: () => Date.now(),
      env: process.env,
    });
    bar.stop();
    const { figures } = done;
    if (options.report !== null) await writeFile(options.report, reportOf(done, options));
    process.stdout.write(options.json ? `${JSON.stringify(figures)}\n` : printed(figures));
    return figures.clean ? EXIT.clean : EXIT.wrong;
  } finally {
    bar.stop();
  }
}

/** Only where somebody watches; a file or a pipe gets the lines alone. */
function progressBar({ json, buyers }: DemoOptions) {
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const nothing = () => undefined;
  if (json || !process.stderr.isTTY) return { say, update: nothing, stop: nothing };
  const bar = new SingleBar({
    format: '  {bar} {value}/{total} buyers done | {sold} seats sold, {held} held | {duration} s',
    stream: process.stderr,
    hideCursor: true,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
  });
  let running = false;
  const stop = () => {
    if (running) bar.stop();
    running = false;
  };
  return {
    say: (line: string) => {
      stop();
      say(line);
    },
    update: ({ done, sold, held }: Progress) => {
      if (!running) bar.start(buyers, done, { sold, held });
      running = true;
      bar.update(done, { sold, held });
    },
    stop,
  };
}

/** The first signal ends the run in order; a second one ends it at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  // Every buyer's pause listens to it.
  setMaxListeners(0, controller.signal);
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write('\nStopping...\n');
    controller.abort(new Error('interrupted'));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  return controller.signal;
}

function fail(error: unknown, interrupted: boolean): number {
  const json = process.argv.includes('--json');
  const { message } = error as Error;
  if (error instanceof CommanderError) {
    // Commander has printed its help, or its complaint, by itself; help is no failure.
    if (error.exitCode === 0) return EXIT.clean;
  } else if (!interrupted) {
    process.stderr.write(`The demo could not be finished: ${message}\n`);
  }
  const failure = interrupted ? 'interrupted' : message;
  if (json) process.stdout.write(`${JSON.stringify({ clean: false, failures: [failure] })}\n`);
  if (error instanceof CommanderError) return EXIT.usage;
  return interrupted ? EXIT.interrupted : EXIT.wrong;
}

const signal = interruption();
try {
  process.exitCode = await main(readOptions(process.argv), signal);
} catch (error) {
  process.exitCode = fail(error, signal.aborted);
}
// The gateway's idle connections would keep a finished program for seconds.
process.exit();
