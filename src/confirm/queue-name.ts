// The names under which an event's queue is known to every process.

const PREFIX = 'confirm-';

/** Messages on this channel name queues that have something to do. */
export const ACTIVE_CHANNEL = 'active';

export function confirmQueueName(eventId: number): string {
  return `${PREFIX}${eventId}`;
}

/** The channel on which one process hears the verdicts that its callers wait for. */
export function replyChannel(processId: string): string {
  return `replies_${processId}`;
}
