// Every duty that runs behind the HTTP side, on one page: job -> handler.

import type { Worker } from 'bullmq';
import type { BatchJob } from '../src/confirm/batch.ts';
import { ACTIVE_CHANNEL } from '../src/confirm/queue-name.ts';
import { workBatch } from '../src/confirm/work.ts';
import type { Dependencies } from '../src/dependencies.ts';
import { EXPIRY_QUEUE } from '../src/expiry/job.ts';
import { proveHolds } from '../src/expiry/prove-holds.ts';
import { sweep } from '../src/expiry/sweep.ts';
import { isRegistering } from '../src/orders/register-amounts.ts';
import { workAmounts } from '../src/orders/work-amounts.ts';
import { ActiveWorkers } from '../src/queue/active-workers.ts';
import { RECONCILIATION_QUEUE } from '../src/reconciliation/job.ts';
import { reconcileBySchedule } from '../src/reconciliation/schedule.ts';
import { workRefunds } from '../src/refunds/work-refunds.ts';
import { workInbox } from '../src/settlement/inbox.ts';
import { SETTLEMENT_QUEUE, type WebhookJob } from '../src/settlement/job.ts';
import { type Duty, openDuty } from './duty.ts';

/**
 * Short, so that a worker killed in mid-batch holds its event up for no more than about two
 * seconds. A stalled event loop may lose its lock while it works: a batch may safely run twice.
 */
const CONFIRM_LOCK = { lockDuration: 1_500, stalledInterval: 700, maxStalledCount: 50 };
/** Renewed while the work lasts; the rounds of a worker that was killed pause for some seconds. */
const GATEWAY_LOCK = { lockDuration: 6_000, stalledInterval: 3_000, maxStalledCount: 50 };
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
  const registering = isRegistering(d.config.portone, d.portone);
  const settlement = openDuty<WebhookJob | undefined>(d, {
    queue: SETTLEMENT_QUEUE,
    concurrency: SETTLEMENT_CONCURRENCY,
    lock: GATEWAY_LOCK,
    handlers: {
      webhooks: (data) => workInbox(inbox, limit, data?.webhookIds ?? []),
      inbox: () => workInbox(inbox, limit),
      refunds: () => workRefunds(d, limit),
      // The carrier may remember the round of a process for which it was on.
      amounts: async () => registering && workAmounts(d, limit),
    },
    every: { inbox: everyMs, refunds: everyMs, ...(registering ? { amounts: everyMs } : {}) },
  });
  const expiry = openDuty(d, {
    queue: EXPIRY_QUEUE,
    concurrency: EXPIRY_CONCURRENCY,
    lock: GATEWAY_LOCK,
    handlers: {
      sweep: async () => d.metrics.swept(await sweep(d, limit)),
      prove: () => proveHolds(d, limit, d.config.portone.checkAfterMs / 2),
    },
    every: { sweep: everyMs, prove: everyMs },
  });
  const reconciliation = reconciliationDuty(d);
  await Promise.all([confirm.start(), settlement.start(), expiry.start(), reconciliation.start()]);
  return {
    stop: async () => {
      await Promise.all([confirm.stop(), settlement.stop(), expiry.stop(), reconciliation.stop()]);
    },
  };
}

/** Off with an interval of 0. A stop ends a run in order; the next one begins where it began. */
function reconciliationDuty(d: Dependencies): Duty {
  const { intervalMs, settleMs } = d.config.reconcile;
  const nothing = async () => undefined;
  if (intervalMs === 0) return { start: nothing, stop: nothing };
  const stopping = new AbortController();
  const options = { ...d, intervalMs, settleMs, signal: stopping.signal };
  const duty = openDuty(d, {
    queue: RECONCILIATION_QUEUE,
    concurrency: 1,
    lock: GATEWAY_LOCK,
    handlers: { reconcile: () => reconcileBySchedule(options) },
    every: { reconcile: intervalMs },
  });
  return {
    start: duty.start,
    stop: () => {
      stopping.abort(new Error('the process stops'));
      return duty.stop();
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
