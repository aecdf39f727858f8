// Migrations: applied once whoever comes first, recorded as Prisma would, all or nothing.

import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { migrate, pendingMigrations, readMigrations } from '../../src/db/migrate.ts';
import { projectRoot } from '../../src/root.ts';
import { databaseUrl, onServer } from '../support/global-setup.ts';
import { until } from '../support/wait.ts';

const run = promisify(execFile);
const tsx = join(projectRoot, 'node_modules', 'tsx', 'dist', 'cli.mjs');
const PROCESSES = 10;

let url: string;
let pool: pg.Pool;
let folder: string;

beforeEach(async () => {
  const name = `seatline_test_${randomBytes(6).toString('hex')}`;
  await onServer(inject('postgresUrl'), (c) => c.query(`CREATE DATABASE ${name}`));
  url = databaseUrl(inject('postgresUrl'), name);
  pool = new pg.Pool({ connectionString: url, max: 2 });
  // The database is dropped under connections that are still saying goodbye.
  pool.on('error', () => undefined);
  folder = await mkdtemp(join(tmpdir(), 'seatline-migrations-'));
});
afterEach(async () => {
  await pool.end();
  const name = new URL(url).pathname.slice(1);
  await onServer(inject('postgresUrl'), (c) => c.query(`DROP DATABASE ${name} WITH (FORCE)`));
  await rm(folder, { recursive: true, force: true });
});

async function write(name: string, sql: string): Promise<void> {
  await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, name, 'migration.sql'), sql);
}

const tables = async () =>
  (
    await pool.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace
          AND relkind = 'r' ORDER BY relname`,
    )
  ).rows.map((row) => row.name);

describe('migrate', () => {
  test(`${PROCESSES} processes at once on an empty database: each migration is applied once`, async () => {
    const script = join(projectRoot, 'test', 'support', 'migrate-process.ts');
    const results = await Promise.all(
      Array.from({ length: PROCESSES }, () => run(process.execPath, [tsx, script, url])),
    );
    const applied = results.flatMap((result) => JSON.parse(result.stdout) as string[]);
    const names = readMigrations().map((migration) => migration.name);
    expect(applied.sort()).toEqual(names);
    const ledger = await pool.query('SELECT migration_name FROM _prisma_migrations ORDER BY 1');
    expect(ledger.rows.map((row) => row.migration_name)).toEqual(names);
    expect(await tables()).toContain('seats');
  });

  test("the ledger reads as Prisma's own: checksum of the file, finished, one step", async () => {
    await migrate(url);
    const ledger = await pool.query(
      `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished, rolled_back_at,
              logs, applied_steps_count AS steps, length(id) AS id FROM _prisma_migrations
        ORDER BY started_at, migration_name`,
    );
    const expected = readMigrations().map(({ name }) => {
      const file = readFileSync(join(projectRoot, 'prisma', 'migrations', name, 'migration.sql'));
      return {
        name,
        checksum: createHash('sha256').update(file).digest('hex'),
        finished: true,
        rolled_back_at: null,
        logs: null,
        steps: 1,
        id: 36,
      };
    });
    expect(ledger.rows).toEqual(expected);
    expect(await pendingMigrations(pool)).toEqual([]);
  });

  test('run again it applies nothing; a new file alone is applied', async () => {
    await write('1_first', 'CREATE TABLE first (id int)');
    expect(await migrate(url, readMigrations(folder))).toEqual(['1_first']);
    expect(await migrate(url, readMigrations(folder))).toEqual([]);
    await write('2_second', 'CREATE TABLE second (id int)');
    expect(await migrate(url, readMigrations(folder))).toEqual(['2_second']);
    expect(await tables()).toEqual(['_prisma_migrations', 'first', 'second']);
  });

  test('a file that was changed after it was applied is refused, and nothing after it is applied', async () => {
    await write('1_first', 'CREATE TABLE first (id int)');
    await migrate(url, readMigrations(folder));
    await write('1_first', 'CREATE TABLE first (id bigint)');
    await write('2_second', 'CREATE TABLE second (id int)');
    await expect(migrate(url, readMigrations(folder))).rejects.toThrow(/1_first was changed/);
    expect(await tables()).toEqual(['_prisma_migrations', 'first']);
  });

  test('one that fails leaves nothing of itself, says so, and can be mended and run', async () => {
    await write('1_first', 'CREATE TABLE first (id int)');
    await write('2_broken', 'CREATE TABLE half (id int); SELECT 1 / 0');
    await expect(migrate(url, readMigrations(folder))).rejects.toThrow(/2_broken failed: division/);
    expect(await tables()).toEqual(['_prisma_migrations', 'first']);
    await write('2_broken', 'CREATE TABLE whole (id int)');
    expect(await migrate(url, readMigrations(folder))).toEqual(['2_broken']);
    expect(await tables()).toEqual(['_prisma_migrations', 'first', 'whole']);
  });

  test('one whose connection is cut says so, and is applied by the next start', async () => {
    await write('1_first', 'CREATE TABLE first (id int); SELECT pg_advisory_xact_lock(1)');
    const holder = new pg.Client(url);
    await holder.connect();
    await holder.query('SELECT pg_advisory_lock(1)');
    const migrated = migrate(url, readMigrations(folder));
    migrated.catch(() => undefined);
    await until('it is cut', async () => {
      const { rowCount } = await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND query LIKE '%pg_advisory_xact_lock(1)%'
            AND application_name = 'seatline-migrate' AND state = 'active'`,
      );
      return rowCount === 1;
    });
    await expect(migrated).rejects.toThrow(/1_first failed: .*(terminat|connection)/i);
    await holder.end();
    expect(await migrate(url, readMigrations(folder))).toEqual(['1_first']);
  });

  test("one that Prisma's own tool left half done is refused until a person has resolved it", async () => {
    await write('1_first', 'CREATE TABLE first (id int)');
    await migrate(url, readMigrations(folder));
    await pool.query('UPDATE _prisma_migrations SET finished_at = NULL');
    await expect(migrate(url, readMigrations(folder))).rejects.toThrow(/failed earlier/);
    await pool.query('UPDATE _prisma_migrations SET rolled_back_at = now()');
    await pool.query('DROP TABLE first');
    expect(await migrate(url, readMigrations(folder))).toEqual(['1_first']);
  });

  test('a table that is in use is waited for in short turns, and nobody waits behind it for long', async () => {
    await write('1_first', 'CREATE TABLE first (id int)');
    await migrate(url, readMigrations(folder));
    const reader = new pg.Client(url);
    await reader.connect();
    await reader.query('BEGIN');
    await reader.query('SELECT * FROM first');
    await write('2_second', 'ALTER TABLE first ADD COLUMN more int');
    const migrated = migrate(url, readMigrations(folder));
    await until('it waits for the table', async () => {
      const { rows } = await pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      return rows.length > 0;
    });
    // Behind the one that waits; it is let through when that one gives way.
    await pool.query('SELECT * FROM first');
    await reader.end();
    expect(await migrated).toEqual(['2_second']);
  });

  test('what is pending is told without touching the database', async () => {
    expect(await pendingMigrations(pool)).toEqual(readMigrations().map((m) => m.name));
    expect(await tables()).toEqual([]);
  });
});
