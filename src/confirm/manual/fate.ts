// What became of a charge, purely: from PortOne's answer and from the payment as it was read back.

import type { ManualConfirmResult, PaymentSnapshot } from '../../portone/payment.ts';
import { type RefusalCode, type Refused, refuse } from '../verdict.ts';

/** `unknown`: the question got no answer, so what was asked may have happened. */
export type ChargeAnswer = ManualConfirmResult | { outcome: 'unknown' };

/** Null: PortOne knows no such payment. `unread`: nobody could be asked. */
export type ReadBack = PaymentSnapshot | null | 'unread';

export type Fate =
  | 'paid'
  /** An account was issued, or somebody must approve: the money is still to come. */
  | 'waiting'
  /** Another attempt of the same order was paid. */
  | 'paid_elsewhere'
  | 'not_paid'
  /** Nobody knows; the hold stays until somebody does. */
  | 'unknown';

/** @param paymentId the attempt that was to be charged */
export function fateOf(answer: ChargeAnswer, seen: ReadBack, paymentId: string): Fate {
  const read = seen === 'unread' ? null : seen;
  const mine = read?.paymentId === paymentId;
  // What was read is newer than the answer: a token that was used up may have been used by us. And
  // it is more exact: an answer may tell when something was paid that is an account only.
  if (read?.status === 'paid') return mine ? 'paid' : 'paid_elsewhere';
  if (mine && (read.status === 'waiting_deposit' || read.status === 'pending')) return 'waiting';
  if (answer.outcome === 'paid') return mine && read.status === 'failed' ? 'not_paid' : 'paid';
  if (answer.outcome === 'refused') return seen === 'unread' ? 'unknown' : 'not_paid';
  // Paid once and given back since: no attempt of this order can be paid any more.
  if (answer.outcome === 'already_paid' && read?.status === 'cancelled') return 'not_paid';
  return mine && (read.status === 'failed' || read.status === 'cancelled') ? 'not_paid' : 'unknown';
}

const CODE_BY_TYPE = new Map<string, RefusalCode>([
  ['INFORMATION_MISMATCH', 'amount_mismatch'],
  ['INVALID_PAYMENT_TOKEN', 'invalid_request'],
  ['INVALID_REQUEST', 'invalid_request'],
  ['PAYMENT_NOT_FOUND', 'invalid_request'],
  ['ALREADY_PAID', 'already_paid'],
]);

/** The gateway's word in our vocabulary; a payment it did not approve has lost its seats. */
export function refusalOf(type: string): Refused {
  return refuse(CODE_BY_TYPE.get(type) ?? 'hold_ended');
}
