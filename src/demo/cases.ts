// The money cases that a sale plays: each by name, who plays it, and what came of the money. Pure.

import type { BookEntry } from '../sandbox/types.ts';
import type { Buyer } from './buyers.ts';
import type { EventPlan } from './events.ts';
import type { Story } from './stories.ts';

export type MoneyCase =
  | 'bypassed'
  | 'bypassed_refunded'
  | 'bypassed_unheard'
  | 'forged'
  | 'unheard'
  | 'failed_then_paid'
  | 'paid_late'
  | 'by_hand'
  | 'deposited'
  | 'deposited_late'
  | 'never_deposited'
  | 'account_forbidden'
  | 'cancelled'
  | 'cancelled_unheard'
  | 'part_cancelled'
  | 'refunded'
  | 'part_refunded'
  | 'account_refunded'
  | 'disputed'
  | 'dispute_won';

export const CASE_MEANING: Record<MoneyCase, string> = {
  bypassed: 'Confirm call stripped; the event seats whom it can',
  bypassed_refunded: 'Confirm call stripped; the event refunds',
  bypassed_unheard: 'Confirm call stripped, and every webhook lost',
  forged: 'Confirm call forged for a payment nobody knows',
  unheard: 'Paid, and every webhook lost',
  failed_then_paid: 'Failed first, then paid',
  paid_late: 'Paid seconds late',
  by_hand: "Charged by the organizer's call (manual confirm)",
  deposited: 'Virtual account, deposited in time',
  deposited_late: 'Virtual account, deposited late',
  never_deposited: 'Virtual account, never deposited',
  account_forbidden: 'Virtual account where the event forbids it',
  cancelled: 'Cancelled whole in the console',
  cancelled_unheard: 'Cancelled whole in the console, webhook lost',
  part_cancelled: 'Cancelled in part in the console',
  refunded: 'Refunded whole by the organizer',
  part_refunded: 'Refunded in part by the organizer',
  account_refunded: "Virtual account, refunded to the buyer's account",
  disputed: 'Disputed, and resolved by the bank',
  dispute_won: 'Disputed, and refunded by the organizer',
};

/** The case that a way of paying is, if it is one. */
export function caseOfPaying(story: Story, event: EventPlan): MoneyCase | null {
  const forbidden = event.virtualAccounts === 'forbid';
  switch (story) {
    case 'bypasses':
      return event.bypassedPayments === 'refund' ? 'bypassed_refunded' : 'bypassed';
    case 'bypasses_unheard':
      return 'bypassed_unheard';
    case 'forges':
      return 'forged';
    case 'unheard':
      return 'unheard';
    case 'fails_then_pays':
      return 'failed_then_paid';
    case 'pays_late':
      return 'paid_late';
    case 'by_hand':
      return 'by_hand';
    case 'transfers':
      return forbidden ? 'account_forbidden' : 'deposited';
    case 'transfers_late':
      return forbidden ? 'account_forbidden' : 'deposited_late';
    case 'never_transfers':
      return forbidden ? 'account_forbidden' : 'never_deposited';
    default:
      return null;
  }
}

/** The case that a sold payment becomes afterwards. */
export function caseOfAfter({ story, after }: Buyer): MoneyCase | null {
  switch (after) {
    case 'cancelled':
      return story === 'unheard' ? 'cancelled_unheard' : 'cancelled';
    case 'refunded':
      return story === 'transfers' ? 'account_refunded' : 'refunded';
    case 'disputes':
      return 'disputed';
    case 'wins_dispute':
      return 'dispute_won';
    case 'keeps':
      return null;
    default:
      return after;
  }
}

/** By payment: what it became last is what it is told as. */
export type Played = ReadonlyMap<string, MoneyCase>;

/** How the payments of one case ended, by the gateway's own books. */
export interface CaseOutcome {
  played: number;
  kept: number;
  partBack: number;
  allBack: number;
  neverPaid: number;
}

/** In the order of `CASE_MEANING`; those that nobody played are left out. */
export function caseOutcomes(
  played: Played,
  payments: readonly BookEntry[],
): Partial<Record<MoneyCase, CaseOutcome>> {
  const books = new Map(payments.map((payment) => [payment.paymentId, payment]));
  const outcomes: Partial<Record<MoneyCase, CaseOutcome>> = {};
  for (const name of Object.keys(CASE_MEANING) as MoneyCase[]) {
    const ids = [...played].filter(([, other]) => other === name).map(([id]) => id);
    if (ids.length === 0) continue;
    const outcome = { played: ids.length, kept: 0, partBack: 0, allBack: 0, neverPaid: 0 };
    for (const id of ids) outcome[endOf(books.get(id))] += 1;
    outcomes[name] = outcome;
  }
  return outcomes;
}

function endOf(payment: BookEntry | undefined): Exclude<keyof CaseOutcome, 'played'> {
  if (!payment?.everPaid) return 'neverPaid';
  if (payment.kept === 0) return 'allBack';
  return payment.kept < payment.amount ? 'partBack' : 'kept';
}
