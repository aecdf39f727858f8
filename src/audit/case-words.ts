// What happened, and what the organizer can do about it, in plain words: for the API and the command.

import type { CaseKind } from '../payments/cases.ts';
import { BY_HAND, NEEDS_ACCOUNT } from '../payments/refund-waits.ts';

export interface CaseRow {
  source: 'case' | 'refund';
  id: number;
  kind: CaseKind | 'refund';
  merchantUid: string;
  paymentId: string;
  currency: string;
  amount: number;
  accepted: number;
  /** A refund's: its reason. */
  detail: string;
  since: Date;
  closedAt: Date | null;
  closedBy: string | null;
  note: string | null;
  /** The rest is a refund's alone. */
  state: 'requested' | 'needs_person' | 'done' | 'failed' | null;
  lastError: string | null;
  requestedBy: string | null;
}

export interface CaseWords {
  what: string;
  todo: string;
}

const NOTHING = 'Nothing.';

/** `10,000 won`; other currencies as the gateway counts them. */
export function inWords(amount: number, currency: string): string {
  return `${amount.toLocaleString('en-US')} ${currency === 'KRW' ? 'won' : currency}`;
}

export function wordsFor(row: CaseRow): CaseWords {
  const amount = inWords(row.amount, row.currency);
  switch (row.kind) {
    case 'partial_cancel':
      return {
        what: `${amount} of the payment went back outside Seatline; its seats were left as they are.`,
        todo: isOpen(row)
          ? `Name the seats that go back with it, or none to leave them: ${closing(row)}.`
          : NOTHING,
      };
    case 'paid_back_twice':
      return {
        what: `${amount} went back by hand, and PortOne gave the same money back as well.`,
        todo: isOpen(row)
          ? `Ask the buyer for it, and note what became of it: ${closing(row)}.`
          : NOTHING,
      };
    case 'dispute':
      return {
        what: `The buyer disputes the charge (${amount}): ${row.detail}.`,
        todo: isOpen(row)
          ? `Answer it in PortOne's console; refund the order if the buyer is right; ${closing(row)}.`
          : NOTHING,
      };
    case 'unknown_payment':
      return {
        what: `Seatline has ${amount} as paid, and PortOne knows no such payment: ${row.detail}.`,
        todo: isOpen(row)
          ? `Look for the payment in PortOne's console. If it is there, nothing: this closes by itself. If not, say which seats go back, or none to give them away: ${closing(row)}.`
          : NOTHING,
      };
    case 'refund':
      return { what: whatOfRefund(row, amount), todo: todoOfRefund(row) };
  }
}

export function isOpen(row: CaseRow): boolean {
  if (row.source === 'case') return row.closedAt === null;
  return row.state === 'requested' || row.state === 'needs_person';
}

function whatOfRefund(row: CaseRow, amount: string): string {
  const why = `(${row.detail})`;
  if (row.state === 'done') return `${amount} went back ${why}.`;
  if (row.state === 'failed') {
    return `${amount} were to go back ${why} and did not: ${row.lastError ?? 'no reason given'}.`;
  }
  if (row.lastError === NEEDS_ACCOUNT) {
    return `${amount} must go back ${why}, and the buyer's bank account is not known.`;
  }
  if (row.lastError === BY_HAND) return `${amount} must go back ${why}, and you pay it by hand.`;
  const said = row.lastError === null ? '' : ` The last try: ${row.lastError}.`;
  return row.state === 'needs_person'
    ? `${amount} must go back ${why}, and has not after many tries.${said}`
    : `${amount} are on their way back ${why}.${said}`;
}

function todoOfRefund(row: CaseRow): string {
  if (!isOpen(row)) return NOTHING;
  const at = `POST /api/refunds/${row.id}`;
  if (row.lastError === NEEDS_ACCOUNT) {
    return `Ask the buyer for an account: ${at}/account. Or pay by hand: ${at}/by-hand.`;
  }
  if (row.lastError === BY_HAND) return `Pay it, and say so: ${at}/by-hand. Or not: ${at}/retry.`;
  return row.state === 'needs_person'
    ? `Once the reason is gone, have it tried again: ${at}/retry. Or pay by hand: ${at}/by-hand.`
    : 'Nothing: it is tried again by itself.';
}

function closing(row: CaseRow): string {
  return `POST /api/cases/${row.id}/close`;
}
