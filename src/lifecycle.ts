// Stopping a process: once, in order, and with a last resort.

import type { Log } from './log.ts';

export function stopOnSignal(log: Log, timeoutMs: number, stop: () => Promise<void>): void {
  let stopping = false;
  const begin = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    const lastResort = setTimeout(() => {
      log.error({ timeoutMs }, 'not stopped in time');
      process.exit(1);
    }, timeoutMs);
    lastResort.unref();
    stop().then(
      () => process.exit(0),
      (error: Error) => {
        log.error({ error: error.message }, 'stop failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', begin);
  process.on('SIGINT', begin);
}
