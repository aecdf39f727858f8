/** Makes a data folder and runs a Postgres server on it: complete or not at all. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries.ts';
import type { Place } from './place.ts';
import { findPostmaster, type Postmaster } from './postmaster.ts';

/** Written last: a folder without it is the remains of an initdb that was cut short. */
const COMPLETE = 'seatline-complete';
const INITDB_LIMIT_MS = 120_000;
/** Long, for a server that was killed replays its log before it answers. */
const START_LIMIT_MS = 120_000;
const START_TRIES = 8;
const POLL_MS = 25;

export type Settings = Readonly<Record<string, string>>;
export type RunningPostmaster = Extract<Postmaster, { kind: 'running' }>;

export async function ensureDataFolder(
  place: Place,
  binaries: Binaries,
  settings: Settings,
  log: (line: string) => void,
): Promise<void> {
  await removeRemains(place);
  if (existsSync(join(place.data, COMPLETE))) {
    const major = (await readFile(join(place.data, 'PG_VERSION'), 'utf8')).trim();
    if (major === binaries.major) return;
    throw new Error(
      `${place.data} was written by PostgreSQL ${major}, this is ${binaries.major}: move the folder away or set DATABASE_URL`,
    );
  }
  if (existsSync(place.data)) log(`${place.data} was left unfinished; making it anew`);
  await rm(place.data, { recursive: true, force: true });
  await initialise(place, binaries, settings);
}

/** The password's file lies beside the data; a lost one is replaced, for data outlive it. */
export async function ensurePassword(place: Place, binaries: Binaries): Promise<void> {
  if (await readPassword(place)) return;
  const password = newPassword();
  const child = spawn(
    binaries.postgres,
    ['--single', '-D', place.data, '-c', 'log_min_messages=fatal', 'postgres'],
    { ...surroundings(place), stdio: ['pipe', 'ignore', 'pipe'] },
  );
  child.stdin?.end(`ALTER ROLE postgres PASSWORD '${password}'\n`);
  await finished(child, 'resetting the password');
  await writePassword(place, password);
}

export async function readPassword(place: Place): Promise<string | undefined> {
  return (await readFile(place.password, 'utf8').catch(() => '')).trim() || undefined;
}

export async function startPostmaster(
  place: Place,
  binaries: Binaries,
  settings: Settings,
): Promise<RunningPostmaster> {
  let why = '';
  for (let tried = 0; tried < START_TRIES; tried++) {
    const left = await findPostmaster(place.data);
    if (left.kind === 'running') throw new Error(`${place.data} is in use by pid ${left.pid}`);
    const child = await spawnPostmaster(place, binaries, settings, await freePort(), left);
    const running = await untilReady(place, child);
    if (running) return running;
    why = await lastFatalLine(place);
    // Taken between our look and its start; or sessions of a killed server still on their way out.
    if (!/address already in use|could not create any TCP|shared memory block/i.test(why)) break;
    await sleep(250 * tried);
  }
  throw new Error(`Postgres did not start: ${why || 'no reason given'} (${place.serverLog})`);
}

/** Waits for a server that somebody else started; undefined if it ends instead. */
export async function untilReady(
  place: Place,
  child?: ChildProcess,
): Promise<RunningPostmaster | undefined> {
  const deadline = performance.now() + START_LIMIT_MS;
  let failure: Error | undefined;
  child?.once('error', (error) => {
    failure = error;
  });
  while (performance.now() < deadline) {
    if (failure) throw new Error(`Postgres could not be started: ${failure.message}`);
    if (child && (child.exitCode !== null || child.signalCode !== null)) return undefined;
    const found = await findPostmaster(place.data);
    if (found.kind === 'running' && found.ready && (!child || found.pid === child.pid)) {
      return found;
    }
    if (!child && found.kind !== 'running') return undefined;
    await sleep(POLL_MS);
  }
  child?.kill('SIGQUIT');
  throw new Error(`Postgres was not ready after ${START_LIMIT_MS / 1000} s (${place.serverLog})`);
}

