// What a worker does with one batch: decide it, and tell the process whose callers wait.

import { databaseFate } from '../faults/database-errors.ts';
import type { Log } from '../log.ts';
import type { Carrier } from '../queue/carrier.ts';
import type { BatchJob, BatchReply } from './batch.ts';
import { type DecideOptions, decideBatch } from './decide/decide-batch.ts';
import { refuse, type Verdict } from './verdict.ts';

/** Postgres carries at most 8,000 bytes a message; a longer reply goes in parts. */
const MESSAGE_MAX_BYTES = 7_500;

export interface WorkOptions extends DecideOptions {
  carrier: Carrier;
  log: Log;
  onDecided?: (facts: { queuedMs: number; tookMs: number; verdicts: Verdict[] }) => void;
}

/** @throws nothing that a retry of the job could mend: callers cannot wait for one */
export async function workBatch(options: WorkOptions, job: BatchJob): Promise<void> {
  const startedAt = options.clock.now().getTime();
  const verdicts = await decide(options, job);
  const tookMs = options.clock.now().getTime() - startedAt;
  await reply(options, job, verdicts);
  options.onDecided?.({ queuedMs: startedAt - job.enrolledAt, tookMs, verdicts });
  options.log.info(
    {
      batchId: job.batchId,
      eventId: job.eventId,
      queuedMs: startedAt - job.enrolledAt,
      tookMs,
      verdicts: job.requests.map((r, i) => [r.paymentId, verdicts[i]?.code, verdicts[i]?.position]),
    },
    'batch decided',
  );
}

async function decide(options: WorkOptions, job: BatchJob): Promise<Verdict[]> {
  const now = options.clock.now().getTime();
  // Nobody hears these answers any more; their callers have settled the matter themselves.
  if (job.requests.every((request) => request.decideBy < now)) {
    return job.requests.map(() => refuse('timed_out'));
  }
  try {
    return await decideBatch(options, job.eventId, job.requests);
  } catch (error) {
    const line = { batchId: job.batchId, error: (error as Error).message };
    if (databaseFate(error) === 'fail') options.log.error(line, 'batch failed');
    else options.log.warn(line, 'database away');
    return job.requests.map(() => refuse('unavailable'));
  }
}

async function reply(options: WorkOptions, job: BatchJob, verdicts: Verdict[]): Promise<void> {
  try {
    await options.carrier.publish(job.replyTo, partsOf(job.batchId, verdicts));
  } catch (error) {
    // The verdicts are in the database, where those who wait look as well.
    options.log.warn({ batchId: job.batchId, error: (error as Error).message }, 'reply lost');
  }
}

function partsOf(batchId: string, verdicts: Verdict[]): string[] {
  const parts: string[] = [];
  let part: BatchReply['verdicts'] = [];
  let bytes = 0;
  const flush = () => {
    if (part.length > 0) parts.push(JSON.stringify({ batchId, verdicts: part }));
    part = [];
    bytes = 0;
  };
  verdicts.forEach((verdict, index) => {
    const size = Buffer.byteLength(JSON.stringify([index, verdict])) + 1;
    // One party so large that it fills a message by itself is found in the database instead.
    if (size > MESSAGE_MAX_BYTES - 100) return;
    if (bytes + size > MESSAGE_MAX_BYTES - 100) flush();
    part.push([index, verdict]);
    bytes += size;
  });
  flush();
  return parts;
}
