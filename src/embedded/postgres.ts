/** A real PostgreSQL for whoever has none: one cluster a data folder, shared by our processes. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { Client } from 'pg';
import { postgresAccount } from './account.ts';
import { type Binaries, runnableBinaries } from './binaries.ts';
import {
  ensureDataFolder,
  ensurePassword,
  type RunningPostmaster,
  readPassword,
  type Settings,
  startPostmaster,
  untilReady,
} from './cluster.ts';
import { parseIdentity, withFileLock } from './file-lock.ts';
import { choosePlace, type Place } from './place.ts';
import { findPostmaster, signalPostmaster, stopPostmaster } from './postmaster.ts';
import { isStillAlive, ownIdentity } from './process-identity.ts';

export interface EmbeddedPostgres {
  url: string;
  /** False when another process of ours had already started it. */
  owned: boolean;
  /** Stops the cluster if it is ours; twice is as good as once. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** The project folder; the data lie in its `.seatline`, if Postgres can get there. */
  root: string;
  /** One data folder each: `service`, `demo`, `test`. */
  name: string;
  log?: (line: string) => void;
  database?: string;
  /** Server settings beside the usual ones, such as `{ fsync: 'off' }` where nothing can be lost. */
  settings?: Settings;
}

/** The longest a starter may hold the lock: making the data folder, then starting the server. */
const LOCK_LIMIT_MS = 300_000;
const CONNECT_LIMIT_MS = 10_000;

const USUAL_SETTINGS: Settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Its log is a file nobody rotates: server events only. Failed statements are in our own log.
  log_min_messages: 'log',
  log_checkpoints: 'off',
};

/**
 * Starts the cluster, or attaches to it when another process of ours runs it. The owner is the
 * process that started it; when it has died without stopping it, the next one to come takes it
 * over (`owned: true`). When the owner stops it, those attached lose it: in development, where
 * this is for, all of them are started and stopped together.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const log = options.log ?? (() => undefined);
  const settings = { ...USUAL_SETTINGS, ...options.settings };
  const account = await postgresAccount();
  const place = await choosePlace(options.root, options.name, account, log);
  const { port, pid, owned } = await withFileLock(place.lock, LOCK_LIMIT_MS, async () => {
    const attached = await attach(place, settings, log);
    const cluster = attached ?? (await start(place, settings, log));
    try {
      await ensureDatabase(place, cluster.port, options.database ?? 'seatline');
    } catch (error) {
      if (cluster.owned) await stopPostmaster(cluster.pid, place.data);
      throw error;
    }
    return cluster;
  });
  const url = await urlOf(place, port, options.database ?? 'seatline');
  return owned ? ownedCluster(url, place, pid) : { url, owned, stop: async () => undefined };
}

interface Cluster {
  port: number;
  pid: number;
  owned: boolean;
}

async function attach(
  place: Place,
  settings: Settings,
  log: (line: string) => void,
): Promise<Cluster | undefined> {
  const found = await findPostmaster(place.data);
  if (found.kind !== 'running') return undefined;
  const running = await untilReady(place);
  if (!running) return undefined;

  const owner = await readOwner(place);
  if (owner?.alive) return { ...running, owned: false };
  if (owner?.settings === fingerprint(settings) && (await readPassword(place))) {
    log('Taking over the Postgres that an earlier run left behind');
    await writeOwner(place, settings);
    return { ...running, owned: true };
  }
  log('Stopping the Postgres that an earlier run left behind with other settings');
  await stopPostmaster(running.pid, place.data);
  return undefined;
}

async function start(
  place: Place,
  settings: Settings,
  log: (line: string) => void,
): Promise<Cluster> {
  const binaries: Binaries = await runnableBinaries(place, log);
  await ensureDataFolder(place, binaries, settings, log);
  await ensurePassword(place, binaries);
  const running: RunningPostmaster = await startPostmaster(place, binaries, settings);
  await writeOwner(place, settings);
  return { ...running, owned: true };
}

const ours = new Map<number, string>();
let watchingExit = false;

function ownedCluster(url: string, place: Place, pid: number): EmbeddedPostgres {
  if (!watchingExit) process.once('exit', signalAllOurs);
  watchingExit = true;
  ours.set(pid, place.data);
  let stopping: Promise<void> | undefined;
  return {
    url,
    owned: true,
    stop() {
      // Under the lock: whoever starts meanwhile waits, instead of attaching to what is ending.
      stopping ??= withFileLock(place.lock, LOCK_LIMIT_MS, async () => {
        await stopPostmaster(pid, place.data);
        // Ours may have died long ago, and another be running there now: that one has its owner.
        const left = await findPostmaster(place.data);
        if (left.kind !== 'running') await rm(place.owner, { force: true });
        ours.delete(pid);
      });
      return stopping;
    },
  };
}

/** For a process that ends without stop(): the server shuts down in its own time behind it. */
function signalAllOurs(): void {
  for (const [pid, data] of ours) signalPostmaster(pid, data, 'SIGINT');
}

async function readOwner(
  place: Place,
): Promise<{ alive: boolean; settings: string | undefined } | undefined> {
  const text = await readFile(place.owner, 'utf8').catch(() => undefined);
  const identity = text === undefined ? undefined : parseIdentity(text);
  if (text === undefined || !identity) return undefined;
  const { settings } = JSON.parse(text) as { settings?: string };
  return { alive: isStillAlive(identity), settings };
}

async function writeOwner(place: Place, settings: Settings): Promise<void> {
  const owner = { ...ownIdentity(), settings: fingerprint(settings) };
  await writeFile(place.owner, `${JSON.stringify(owner)}\n`, { mode: 0o600 });
}

function fingerprint(settings: Settings): string {
  return JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function urlOf(place: Place, port: number, database: string): Promise<string> {
  const password = (await readPassword(place)) ?? '';
  return `postgresql://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

/** Also the proof that what listens on this port is this folder's server, and lets us in. */
async function ensureDatabase(place: Place, port: number, database: string): Promise<void> {
  const client = new Client({
    connectionString: await urlOf(place, port, 'postgres'),
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    query_timeout: CONNECT_LIMIT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const folder = await client.query<{ data_directory: string }>('SHOW data_directory');
    if (folder.rows[0]?.data_directory !== place.data) {
      throw new Error(`port ${port} belongs to another Postgres than that of ${place.data}`);
    }
    const known = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (known.rowCount === 0) {
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
    }
  } finally {
    await client.end();
  }
}
