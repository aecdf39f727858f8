// One pool of Postgres connections for a process, with Prisma on top of it.

import { createHash } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts';
import type { Log } from '../log.ts';
import { withRetries } from './retry.ts';

export type Transaction = Prisma.TransactionClient;

export interface DatabaseOptions {
  url: string;
  poolMax: number;
  transactionTimeoutMs: number;
  statementTimeoutMs: number;
  lockTimeoutMs: number;
  log: Log;
}

export interface Database {
  readonly prisma: PrismaClient;
  readonly pool: pg.Pool;
  readonly url: string;
  /** One statement outside any transaction. Rows come as the driver maps them. */
  query<Row>(sql: string, ...params: unknown[]): Promise<Row[]>;
  /**
   * Runs `work` in a transaction, again in a new one when the database says so.
   * @throws what `work` throws, or the database's error when retrying is of no use
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** One transaction on a connection of its own, without the short limits of the confirm path. */
  bulk<T>(work: (client: pg.Client) => Promise<T>): Promise<T>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Every statement of this pool looks rows up by key, and a sale turns the state of every row over
 * faster than statistics follow. Plans made once from empty tables, or from stale statistics, read
 * whole tables for each batch (600 ms instead of 10): so each execution is planned anew, at about
 * a millisecond a batch, and never by a scan. Large reads go through `bulk`, free of this.
 */
const SESSION = [
  // The adapter sends and reads instants as UTC, whatever the server's zone is.
  '-c TimeZone=UTC',
  '-c plan_cache_mode=force_custom_plan',
  '-c enable_seqscan=off',
  '-c enable_hashjoin=off',
  '-c enable_mergejoin=off',
].join(' ');

export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolMax,
    application_name: 'seatline',
    // A database that is away must be noticed well inside the confirm deadline.
    connectionTimeoutMillis: options.lockTimeoutMs,
    query_timeout: options.statementTimeoutMs + 500,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs,
    idle_in_transaction_session_timeout: options.transactionTimeoutMs,
    keepAlive: true,
    options: SESSION,
  });
  pool.on('error', (error) =>
    options.log.warn({ error: error.message }, 'idle database connection lost'),
  );
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool, { statementNameGenerator }),
    transactionOptions: {
      maxWait: options.lockTimeoutMs,
      timeout: options.transactionTimeoutMs,
    },
  });
  return {
    prisma,
    pool,
    url: options.url,
    query: (sql, ...params) => prisma.$queryRawUnsafe(sql, ...params),
    transaction: (work) => withRetries(() => prisma.$transaction(work), options.log),
    bulk: (work) => bulkTransaction(options.url, work),
    ping: async () => {
      await prisma.$queryRawUnsafe('SELECT 1');
    },
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

/** Prepared once a connection; Postgres would plan each statement anew otherwise. */
function statementNameGenerator(query: { sql: string }): string {
  return `s_${createHash('sha1').update(query.sql).digest('base64url')}`;
}

/** A large import may take minutes; it must not take a connection from the confirm path. */
const BULK_STATEMENT_TIMEOUT_MS = 300_000;

async function bulkTransaction<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'seatline-bulk',
    statement_timeout: BULK_STATEMENT_TIMEOUT_MS,
  });
  await client.connect();
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    await client.end();
  }
}
