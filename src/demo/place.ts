// Where a run works: a database, and names in Redis, that no other run touches; gone afterwards.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { projectRoot } from '../root.ts';

/** By this name the runs on one server know of each other. */
const APPLICATION = 'seatline-demo';
const DATABASE_PREFIX = 'seatline_demo_';
const START_TRIES = 3;
/** A run that was killed leaves its database; nobody runs for an hour. */
const LEFTOVER_AFTER_S = 3_600;
const OTHERS_LIMIT_MS = 180_000;
const KEYS_A_SCAN = 500;

export interface Place {
  databaseUrl: string;
  carrier: 'redis' | 'postgres';
  /** What the service's environment needs of it. */
  env: Record<string, string>;
  /** Drops all that was made, and stops the embedded server if it is ours. */
  leave(): Promise<void>;
}

interface Server {
  url: string;
  stop(): Promise<void>;
  /** Whether stopping it would take it from others. */
  owned: boolean;
}

export async function openPlace(
  env: { DATABASE_URL?: string | undefined; REDIS_URL?: string | undefined },
  say: (line: string) => void,
): Promise<Place> {
  // Set to nothing is not set, as everywhere else.
  const { server, presence } = await arrive(env.DATABASE_URL || undefined, say);
  const token = randomBytes(4).toString('hex');
  const database = `${DATABASE_PREFIX}${Math.floor(Date.now() / 1_000)}_${token}`;
  const prefix = `demo-${token}`;
  try {
    await dropLeftovers(presence);
    await presence.query(`CREATE DATABASE ${database}`);
  } catch (error) {
    await presence.end().catch(() => undefined);
    await server.stop();
    throw error;
  }
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  const redisUrl = env.REDIS_URL || undefined;
  return {
    databaseUrl: url.href,
    carrier: redisUrl === undefined ? 'postgres' : 'redis',
    env: {
      DATABASE_URL: url.href,
      QUEUE_PREFIX: prefix,
      ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    },
    leave: async () => {
      try {
        if (redisUrl !== undefined) await removeKeys(redisUrl, prefix);
        await presence.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
        if (server.owned) await untilAlone(presence, say);
      } finally {
        await presence.end().catch(() => undefined);
        await server.stop();
      }
    },
  };
}

/** The server may be stopped by its owner in the moment between finding it and connecting to it. */
async function arrive(
  url: string | undefined,
  say: (line: string) => void,
): Promise<{ server: Server; presence: pg.Client }> {
  for (let tried = 1; ; tried += 1) {
    const server = await startServer(url, say);
    const presence = new pg.Client({
      connectionString: server.url,
      application_name: APPLICATION,
      connectionTimeoutMillis: 10_000,
    });
    // Without a listener a server that goes away would end the process.
    presence.on('error', () => undefined);
    try {
      await presence.connect();
      return { server, presence };
    } catch (error) {
      await server.stop();
      if (url !== undefined || tried === START_TRIES) throw error;
    }
  }
}

async function startServer(url: string | undefined, say: (line: string) => void): Promise<Server> {
  if (url !== undefined) return { url, owned: false, stop: async () => undefined };
  // Loaded only here: a production image carries no embedded database.
  const { startEmbeddedPostgres } = await import('../embedded/postgres.ts');
  return startEmbeddedPostgres({
    root: projectRoot,
    name: 'demo',
    log: say,
    // Several runs at once share one server.
    settings: { max_connections: '400' },
  });
}

async function dropLeftovers(client: pg.Client): Promise<void> {
  const rows = await client.query<{ datname: string }>(
    `SELECT datname FROM pg_database d WHERE starts_with(datname, $1)
        AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.datname = d.datname)`,
    [DATABASE_PREFIX],
  );
  const oldest = Date.now() / 1_000 - LEFTOVER_AFTER_S;
  for (const { datname } of rows.rows) {
    const [, madeAt] = /^seatline_demo_(\d+)_[0-9a-f]+$/.exec(datname) ?? [];
    if (madeAt === undefined || Number(madeAt) > oldest) continue;
    await client.query(`DROP DATABASE IF EXISTS ${datname}`);
  }
}

/** Another run may have joined the server that we started. */
async function untilAlone(client: pg.Client, say: (line: string) => void): Promise<void> {
  const giveUpAt = Date.now() + OTHERS_LIMIT_MS;
  let told = false;
  for (;;) {
    const { rowCount } = await client.query(
      'SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()',
      [APPLICATION],
    );
    if (rowCount === 0 || Date.now() > giveUpAt) return;
    if (!told) say('Another demo still uses this Postgres; it is stopped when that one is done...');
    told = true;
    await sleep(500);
  }
}

/** A queue leaves its keys behind; on a Redis of somebody else's they have no business. */
async function removeKeys(redisUrl: string, prefix: string): Promise<void> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  try {
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', KEYS_A_SCAN);
      if (keys.length > 0) await redis.unlink(...keys);
      cursor = next;
    } while (cursor !== '0');
  } catch {
    // It went away: then there is nothing of ours in it that anybody could miss.
  } finally {
    redis.disconnect();
  }
}
