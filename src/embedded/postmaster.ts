/** What postmaster.pid says about a data folder, checked against the processes there are. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLineOf } from './process-identity.ts';

export type Postmaster =
  | { kind: 'none' }
  /** Its process has ended; the pid may meanwhile belong to something else. */
  | { kind: 'stale'; pid: number }
  | { kind: 'running'; pid: number; port: number; ready: boolean };

const POLL_MS = 20;
/** A fast shutdown writes a checkpoint first; an immediate one is recovered from at next start. */
const STOPS: readonly { signal: NodeJS.Signals; limitMs: number }[] = [
  { signal: 'SIGINT', limitMs: 60_000 },
  { signal: 'SIGQUIT', limitMs: 10_000 },
  { signal: 'SIGKILL', limitMs: 5_000 },
];

export async function findPostmaster(data: string): Promise<Postmaster> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => undefined);
  if (text === undefined) return { kind: 'none' };
  const lines = text.split('\n');
  // A single-user backend writes its pid with a minus sign.
  const pid = Math.abs(Number(lines[0]));
  if (!Number.isSafeInteger(pid) || pid === 0) return { kind: 'none' };
  if (!serves(pid, data)) return { kind: 'stale', pid };
  return {
    kind: 'running',
    pid,
    port: Number(lines[3] ?? 0),
    ready: lines[7]?.trim() === 'ready',
  };
}

/** Whether this process is the postmaster of that folder: its command line names it after -D. */
export function serves(pid: number, data: string): boolean {
  return commandLineOf(pid)?.includes(`-D ${data} `) ?? false;
}

/** Ends every session at once, and waits until the process is gone. */
export async function stopPostmaster(pid: number, data: string): Promise<void> {
  for (const { signal, limitMs } of STOPS) {
    if (!signalPostmaster(pid, data, signal)) return;
    const deadline = performance.now() + limitMs;
    while (performance.now() < deadline) {
      if (!serves(pid, data)) return;
      await sleep(POLL_MS);
    }
  }
  throw new Error(`Postgres (pid ${pid}) did not stop`);
}

/** False if that process is no longer there. */
export function signalPostmaster(pid: number, data: string, signal: NodeJS.Signals): boolean {
  try {
    return serves(pid, data) && process.kill(pid, signal);
  } catch {
    return false;
  }
}
