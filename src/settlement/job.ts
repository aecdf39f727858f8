// The settlement queue: its name and what travels through it.

export const SETTLEMENT_QUEUE = 'settlement';

/** Webhooks that were just stored; the inbox in the database is the truth. */
export interface WebhookJob {
  webhookIds: number[];
}
