// Chooses what carries the queues: Redis where it is configured, else the database itself.

import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { Carrier } from './carrier.ts';
import { openPostgresCarrier, prepareQueueTables } from './postgres-carrier.ts';
import { openRedisCarrier } from './redis-carrier.ts';

/** A carrier that does not answer within this time is away. */
const COMMAND_TIMEOUT_MS = 1_500;
/** Each open worker keeps a connection, of the hundred that Postgres allows by default. */
const POSTGRES_WORKERS_MAX = 24;

export async function prepareCarrier(config: Config, databaseUrl: string): Promise<void> {
  if (config.queue.redisUrl === undefined) await prepareQueueTables(databaseUrl);
}

export function openCarrier(config: Config, databaseUrl: string, log: Log): Carrier {
  const { redisUrl, prefix } = config.queue;
  const common = { prefix, log, commandTimeoutMs: COMMAND_TIMEOUT_MS };
  return redisUrl === undefined
    ? openPostgresCarrier({ ...common, url: databaseUrl, workersMax: POSTGRES_WORKERS_MAX })
    : openRedisCarrier({ ...common, url: redisUrl });
}
