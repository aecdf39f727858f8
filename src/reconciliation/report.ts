// What a reconciliation tells: each difference and what was done about it, and the money.

import type { Settled } from '../payments/settle-payment.ts';
import type { Gateway } from '../portone/gateway.ts';
import type { Account, Difference } from './compare.ts';

export type Repair =
  /** Nothing was done: a dry run. */
  | 'none'
  | 'settled'
  /** Beyond what settling mends: on the organizer's list of cases. */
  | 'case_open'
  /** A case about this very difference was closed by the organizer. */
  | 'accepted'
  /** Nobody paid; the hold ends by its time, after PortOne was asked again. */
  | 'left_to_expiry'
  /** PortOne, or the database, gave no answer about this one. */
  | 'failed';

export interface Finding {
  kind: Difference;
  event: string;
  merchantUid: string;
  paymentId: string;
  gateway: Gateway;
  /** As PortOne described it when it was asked again by name; null: it knows no such payment. */
  portone: Account | null;
  /** As we had it; null: nothing was on record. */
  ours: Account | null;
  hold: 'held' | 'sold' | null;
  repair: Repair;
  /** With `settled`: what settling it came to. */
  outcome: Settled | null;
  /** Whether the difference stands after this run. */
  left: boolean;
  /** The same in plain words. */
  text: string;
}

export interface Money {
  paid: number;
  cancelled: number;
  kept: number;
}

/** Of the payments that were compared; after the repairs. */
export interface EventTotals {
  event: string;
  currency: string;
  portone: Money;
  ours: Money;
  agree: boolean;
}

export interface Report {
  id: number;
  /** Null: every event. */
  event: string | null;
  from: string;
  to: string;
  askedBy: string;
  dryRun: boolean;
  startedAt: string;
  finishedAt: string | null;
  /** Payments of our orders that were looked at on either side. */
  compared: number;
  /** Payments of the window that are for no order of ours. */
  foreign: number;
  /** Ours of a gateway version whose credentials are not configured: nobody could be asked. */
  notAsked: number;
  findings: Finding[];
  /** Findings beyond those listed. */
  more: number;
  /** Differences that stand after this run, listed or not. */
  left: number;
  /** Cases closed because both sides agree again. */
  casesClosed: number;
  totals: EventTotals[];
  /** Both sides were read to the end. */
  complete: boolean;
  /** And nothing is left. */
  agree: boolean;
  /** Why it ended early, or what could not be read. */
  error: string | null;
}
