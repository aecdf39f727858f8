/** One process at a time: a lock file that outlives its holder only until somebody else looks. */
import { randomBytes } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isStillAlive, ownIdentity, type ProcessIdentity } from './process-identity.ts';

const POLL_MS = 40;
/** A lock without a readable holder: its maker died between creating and writing the file. */
const UNREADABLE_AFTER_MS = 5_000;

export async function withFileLock<T>(
  path: string,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const text = JSON.stringify({ ...ownIdentity(), token: randomBytes(8).toString('hex') });
  const deadline = performance.now() + timeoutMs;
  while (!(await createExclusively(path, text))) {
    if (performance.now() > deadline) {
      throw new Error(`${path} has been held for ${timeoutMs / 1000} s by another process`);
    }
    if (!(await breakIfAbandoned(path))) await sleep(POLL_MS + Math.random() * POLL_MS);
  }
  try {
    return await work();
  } finally {
    if ((await textOf(path)) === text) await rm(path, { force: true });
  }
}

async function createExclusively(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Two waiters may both see that a holder is dead. Only the one with the second file removes the
 * lock, and only while it still holds the dead one's text: never the lock of the next holder.
 */
async function breakIfAbandoned(path: string): Promise<boolean> {
  const seen = await textOf(path);
  if (seen === undefined) return true;
  if (!(await isAbandoned(path, seen))) return false;
  const breaker = `${path}.break`;
  if (!(await createExclusively(breaker, ''))) {
    if ((await ageMs(breaker)) > UNREADABLE_AFTER_MS) await rm(breaker, { force: true });
    return false;
  }
  try {
    if ((await textOf(path)) === seen) await rm(path, { force: true });
    return true;
  } finally {
    await rm(breaker, { force: true });
  }
}

async function isAbandoned(path: string, text: string): Promise<boolean> {
  const holder = parseIdentity(text);
  return holder ? !isStillAlive(holder) : (await ageMs(path)) > UNREADABLE_AFTER_MS;
}

export function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const { pid, startedAt } = JSON.parse(text) as Partial<ProcessIdentity>;
    return typeof pid === 'number' && typeof startedAt === 'string'
      ? { pid, startedAt }
      : undefined;
  } catch {
    return undefined;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

async function ageMs(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found ? Date.now() - found.mtimeMs : 0;
}
