// One verdict a payment: what a payment that was decided before is told when it asks again.

import type { ConfirmRequest } from './request.ts';
import { isRefusalCode, type Refused, refuse, type SeatView } from './verdict.ts';

/** A verdict as it stands in the database, with the hold it granted as that is now. */
export interface EarlierVerdict {
  paymentId: string;
  merchantUid: string;
  code: string;
  amount: number | null;
  position: number | null;
  holdId: string | null;
  holdState: string | null;
  holdPaymentId: string | null;
  holdExpiresAt: string | null;
}

/** The hold stands; where its seats are not known here they are to be read and told again. */
export interface StillHeld {
  code: 'still_held';
  holdId: string;
  position: number;
  holdExpiresAt: string;
  seats?: SeatView[];
}

export type Repeated = StillHeld | Refused;

type Content = Pick<ConfirmRequest, 'merchantUid' | 'amount'>;

export function answerRepeat(earlier: EarlierVerdict, asked: Content): Repeated {
  if (!sameContent(earlier, asked)) return refuse('conflicting_repeat');
  if (isRefusalCode(earlier.code)) {
    return refuse(earlier.code, earlier.position === null ? {} : { position: earlier.position });
  }
  const { holdId, position, holdExpiresAt } = earlier;
  const alive = earlier.holdState === 'held' || earlier.holdState === 'sold';
  // The hold may live on for a later payment of the same order; this one has lost it.
  const mine = earlier.holdPaymentId === earlier.paymentId;
  if (!alive || !mine || holdId === null || position === null || holdExpiresAt === null) {
    return refuse('hold_ended');
  }
  // To the letter what was answered the first time.
  return {
    code: 'still_held',
    holdId,
    position,
    holdExpiresAt: new Date(holdExpiresAt).toISOString(),
  };
}

/** Two requests that both name an amount must name the same one. */
export function sameContent(a: Content, b: Content): boolean {
  const amountsAgree = a.amount === null || b.amount === null || a.amount === b.amount;
  return a.merchantUid === b.merchantUid && amountsAgree;
}
