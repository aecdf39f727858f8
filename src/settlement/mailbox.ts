// Takes webhooks in: those that come together are stored together, then the workers are told.

import type { Queue } from 'bullmq';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import type { Log } from '../log.ts';
import { Gatherer } from '../queue/gatherer.ts';
import { type IncomingWebhook, storeWebhooks } from './inbox.ts';
import type { WebhookJob } from './job.ts';

const BATCH_MAX = 200;

export interface MailboxOptions {
  database: Database;
  clock: Clock;
  log: Log;
  queue: Queue;
  waitingMax: number;
}

export interface Mailbox {
  /**
   * Resolves once the webhook is durably stored.
   * @returns its id, or null for a repeat that was stored before
   */
  post(webhook: IncomingWebhook): Promise<number | null>;
}

export function openMailbox({ database, clock, log, queue, waitingMax }: MailboxOptions): Mailbox {
  const limits = { batchMax: BATCH_MAX, inFlightMax: 1, waitingMax };
  const announcements = new Gatherer<number, undefined>({
    ...limits,
    run: async (webhookIds) => {
      const job: WebhookJob = { webhookIds };
      await queue.add('webhooks', job, { removeOnComplete: true, removeOnFail: true });
      return webhookIds.map(() => undefined);
    },
  });
  const arrivals = new Gatherer<IncomingWebhook, number | null>({
    ...limits,
    run: (webhooks) => storeWebhooks(database, clock, webhooks),
  });
  return {
    post: async (webhook) => {
      const webhookId = await arrivals.add(webhook);
      // Not waited for, and allowed to fail: the inbox is swept every second as well.
      if (webhookId !== null) {
        announcements.add(webhookId).catch((error: Error) => {
          log.warn({ webhookId, error: error.message }, 'webhook left to the sweep');
        });
      }
      return webhookId;
    },
  };
}
