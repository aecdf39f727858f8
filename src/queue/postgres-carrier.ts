// Queues and messages over Postgres: the carrier that needs nothing but the database itself.

import { createPostgresBackend, Queue, runMigrations, Worker } from 'bullmq';
import pg from 'pg';
import type { Log } from '../log.ts';
import type { Carrier } from './carrier.ts';
import { PostgresListener } from './postgres-listener.ts';
import { errorReporter, RUN_RETRY_DELAY_MS } from './worker-defaults.ts';

export interface PostgresCarrierOptions {
  url: string;
  prefix: string;
  log: Log;
  /** At most so many workers may be open at once. */
  workersMax: number;
  commandTimeoutMs: number;
}

/** BullMQ keeps its tables in a schema of their own, beside Seatline's. */
const SCHEMA = 'bullmq';
const QUEUE_POOL_MAX = 8;
/** For what the workers themselves ask, besides listening. */
const SPARE_CONNECTIONS = 8;

/**
 * Creates BullMQ's tables where they are missing. Without them every call of every queue fails in
 * a tight loop, so this comes before anything else; safe for many processes at once.
 */
export async function prepareQueueTables(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await runMigrations(client, SCHEMA);
  } finally {
    await client.end();
  }
}

export function openPostgresCarrier(options: PostgresCarrierOptions): Carrier {
  // Each worker keeps one connection to itself, to be woken by the database; adding jobs must not
  // wait for those.
  const workerPool = openQueuePool(options, options.workersMax + SPARE_CONNECTIONS);
  const queuePool = openQueuePool(options, QUEUE_POOL_MAX);
  const messages = new pg.Pool({
    connectionString: options.url,
    max: 4,
    application_name: 'seatline-messages',
    connectionTimeoutMillis: options.commandTimeoutMs,
    query_timeout: options.commandTimeoutMs,
  });
  // Every queue and worker listens to its pool's errors; that many are no leak.
  for (const pool of [workerPool, queuePool]) pool.setMaxListeners(0);
  const listener = new PostgresListener(options.url, options.log);
  for (const each of [workerPool, queuePool, messages]) {
    each.on('error', (error) =>
      options.log.warn({ error: error.message }, 'queue connection lost'),
    );
  }
  const channelName = (channel: string) => `${options.prefix}_${channel}`;

  return {
    kind: 'postgres',
    workersMax: options.workersMax,
    openQueue: (name, queueOptions) => {
      const queue = new Queue(
        name,
        { ...queueOptions, connection: queuePool, prefix: options.prefix } as never,
        createPostgresBackend as never,
      );
      queue.on('error', (error) =>
        options.log.warn({ queue: name, error: error.message }, 'queue'),
      );
      return queue;
    },
    openWorker: (name, processor, workerOptions) => {
      const worker = new Worker(
        name,
        processor,
        {
          ...workerOptions,
          runRetryDelay: RUN_RETRY_DELAY_MS,
          connection: workerPool,
          prefix: options.prefix,
        } as never,
        createPostgresBackend as never,
      );
      worker.on('error', errorReporter(options.log, name));
      return worker;
    },
    publish: async (channel, texts) => {
      await messages.query('SELECT pg_notify($1, m) FROM unnest($2::text[]) m', [
        channelName(channel),
        texts,
      ]);
    },
    subscribe: (channel, hear) => listener.subscribe(channelName(channel), hear),
    noteActive: async (name) => {
      await messages.query(
        `INSERT INTO active_queues (name, seen_at) VALUES ($1, now())
         ON CONFLICT (name) DO UPDATE SET seen_at = now()`,
        [name],
      );
    },
    forgetActive: async (name) => {
      await messages.query('DELETE FROM active_queues WHERE name = $1', [name]);
    },
    listActive: async () => {
      const result = await messages.query<{ name: string }>('SELECT name FROM active_queues');
      return result.rows.map((row) => row.name);
    },
    onChange: (hear) => listener.onChange(hear),
    ping: async () => {
      await messages.query('SELECT 1');
    },
    close: async () => {
      await listener.close();
      await Promise.allSettled([workerPool.end(), queuePool.end(), messages.end()]);
    },
  };
}

function openQueuePool(options: PostgresCarrierOptions, max: number): pg.Pool {
  return new pg.Pool({
    connectionString: options.url,
    max,
    application_name: 'seatline-queue',
    options: `-c search_path=${SCHEMA}`,
    connectionTimeoutMillis: options.commandTimeoutMs,
    keepAlive: true,
  });
}
