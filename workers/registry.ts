// Every duty that runs behind the HTTP side, on one page: job -> handler.

import type { Worker } from 'bullmq';
import type { BatchJob } from '../src/confirm/batch.ts';
import { ACTIVE_CHANNEL } from '../src/confirm/queue-name.ts';
import { workBatch } from '../src/confirm/work.ts';
import type { Dependencies } from '../src/dependencies.ts';
import { EXPIRY_QUEUE } from '../src/expiry/job.ts';
import { sweep } from '../src/expiry/sweep.ts';
import { ActiveWorkers } from '../src/queue/active-workers.ts';
import { workInbox } from '../src/settlement/inbox.ts';
import { SETTLEMENT_QUEUE, type WebhookJob } from '../src/settlement/job.ts';
import { workRefunds } from '../src/settlement/refunds.ts';
import { openDuty } from './duty.ts';

/**
 * Short, so that a worker killed in mid-batch holds its event up for no more than about two
 * seconds. A stalled event loop may lose its lock while it works: a batch may safely run twice.
 */
const CONFIRM_LOCK = { lockDuration: 1_500, stalledInterval: 700, maxStalledCount: 50 };
/** PortOne may take its time with each of many. */
const GATEWAY_LOCK = { lockDuration: 30_000, stalledInterval: 15_000, maxStalledCount: 50 };
const SETTLEMENT_CONCURRENCY = 8;
const EXPIRY_CONCURRENCY = 2;

export interface Workers {
  stop(): Promise<void>;
}

export async function startWorkers(d: Dependencies): Promise<Workers> {
  const everyMs = d.config.sweep.intervalMs;
  const limit = d.config.sweep.batchMax;
  const inbox = { ...d, onSettled: d.metrics.settled };
  const confirm = confirmWorkers(d);
  const settlement = openDuty<WebhookJob | undefined>(d, {
    queue: SETTLEMENT_QUEUE,
    concurrency: SETTLEMENT_CONCURRENCY,
    lock: GATEWAY_LOCK,
    handlers: {
      webhooks: (data) => workInbox(inbox, limit, data?.webhookIds ?? []),
      inbox: () => workInbox(inbox, limit),
      refunds: () => workRefunds(d, limit),
    },
    every: { inbox: everyMs, refunds: everyMs },
  });
  const expiry = openDuty(d, {
    queue: EXPIRY_QUEUE,
    concurrency: EXPIRY_CONCURRENCY,
    lock: GATEWAY_LOCK,
    handlers: { sweep: async () => d.metrics.swept(await sweep(d, limit)) },
    every: { sweep: everyMs },
  });
  await Promise.all([confirm.start(), settlement.start(), expiry.start()]);
  return {
    stop: async () => {
      await Promise.all([confirm.stop(), settlement.stop(), expiry.stop()]);
    },
  };
}

function confirmWorkers(d: Dependencies): ActiveWorkers {
  const { carrier, clock, log, database, config, metrics } = d;
  const { searchWindowMax } = config.confirm;
  const options = { carrier, clock, log, database, searchWindowMax, onDecided: metrics.decided };
  return new ActiveWorkers({
    carrier,
    clock,
    log,
    channel: ACTIVE_CHANNEL,
    idleMs: config.queue.idleMs,
    open: (name): Worker =>
      carrier.openWorker<BatchJob>(name, (job) => workBatch(options, job.data), {
        concurrency: 1,
        // A new job wakes it at once. Looking once a second besides costs an open event little, and
        // finds the jobs that another worker left waiting when it was told to stop.
        drainDelay: 1,
        ...CONFIRM_LOCK,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 100 },
      }),
  });
}
