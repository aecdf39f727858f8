// What travels through an event's queue: requests in order of arrival, and the verdicts back.

import type { Gateway } from '../portone/gateway.ts';
import type { Verdict } from './verdict.ts';

/** A confirm request that passed the door and entered its event's queue. */
export interface EnrolledRequest {
  gateway: Gateway;
  paymentId: string;
  merchantUid: string;
  amount: number | null;
  /** Not decided after this instant (ms since 1970): nobody would hear the answer. */
  decideBy: number;
  /** The caller stops waiting at this instant (ms since 1970). */
  answerBy: number;
}

/** The payload of one job: arrival order is decision order. */
export interface BatchJob {
  batchId: string;
  eventId: number;
  /** The channel of the process whose callers wait for these verdicts. */
  replyTo: string;
  enrolledAt: number;
  requests: EnrolledRequest[];
}

/** The verdicts of one batch or of a part of it, each with its index in the batch. */
export interface BatchReply {
  batchId: string;
  verdicts: [index: number, verdict: Verdict][];
}
