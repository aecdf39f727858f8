/** What the sandbox remembers of each payment, for auditors and tests. */

import type { CancelRefusal, ConfirmAnswer, Dialect, PayMethod, PaymentState } from './types.ts';

export interface VirtualAccount {
  bankCode: string;
  bankName: string;
  bank: string;
  number: string;
  holder: string;
  issuedAtMs: number;
  dueAtMs: number;
  closedAtMs: number | null;
}

export interface Cancellation {
  id: string;
  pgTid: string;
  amount: number;
  reason: string;
  /** When it was asked for. */
  atMs: number;
  requester: 'api' | 'console';
  /** requested: taken, and not carried out yet; failed: the PG could not carry it out after all. */
  status: 'succeeded' | 'requested' | 'failed';
  /** When the money went back. */
  doneAtMs: number | null;
}

interface Arrival {
  atMs: number;
  /** V2 only, as it was sent, with its quotes. */
  idempotencyKey: string | null;
  /** null: no answer reached the caller (yet), or it was made in the console. */
  status: number | null;
}

/**
 * open: still being worked on. replayed, outstanding: a key that was known, answered without doing
 * anything. rejected: the door did not let it in (body, token, secret). fault: a fault of the tester's
 * answered instead.
 */
type Door = 'open' | 'replayed' | 'outstanding' | 'rejected' | 'fault';

/** One wish for money back, whatever became of it. */
export interface CancelRequestRecord extends Arrival {
  requester: Cancellation['requester'];
  /** As it was asked; null: all that is left. */
  amount: number | null;
  reason: string;
  /** V1 `checksum`, V2 `currentCancellableAmount`. */
  checksum: number | null;
  outcome: Door | CancelRefusal | 'accepted';
  cancellationId: string | null;
}

/** One call of V2's manual confirm, whatever became of it. */
export interface ChargeRequestRecord extends Arrival {
  outcome:
    | Door
    | 'charged'
    | 'already_paid'
    | 'token'
    | 'expired'
    | 'mismatch'
    | 'declined'
    | 'pg_refused';
}

export type RequestOutcome = CancelRequestRecord['outcome'] | ChargeRequestRecord['outcome'];

export interface Dispute {
  reason: string;
  createdAtMs: number;
  resolvedAtMs: number | null;
}

/** What a webhook tells. `opened`, `failed`, `pending` and the disputes exist on V2 only. */
export type GatewayEvent =
  | 'opened'
  | 'issued'
  | 'paid'
  | 'failed'
  /** The late failure of an asynchronous method, the one failure that V1 tells of too. */
  | 'failed_late'
  | 'pending'
  | 'cancel_pending'
  | 'partly_cancelled'
  | 'cancelled'
  | 'dispute_created'
  | 'dispute_resolved';

/** Why it was sent, as V2 prints it; null: because of a call that was answered at the same time. */
export type WebhookTrigger =
  | 'MANUAL'
  | 'VIRTUAL_ACCOUNT_DEPOSIT'
  | 'ASYNC_CANCEL_APPROVED'
  | 'ASYNC_PAY_APPROVED'
  | 'ASYNC_PAY_FAILED'
  | 'ASYNC_PAY_PENDING'
  | 'DISPUTE_CREATED'
  | 'DISPUTE_RESOLVED';

export interface WebhookAttempt {
  atMs: number;
  status: number | null;
  error: string | null;
  /** null until an answer came. */
  answeredAtMs: number | null;
  /** The beginning of what was answered. */
  answer: string | null;
}

export interface WebhookRecord {
  id: string;
  event: GatewayEvent;
  trigger: WebhookTrigger | null;
  /** The word on the wire: V1 status, 2024-01-01 status or 2024-04-25 type. */
  says: string;
  url: string;
  fate: 'waiting' | 'sent' | 'delivered' | 'given_up' | 'lost' | 'silenced';
  body: string;
  attempts: WebhookAttempt[];
}

export interface HistoryEntry {
  atMs: number;
  state: PaymentState;
  why: string;
}

export interface BookEntry {
  dialect: Dialect;
  paymentId: string;
  merchantUid: string;
  amount: number;
  currency: string;
  method: PayMethod;
  test: boolean;
  state: PaymentState;
  everPaid: boolean;
  cancelledAmount: number;
  /** Money the merchant has: paid less cancelled. */
  kept: number;
  confirms: ConfirmAnswer[];
  webhooks: WebhookRecord[];
  /** Those that were taken; only `succeeded` ones moved money. */
  cancellations: Cancellation[];
  /** Every wish that arrived, taken or not, repeats included. */
  cancelRequests: CancelRequestRecord[];
  /** Every call of the manual confirm for this attempt. */
  chargeRequests: ChargeRequestRecord[];
  disputes: Dispute[];
  history: HistoryEntry[];
  failReason: string | null;
}

export interface BookTotals {
  attempts: number;
  notOpened: number;
  states: Record<PaymentState, number>;
  everPaid: number;
  paidAmount: number;
  cancelledAmount: number;
  kept: number;
  confirms: number;
  confirmsAnswered200: number;
}

export interface Books {
  payments: BookEntry[];
  /** Wishes to cancel what the gateway has never heard of. */
  strayCancelRequests: CancelRequestRecord[];
  totals: BookTotals;
}
