// Once for a whole run: a Postgres, a migrated template database, and a Redis, all real.

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/db/migrate.ts';
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { prepareQueueTables } from '../../src/queue/postgres-carrier.ts';
import { ensureBrowser } from './browser.ts';
import { startRedis } from './redis-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
    templateDatabase: string;
    redisUrl: string;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await testPostgres();
  const redis = process.env.REDIS_URL
    ? { url: process.env.REDIS_URL, stop: async () => undefined }
    : await startRedis();
  // Here, where nobody's time-out runs; tests that need it say so if it is not there.
  await ensureBrowser();
  const template = `seatline_template_${process.pid}`;
  await onServer(postgres.url, async (client) => {
    await dropLeftovers(client);
    await client.query(`CREATE DATABASE ${template}`);
  });
  await migrate(databaseUrl(postgres.url, template));
  await prepareQueueTables(databaseUrl(postgres.url, template));
  project.provide('postgresUrl', postgres.url);
  project.provide('templateDatabase', template);
  project.provide('redisUrl', redis.url);
  return async () => {
    await onServer(postgres.url, (client) => client.query(`DROP DATABASE ${template}`));
    await redis.stop();
    await postgres.stop();
  };
}

/** Durability is switched off: no test here kills this server. Those that do start their own. */
async function testPostgres(): Promise<{ url: string; stop(): Promise<void> }> {
  const { DATABASE_URL } = process.env;
  if (DATABASE_URL) return { url: DATABASE_URL, stop: async () => undefined };
  // A server of its own for each run, so that two runs at once do not stop each other's.
  const name = `test-${process.pid}`;
  const postgres = await startEmbeddedPostgres({
    root,
    name,
    settings: { fsync: 'off', synchronous_commit: 'off', max_connections: '400' },
  });
  return {
    url: postgres.url,
    stop: async () => {
      await postgres.stop();
      await removeServers(root, (pid) => pid === process.pid || !isAlive(pid));
    },
  };
}

/** Also what a run that was killed has left behind. */
async function removeServers(folder: string, which: (pid: number) => boolean): Promise<void> {
  const home = join(folder, '.seatline');
  for (const entry of await readdir(home)) {
    const pid = Number(/^postgres-test-(\d+)/.exec(entry)?.[1] ?? Number.NaN);
    if (!Number.isNaN(pid) && which(pid))
      await rm(join(home, entry), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Databases of runs that failed were kept for a look; the next run clears them away. */
async function dropLeftovers(client: pg.Client): Promise<void> {
  const rows = await client.query<{ datname: string }>(
    `SELECT datname FROM pg_database d WHERE datname LIKE 'seatline_test_%'
        AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.datname = d.datname)`,
  );
  for (const { datname } of rows.rows) await client.query(`DROP DATABASE IF EXISTS ${datname}`);
}

export function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

export async function onServer(
  serverUrl: string,
  work: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl(serverUrl, 'postgres') });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
