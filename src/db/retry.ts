// A transaction that lost a race is run again, as a new transaction, a few times, not at once.

import { setTimeout as pause } from 'node:timers/promises';
import { databaseFate } from '../faults/database-errors.ts';
import type { Log } from '../log.ts';

const TRIES_MAX = 4;
/** Full jitter up to 10, 20, 40 ms: losers of one race must not meet again. */
const BACKOFF_BASE_MS = 10;

export async function withRetries<T>(attempt: () => Promise<T>, log: Log): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tries >= TRIES_MAX || databaseFate(error) !== 'retry') throw error;
      log.debug({ tries, error: (error as Error).message }, 'transaction retried');
      await pause(Math.random() * BACKOFF_BASE_MS * 2 ** tries);
    }
  }
}
