// The settlement queue: its name and what travels through it.

export const SETTLEMENT_QUEUE = 'settlement';

/** A webhook that was just stored; the inbox in the database is the truth. */
export interface WebhookJob {
  webhookId: number;
}
