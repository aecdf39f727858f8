// What came of a charge, as the organizer's server is told.

import { type Refused, refuse, type Verdict } from '../verdict.ts';
import { refusalOf } from './fate.ts';
import type { Occasion } from './texts.ts';

export interface Charged {
  /** Null: nobody knows yet. */
  paid: boolean | null;
  /** RFC 3339, by PortOne; null where only the payment itself was seen. */
  paidAt?: string | null;
  /** For an account: until when the money may come. */
  depositBy?: string | null;
  gateway?: { type: string; message?: string };
}

export interface ChargeOutcome extends Charged {
  verdict: Verdict;
  occasion?: Occasion;
}

export const UNKNOWN: ChargeOutcome = {
  verdict: refuse('timed_out'),
  paid: null,
  occasion: 'charge_unknown',
};

/** Its hold is over: nobody can say that seats are kept. */
export const UNKNOWN_SEATLESS: ChargeOutcome = { ...UNKNOWN, occasion: 'charge_unknown_seatless' };

export const NO_ACCOUNTS: ChargeOutcome = {
  verdict: refuse('refused_by_organizer'),
  paid: false,
  occasion: 'no_accounts',
};

export const MONEY_BACK: ChargeOutcome = {
  verdict: refuse('hold_ended'),
  paid: true,
  occasion: 'money_back',
};

export const NOT_CHARGED: ChargeOutcome = {
  verdict: refuse('hold_ended'),
  paid: false,
  occasion: 'not_approved',
};

/** @param type PortOne's word for it */
export function notApproved(type: string, message?: string): ChargeOutcome {
  const verdict: Refused = refusalOf(type);
  return {
    verdict,
    paid: false,
    gateway: { type, ...(message === undefined ? {} : { message }) },
    ...(verdict.code === 'hold_ended' ? { occasion: 'not_approved' as const } : {}),
  };
}