async function initialise(place: Place, binaries: Binaries, settings: Settings): Promise<void> {
  const unfinished = `${place.data}.unfinished`;
  const passwordForInitdb = `${unfinished}.password`;
  const password = newPassword();
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordForInitdb, `${password}\n`, { mode: 0o600 });
  if (place.account) {
    for (const path of [unfinished, passwordForInitdb]) {
      await chown(path, place.account.uid, place.account.gid);
    }
  }
  const child = spawn(
    binaries.initdb,
    [
      `--pgdata=${unfinished}`,
      '--username=postgres',
      `--pwfile=${passwordForInitdb}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // The same order and case rules on every machine, whatever locales it has.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      ...(settings.fsync === 'off' ? ['--no-sync'] : []),
    ],
    { ...surroundings(place), stdio: ['ignore', 'ignore', 'pipe'] },
  );
  await finished(child, 'initdb');
  await rm(passwordForInitdb);
  await writeFile(join(unfinished, COMPLETE), '');
  // The password first: data without one can be repaired, but only by another start of a server.
  await writePassword(place, password);
  await rename(unfinished, place.data);
}

async function removeRemains(place: Place): Promise<void> {
  const prefix = `${place.data}.unfinished`;
  for (const name of await readdir(place.base)) {
    const path = join(place.base, name);
    if (path.startsWith(prefix)) await rm(path, { recursive: true, force: true });
  }
}

async function spawnPostmaster(
  place: Place,
  binaries: Binaries,
  settings: Settings,
  port: number,
  left: Postmaster,
): Promise<ChildProcess> {
  const serverLog = await open(place.serverLog, 'w', 0o600);
  try {
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(binaries.postgres, ['-D', place.data, '-p', String(port), ...flags], {
      ...surroundings(place, left.kind === 'stale' ? left.pid : undefined),
      // A group of its own: Ctrl-C reaches us alone, and the database goes last, after stop().
      detached: true,
      // A file, not a pipe: a server that outlives us must not choke on what it has to say.
      stdio: ['ignore', serverLog.fd, serverLog.fd],
    });
    child.unref();
    return child;
  } finally {
    await serverLog.close();
  }
}

/**
 * Postgres refuses to start while the pid in a postmaster.pid is in use, by whatever program.
 * PG_GRANDPARENT_PID is its own way (pg_ctl's) to be told that this pid is no server, which
 * spares us removing the file: it still guards against sessions of a killed server.
 */
function surroundings(place: Place, impostorPid?: number) {
  return {
    ...place.account,
    cwd: place.base,
    env: {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      LC_ALL: 'C',
      TZ: 'UTC',
      ...(impostorPid ? { PG_GRANDPARENT_PID: String(impostorPid) } : {}),
    },
  };
}

async function finished(child: ChildProcess, what: string): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk).slice(-2_000);
  });
  child.stdin?.on('error', () => undefined);
  const timer = setTimeout(() => child.kill('SIGKILL'), INITDB_LIMIT_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', (error) => reject(new Error(`${what} failed: ${error.message}`)));
      child.once('close', (code, signal) => {
        const lastLine = said.trim().split('\n').at(-1);
        if (code === 0) resolve();
        else reject(new Error(`${what} failed (${signal ?? code}): ${lastLine}`));
      });
    });
  } finally {
    clearTimeout(timer);
  }
}

async function lastFatalLine(place: Place): Promise<string> {
  const lines = (await readFile(place.serverLog, 'utf8').catch(() => '')).trim().split('\n');
  const telling = lines.filter((line) => /FATAL|PANIC|could not bind/.test(line));
  return telling.join('; ') || (lines.at(-1) ?? '');
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

function newPassword(): string {
  return randomBytes(24).toString('hex');
}

async function writePassword(place: Place, password: string): Promise<void> {
  const unfinished = `${place.password}.unfinished`;
  await writeFile(unfinished, `${password}\n`, { mode: 0o600 });
  await rename(unfinished, place.password);
}
