/** Tells whether a process written down earlier is still the same one, though pids are reused. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  pid: number;
  /** When it started, in the system's own words: a reused pid has another. Empty if unknown. */
  startedAt: string;
}

let own: ProcessIdentity | undefined;

export function ownIdentity(): ProcessIdentity {
  own ??= { pid: process.pid, startedAt: startOf(process.pid) ?? '' };
  return own;
}

export function isStillAlive(identity: ProcessIdentity): boolean {
  if (!answersToSignals(identity.pid)) return false;
  return startOf(identity.pid) === identity.startedAt || identity.startedAt === '';
}

/** The command and its arguments; undefined for no process, or one that has ended unreaped. */
export function commandLineOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    return readOrUndefined(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim() || undefined;
  }
  return ps(pid, 'command=');
}

function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'lstart=');
  const stat = readOrUndefined(`/proc/${pid}/stat`);
  // The name in parentheses may hold spaces and parentheses itself: count from the last one.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields?.[0];
  if (state === undefined || state === 'Z' || state === 'X') return undefined;
  return fields?.[19];
}

function answersToSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function ps(pid: number, column: string): string | undefined {
  const answer = spawnSync('ps', ['-ww', '-o', column, '-p', String(pid)], {
    encoding: 'utf8',
    timeout: 5_000,
  });
  return answer.stdout?.trim() || undefined;
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
