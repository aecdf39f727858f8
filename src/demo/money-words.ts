// The money of a finished sale in rows and sentences, as the terminal and the report both show it; pure.

import { CASE_MEANING, type CaseOutcome, type MoneyCase } from './cases.ts';
import type { EventMoney } from './event-money.ts';
import type { Figures } from './figures.ts';
import { whole } from './table.ts';

/** Zero when all is well. */
export const DIFFERENCE = 'Difference';
export const OPEN_CASES = 'Open cases';

/** One row for each figure, one column for each event, and one for all where there are several. */
export function moneyTable(figures: Figures): string[][] {
  const columns = figures.events.map(({ name, sold, money }) => ({ name, sold, money }));
  if (columns.length > 1) {
    columns.push({ name: 'all', sold: figures.totals.sold, money: figures.money.totals });
  }
  const row = (name: string, of: (money: EventMoney) => number) => [
    name,
    ...columns.map(({ money }) => whole(of(money))),
  ];
  return [
    ['won', ...columns.map(({ name }) => name)],
    row('Paid', (m) => m.paid),
    row('Refunded', (m) => m.refunded),
    row('Kept', (m) => m.kept),
    row("PortOne's books: paid", (m) => m.portone.paid),
    row("PortOne's books: refunded", (m) => m.portone.refunded),
    row("PortOne's books: kept", (m) => m.portone.kept),
    row('Price of the seats sold', (m) => m.seatsSold),
    row('Given away by the organizer', (m) => m.allowances),
    row(DIFFERENCE, (m) => m.difference),
    row(OPEN_CASES, (m) => m.openCases),
    ['Seats sold', ...columns.map(({ sold }) => whole(sold))],
  ];
}

/** One row for each case that was played. */
export function caseTable({ money }: Figures): string[][] {
  const played = Object.entries(money.cases) as [MoneyCase, CaseOutcome][];
  return [
    ['', 'played', 'kept', 'part back', 'all back', 'no money'],
    ...played.map(([name, { played, kept, partBack, allBack, neverPaid }]) => [
      CASE_MEANING[name],
      ...[played, kept, partBack, allBack, neverPaid].map((n) => (n === 0 ? '-' : whole(n))),
    ]),
  ];
}

export function agreement({ money }: Figures): string {
  return money.totals.agrees && money.agrees
    ? `PortOne's own books agree to the won: ${whole(money.totals.kept)} kept on both sides.`
    : 'Money and seats, or the two sides, do not agree.';
}

/** Orders, refunds, cases and finders, each in a sentence. */
export function moneySentences({ money }: Figures): string[] {
  const { paid, kept, soldSeats, paidOrders, refunded, refundedWhy, partBack, partBackAmount } =
    money;
  const sentences = [
    `${whole(paid)} payments were approved and ${whole(kept)} kept, for ${whole(soldSeats)} seats ` +
      `in ${whole(paidOrders)} orders.`,
    `${whole(refunded)} went back whole${list(refundedWhy)}, and a part of ${whole(partBack)} ` +
      `(${whole(partBackAmount)} won).`,
    `Waited for and seen to: ${seenTo(money.closed)}.`,
  ];
  if (count(money.foundBy) > 0) {
    sentences.push(
      `${whole(count(money.foundBy))} payments were never told of, for every webhook was lost; ` +
        `they were found all the same${list(money.foundBy, FINDERS)}.`,
    );
  }
  return [...sentences, lastLook(money.foundLast)];
}

const KINDS: Record<string, [one: string, several: string]> = {
  refund: ['refund', 'refunds'],
  partial_cancel: ['part cancelled in the console', 'parts cancelled in the console'],
  paid_back_twice: ['payment paid back twice', 'payments paid back twice'],
  dispute: ['dispute', 'disputes'],
  unknown_payment: ['payment that PortOne did not know', 'payments that PortOne did not know'],
};

const FINDERS: Record<string, string> = {
  expiry: 'when their hold was looked after',
  reconciliation: 'by reconciliation',
};

function seenTo(closed: Record<string, number>): string {
  const parts = Object.entries(closed).map(([kind, n]) => {
    return `${n} ${KINDS[kind]?.[n === 1 ? 0 : 1] ?? kind}`;
  });
  return parts.length > 0 ? parts.join(', ') : 'nothing';
}

function lastLook(found: number): string {
  const what =
    found === 0 ? 'no difference' : `${found} difference${found === 1 ? '' : 's'}, now mended`;
  return `A last reconciliation of every event against PortOne's list found ${what}.`;
}

function list(counts: Record<string, number>, words: Record<string, string> = {}): string {
  const parts = Object.entries(counts).map(
    ([name, n]) => `${n} ${words[name] ?? name.replaceAll('_', ' ')}`,
  );
  return parts.length > 0 ? ` (${parts.join(', ')})` : '';
}

function count(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, n) => sum + n, 0);
}
