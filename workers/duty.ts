// One duty: a queue, its handlers by job name, and the jobs that come round by the clock.

import type { WorkerOptions } from 'bullmq';
import type { Log } from '../src/log.ts';
import type { Carrier } from '../src/queue/carrier.ts';

const SCHEDULE_EVERY_MS = 10_000;
/** Below the time that a whole process has to stop. */
const STOP_LIMIT_MS = 6_000;

export interface DutyOptions<Data> {
  queue: string;
  concurrency: number;
  lock: Pick<WorkerOptions, 'lockDuration' | 'stalledInterval' | 'maxStalledCount'>;
  handlers: Record<string, (data: Data) => Promise<unknown>>;
  /** Milliseconds between two runs, by job name. */
  every: Record<string, number>;
}

export interface Duty {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function openDuty<Data>(
  { carrier, log }: { carrier: Carrier; log: Log },
  options: DutyOptions<Data>,
): Duty {
  const queue = carrier.openQueue(options.queue);
  const worker = carrier.openWorker<Data>(
    options.queue,
    async (job) => {
      const handle = options.handlers[job.name];
      if (!handle) log.warn({ queue: options.queue, job: job.name }, 'unknown job dropped');
      else await attempt(log, options.queue, job.name, () => handle(job.data));
    },
    {
      concurrency: options.concurrency,
      ...options.lock,
      autorun: false,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    },
  );
  const schedule = async () => {
    for (const [name, every] of Object.entries(options.every)) {
      await queue.upsertJobScheduler(name, { every }, { name });
    }
  };
  const scheduleAgain = () => {
    schedule().catch((error: Error) => log.warn({ error: error.message }, 'not scheduled'));
  };
  let ticker: NodeJS.Timeout | undefined;
  return {
    start: async () => {
      await schedule();
      // The carrier may lose the clock's jobs, at a restart or in silence; they are put back.
      carrier.onChange((up) => {
        if (up) scheduleAgain();
      });
      ticker = setInterval(scheduleAgain, SCHEDULE_EVERY_MS);
      worker.run().catch((error: Error) => log.warn({ error: error.message }, 'duty stopped'));
    },
    stop: async () => {
      clearInterval(ticker);
      await closeWithin(worker, STOP_LIMIT_MS);
      await queue.close();
    },
  };
}

/** What it claimed and did not finish falls due again by itself. */
async function closeWithin(worker: { close(force?: boolean): Promise<void> }, limitMs: number) {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, limitMs, true);
  });
  const isLate = await Promise.race([worker.close().then(() => false), late]);
  clearTimeout(timer);
  if (isLate) await worker.close(true);
}

/** A run that failed is no error of the next one: what is due is in the database. */
async function attempt(
  log: Log,
  queue: string,
  job: string,
  run: () => Promise<unknown>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    log.warn({ queue, job, error: (error as Error).message }, 'run failed; the next one goes on');
  }
}
