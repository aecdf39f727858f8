// The service as a process of its own, so that the load and the loaded share no event loop.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { projectRoot } from '../root.ts';

const READY_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;
const KEPT_LINES_MAX = 20;
/** Money that was paid into a virtual account goes back once the buyer has named an account. */
const NEEDS_ACCOUNT = '"lastError":"needs_account"';
/** Of the caller's environment only what a program needs to run: no setting of another service. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'LANG'];

export interface ChildService {
  url: string;
  /** Rejects if the process ends before it was told to. */
  died: Promise<never>;
  /** Log lines of the levels error and fatal so far, and warnings. */
  errorLines(): number;
  warningLines(): number;
  /** Lines that call for a person, as when a buyer must name an account: no fault of anybody's. */
  personLines(): number;
  /** The first few of the error lines. */
  errors(): string[];
  stop(): Promise<void>;
}

export async function startChildService(env: Record<string, string>): Promise<ChildService> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    cwd: projectRoot,
    env: { ...passedOn(), ...env, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killOnExit = () => void child.kill('SIGKILL');
  process.once('exit', killOnExit);
  const log = new LogReader();
  let stopping = false;
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-2_000);
  });
  const died = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const why = stderr || log.errors.join('\n');
      if (!stopping) reject(new Error(`the service ended (${signal ?? code}): ${why}`));
    });
  });
  died.catch(() => undefined);
  const stop = async () => {
    stopping = true;
    await end(child);
    process.off('exit', killOnExit);
  };
  try {
    const url = await Promise.race([log.untilReady(child), died, tooSlow()]);
    return {
      url,
      died,
      errorLines: () => log.errorLines,
      warningLines: () => log.warningLines,
      personLines: () => log.personLines,
      errors: () => log.errors,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

class LogReader {
  errorLines = 0;
  warningLines = 0;
  personLines = 0;
  readonly errors: string[] = [];

  /** Reads on for as long as the process writes. */
  untilReady(child: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      const { stdout } = child;
      if (!stdout) return reject(new Error('the service has no output'));
      createInterface({ input: stdout }).on('line', (line) => {
        // A sale writes thousands of lines; only a few are worth parsing.
        if (line.includes('"msg":"ready"')) {
          const { url } = JSON.parse(line) as { url: string | null };
          if (url) resolve(url);
        }
        this.note(line);
      });
    });
  }

  private note(line: string): void {
    if (line.includes(NEEDS_ACCOUNT)) {
      this.personLines += 1;
      return;
    }
    if (line.includes('"level":"warn"')) this.warningLines += 1;
    if (!line.includes('"level":"error"') && !line.includes('"level":"fatal"')) return;
    this.errorLines += 1;
    if (this.errors.length < KEPT_LINES_MAX) this.errors.push(line);
  }
}

function passedOn(): Record<string, string> {
  return Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function tooSlow(): Promise<never> {
  return new Promise((_, reject) => {
    const error = new Error(`the service was not ready within ${READY_LIMIT_MS / 1_000} s`);
    setTimeout(reject, READY_LIMIT_MS, error).unref();
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const lastResort = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await gone;
  clearTimeout(lastResort);
}
