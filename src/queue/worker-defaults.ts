// What every worker has in common, whatever carries its queue.

import type { Log } from '../log.ts';

/**
 * How long a worker that lost its carrier waits before it looks again. BullMQ's own 15 s would keep
 * a sale waiting for so long after the carrier is back.
 */
export const RUN_RETRY_DELAY_MS = 500;

const QUIET_MS = 1_000;

/** Reports a worker's errors, at most one a second: while a carrier is away they come in floods. */
export function errorReporter(log: Log, queue: string): (error: Error) => void {
  let quietUntil = 0;
  return (error) => {
    const now = performance.now();
    if (now < quietUntil) return;
    quietUntil = now + QUIET_MS;
    log.warn({ queue, error: error.message }, 'worker');
  };
}
