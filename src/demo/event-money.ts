// An event's money on both sides: Seatline's ledger, and PortOne's own books; pure.

import type { Audit } from '../audit/audit.ts';
import type { BookEntry } from '../sandbox/types.ts';

export interface Sums {
  paid: number;
  refunded: number;
  kept: number;
}

export interface EventMoney extends Sums {
  /** What the seats that are sold cost. */
  seatsSold: number;
  /** Given back with the seats left to the buyer; below nought: kept with the seats gone. */
  allowances: number;
  openCases: number;
  /** `kept + allowances - seatsSold`, less what open cases explain: zero when well. */
  difference: number;
  portone: Sums;
  /** To the won, and nothing open. */
  agrees: boolean;
}

const CURRENCY = 'KRW';

/** @param payments the event's, by PortOne's books */
export function eventMoney(audit: Audit, payments: readonly BookEntry[]): EventMoney {
  const own = audit.money.find(({ currency }) => currency === CURRENCY);
  const {
    paid = 0,
    refunded = 0,
    kept = 0,
    seatsSold = 0,
    allowances = 0,
    difference = 0,
  } = own ?? {};
  const openCases = audit.money.reduce((sum, { openCases: { count } }) => sum + count, 0);
  const theirs = payments.filter(({ everPaid }) => everPaid);
  const sum = (of: (payment: BookEntry) => number) => theirs.reduce((all, p) => all + of(p), 0);
  const portone = {
    paid: sum((p) => p.amount),
    refunded: sum((p) => p.cancelledAmount),
    kept: sum((p) => p.kept),
  };
  const same = paid === portone.paid && refunded === portone.refunded && kept === portone.kept;
  const agrees = same && difference === 0 && openCases === 0;
  return { paid, refunded, kept, seatsSold, allowances, openCases, difference, portone, agrees };
}

export function addMoney(events: readonly EventMoney[]): EventMoney {
  const sum = (of: (money: EventMoney) => number) => events.reduce((all, e) => all + of(e), 0);
  return {
    paid: sum((e) => e.paid),
    refunded: sum((e) => e.refunded),
    kept: sum((e) => e.kept),
    seatsSold: sum((e) => e.seatsSold),
    allowances: sum((e) => e.allowances),
    openCases: sum((e) => e.openCases),
    difference: sum((e) => e.difference),
    portone: {
      paid: sum((e) => e.portone.paid),
      refunded: sum((e) => e.portone.refunded),
      kept: sum((e) => e.portone.kept),
    },
    agrees: events.every((e) => e.agrees),
  };
}

/** Whatever does not agree, in words. */
export function moneyProblems(slug: string, money: EventMoney): string[] {
  const { portone, difference, openCases } = money;
  const problems: string[] = [];
  for (const key of ['paid', 'refunded', 'kept'] as const) {
    if (money[key] !== portone[key]) {
      problems.push(`${slug}: ${money[key]} ${key} here, ${portone[key]} by PortOne's books`);
    }
  }
  if (difference !== 0) problems.push(`${slug}: ${difference} won that nothing explains`);
  if (openCases > 0) problems.push(`${slug}: ${openCases} cases are still open`);
  return problems;
}
