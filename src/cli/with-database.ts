// What every command that works on the database does before and after its work.

import { systemClock } from '../clock.ts';
import { type Config, readConfig } from '../config.ts';
import { openDatabase } from '../db/database.ts';
import { pendingMigrations } from '../db/migrate.ts';
import { gatewayOf } from '../dependencies.ts';
import { createLog } from '../log.ts';
import type { SettleOptions } from '../payments/settle-payment.ts';
import { setUpDatabase } from './set-up-database.ts';

export interface CommandTools extends SettleOptions {
  config: Config;
}

export class DatabaseNotReady extends Error {
  constructor(pending: string[]) {
    super(`The database lacks ${pending.join(', ')}. Start the service once.`);
  }
}

/**
 * @param say where progress is told; stdout belongs to the command's answer
 * @throws ConfigError, DatabaseNotReady, or what `work` throws
 */
export async function withDatabase<T>(
  work: (tools: CommandTools) => Promise<T>,
  say: (line: string) => void,
): Promise<T> {
  // A command serves nobody: it needs no more of the environment than a worker does.
  const config = readConfig({ ...process.env, ROLE: 'worker' });
  const log = createLog('silent');
  const place = await setUpDatabase(config.database.url, 'service', say);
  const database = openDatabase({ ...config.database, url: place.url, log });
  try {
    const pending = await pendingMigrations(database.pool);
    if (pending.length > 0) throw new DatabaseNotReady(pending);
    const clock = systemClock;
    return await work({ config, database, clock, log, ...gatewayOf(config, clock) });
  } finally {
    await database.close();
    await place.stop();
  }
}
