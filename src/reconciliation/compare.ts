// One payment on both sides: whether PortOne's account of it and ours agree; pure.

import { recordable } from '../payments/record-payment.ts';
import { ACCOUNT_REFUSED } from '../payments/refuse-account.ts';
import type { PaymentSnapshot, PaymentStatus } from '../portone/payment.ts';

export type Difference =
  /** The money is at PortOne, and nothing here knows of it: its webhook never came. */
  | 'paid_there_not_here'
  /** Paid for here, and not, or no longer, paid at PortOne. */
  | 'paid_here_not_there'
  /** Both have the money, but not the same amount, or not as much given back. */
  | 'amount_differs'
  /** No money differs, but what seats or buyers wait for does. */
  | 'status_differs'
  /** We count on a payment that PortOne does not know. */
  | 'unknown_there';

/** What of a payment counts here. */
export interface Account {
  status: PaymentStatus;
  amount: number;
  cancelledAmount: number;
  currency: string;
  cancelPending: boolean;
}

/** What we have of one payment of one of our orders. */
export interface OurSide {
  /** Null where nothing is on record of it yet. */
  account: Account | null;
  /** Why a person should look at it, or what was done about it. */
  flag: string | null;
  /** Whether its event lets buyers pay into virtual accounts. */
  virtualAccounts: 'forbid' | 'allow';
  /** The live hold that this very payment has. */
  hold: 'held' | 'sold' | null;
  /** How old that hold is; null without one. */
  holdAgeMs: number | null;
}

/** PortOne may not tell of a payment that it is asking us about this very moment. */
const UNKNOWN_GRACE_MS = 60_000;

/** Before any money; each may follow those before it. */
const UNPAID: PaymentStatus[] = ['ready', 'pending', 'waiting_deposit', 'failed'];

/** @param theirs null where PortOne knows no such payment */
export function compare(theirs: PaymentSnapshot | null, ours: OurSide): Difference | null {
  if (!theirs) return isCountedOn(ours) ? 'unknown_there' : null;
  if (!ours.account) return unheardOf(theirs, ours);
  const here = ours.account;
  if (theirs.status === 'paid' && here.status !== 'paid') return 'paid_there_not_here';
  if (here.status === 'paid' && theirs.status !== 'paid') return 'paid_here_not_there';
  if (here.status === 'paid' || here.status === 'cancelled')
    return ofMoney(accountOf(theirs), here);
  if (theirs.status === 'cancelled') return 'status_differs';
  // Its closing had no answer the last time.
  if (theirs.status === 'waiting_deposit' && isToBeRefused(ours)) return 'status_differs';
  // Nobody's money. An account that we know to be further on is no difference either.
  const isAhead = UNPAID.indexOf(theirs.status) > UNPAID.indexOf(here.status);
  return isAhead && isWaitedFor(theirs, ours) ? 'status_differs' : null;
}

/** Amounts as they are written down here. */
export function accountOf(theirs: PaymentSnapshot): Account {
  const amount = recordable(theirs.amount);
  const { status, currency, cancelPending } = theirs;
  const cancelledAmount = Math.min(recordable(theirs.cancelledAmount), amount);
  return { status, amount, cancelledAmount, currency, cancelPending };
}

/** The money that is with the organizer. */
export function keptOf(account: Account | null): number {
  if (!account || !hadMoney(account)) return 0;
  return account.amount - account.cancelledAmount;
}

export function hadMoney({ status }: { status: PaymentStatus }): boolean {
  return status === 'paid' || status === 'cancelled';
}

function isCountedOn({ account, hold, holdAgeMs }: OurSide): boolean {
  if (account?.status === 'paid') return true;
  return hold === 'held' && (holdAgeMs ?? 0) > UNKNOWN_GRACE_MS;
}

/**
 * Most payments that were refused or given up leave nothing here, and there is nothing to agree
 * about; a sold-out sale has thousands of them.
 */
function unheardOf(theirs: PaymentSnapshot, ours: OurSide): Difference | null {
  switch (theirs.status) {
    case 'paid':
      return 'paid_there_not_here';
    case 'cancelled':
    case 'waiting_deposit':
      return 'status_differs';
    case 'failed':
    case 'pending':
      return ours.hold === 'held' ? 'status_differs' : null;
    case 'ready':
      return null;
  }
}

function ofMoney(there: Account, here: Account): Difference | null {
  if (there.status !== here.status) return 'status_differs';
  const sameMoney =
    there.amount === here.amount &&
    there.cancelledAmount === here.cancelledAmount &&
    there.currency === here.currency;
  if (!sameMoney) return 'amount_differs';
  return there.cancelPending === here.cancelPending ? null : 'status_differs';
}

function isToBeRefused({ account, flag, virtualAccounts }: OurSide): boolean {
  const waits = account?.status === 'waiting_deposit';
  return waits && virtualAccounts === 'forbid' && flag !== ACCOUNT_REFUSED;
}

function isWaitedFor(theirs: PaymentSnapshot, ours: OurSide): boolean {
  if (ours.hold === 'held') return true;
  return theirs.status === 'waiting_deposit' || ours.account?.status === 'waiting_deposit';
}
