// Brings a database to this version's schema, as `prisma migrate deploy` would, without its engine.

import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { projectRoot } from '../root.ts';

/** The very key that Prisma's own engine locks, so that the two never run side by side. */
const ADVISORY_LOCK_KEY = 72_707_369;

const LEDGER = `
CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum VARCHAR(64) NOT NULL,
  finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL,
  logs TEXT,
  rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`;

export interface Migration {
  name: string;
  sql: string;
  /** SHA-256 of the file in hex, as Prisma records it. */
  checksum: string;
}

interface Applied {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

export function readMigrations(folder = join(projectRoot, 'prisma', 'migrations')): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

/**
 * Applies what is missing, one transaction a migration, under a lock that makes it safe for any
 * number of processes to start at once.
 * @returns the names applied by this call
 * @throws Error when a migration failed earlier or was changed after it was applied
 */
export async function migrate(url: string, migrations = readMigrations()): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'seatline-migrate' });
  // A connection that is cut fails the statement it was cut in.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK_KEY]);
    await client.query(LEDGER);
    const pending = pendingOf(migrations, await applied(client));
    for (const migration of pending) await apply(client, migration);
    return pending.map((m) => m.name);
  } finally {
    await client.end();
  }
}

/** Names of migrations that this version has and the database has not. */
export async function pendingMigrations(pool: pg.Pool): Promise<string[]> {
  const ledger = await pool.query("SELECT to_regclass('_prisma_migrations') AS name");
  if (ledger.rows[0]?.name === null) return readMigrations().map((m) => m.name);
  return pendingOf(readMigrations(), await applied(pool)).map((m) => m.name);
}

async function applied(client: pg.Client | pg.Pool): Promise<Applied[]> {
  const result = await client.query<Applied>(
    `SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
  );
  return result.rows;
}

function pendingOf(migrations: Migration[], rows: Applied[]): Migration[] {
  const byName = new Map(rows.map((row) => [row.migration_name, row]));
  for (const migration of migrations) {
    const row = byName.get(migration.name);
    if (row && row.finished_at === null) {
      throw new Error(
        `migration ${migration.name} failed earlier; resolve it with \`prisma migrate resolve\``,
      );
    }
    if (row && row.checksum !== migration.checksum) {
      throw new Error(
        `migration ${migration.name} was changed after it was applied; add a new one instead`,
      );
    }
  }
  return migrations.filter((m) => !byName.has(m.name));
}

/** Whoever waits for a table makes everybody behind it wait: a sale must not stand still for a dump. */
const LOCK_TIMEOUT_MS = 2_000;
const LOCK_TRIES_MAX = 30;
const LOCK_NOT_AVAILABLE = '55P03';

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await applyOnce(client, migration);
    } catch (error) {
      const cause = (error as Error).cause as { code?: string } | undefined;
      if (cause?.code !== LOCK_NOT_AVAILABLE || tries >= LOCK_TRIES_MAX) throw error;
      await pause(LOCK_TIMEOUT_MS);
    }
  }
}

async function applyOnce(client: pg.Client, migration: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query(migration.sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)
       VALUES ($1, $2, clock_timestamp(), $3, 1)`,
      [randomUUID(), migration.checksum, migration.name],
    );
    await client.query('COMMIT');
  } catch (error) {
    // Where the connection is gone, so is the transaction.
    await client.query('ROLLBACK').catch(() => undefined);
    throw new Error(`migration ${migration.name} failed: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
