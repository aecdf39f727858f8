// Findings in plain English, for whoever answers for the money.

import type { Settled } from '../payments/settle-payment.ts';
import type { Account, Difference } from './compare.ts';
import type { Finding } from './report.ts';

const KIND: Record<Difference, string> = {
  paid_there_not_here: 'paid at PortOne, not here: no webhook told of it',
  paid_here_not_there: 'paid here, not at PortOne',
  amount_differs: 'the amounts differ',
  status_differs: 'the states differ',
  unknown_there: 'PortOne does not know it',
};

const OUTCOME: Record<Settled, string> = {
  sold: 'its seats were sold to it',
  already_sold: 'written down; its seats stay sold',
  same_seats: 'its own seats were given back to it',
  equal_seats: 'equal seats were given to it',
  refund_requested: 'no seat for it: its money goes back',
  refunded: 'written down as refunded; its seats are free',
  refunded_in_part: 'the refund of a part was written down',
  released: 'its seats were released',
  kept: 'its seats are kept until the money comes',
  account_refused: 'its virtual account was refused, its seats were released',
  recorded: 'written down',
  outdated: 'nothing: a later state is on record',
  unknown_order: 'nothing: no such order',
};

export function kindOf(finding: Omit<Finding, 'text'>): string {
  return isUnread(finding) ? 'PortOne does not tell of it' : KIND[finding.kind];
}

/** That PortOne knows no such payment is not said where it said nothing. */
export function thereOf(finding: Omit<Finding, 'text'>): string {
  if (finding.portone) return sideOf(finding.portone);
  return isUnread(finding) ? 'no answer that can be read' : 'no such payment';
}

function isUnread({ repair, portone }: Omit<Finding, 'text'>): boolean {
  return repair === 'failed' && portone === null;
}

export function sideOf(account: Account | null): string {
  if (!account) return 'nothing';
  const { status, amount, cancelledAmount, currency } = account;
  const back = cancelledAmount > 0 ? `, ${whole(cancelledAmount)} of it given back` : '';
  const pending = account.cancelPending ? ', being cancelled' : '';
  return `${status.replace('_', ' ')} ${whole(amount)} ${currency}${back}${pending}`;
}

export function doneOf(finding: Omit<Finding, 'text'>): string {
  switch (finding.repair) {
    case 'none':
      return 'nothing (dry run)';
    case 'settled':
      return finding.outcome ? OUTCOME[finding.outcome] : 'settled';
    case 'case_open':
      return 'a case is open for the organizer';
    case 'accepted':
      return 'nothing: the organizer let it stand';
    case 'left_to_expiry':
      return 'nothing: nobody paid, its seats come back when the hold ends';
    case 'failed':
      return 'nothing: no answer, it is tried again next time';
  }
}

export function textOf(finding: Omit<Finding, 'text'>): string {
  const { ours, hold } = finding;
  const seats = hold ? `, seats ${hold}` : '';
  const kind = kindOf(finding);
  const what = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
  return (
    `${what}. PortOne: ${thereOf(finding)}. Here: ${sideOf(ours)}${seats}. ` +
    `Done: ${doneOf(finding)}.`
  );
}

export function whole(value: number): string {
  return value.toLocaleString('en-US');
}
