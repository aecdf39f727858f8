// An order's ledger in double entry: money on one side, seats on the other; closed, it sums to zero.

import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';

const sql = loadSql('load_ledger');

export interface LedgerEntry {
  account: 'money' | 'seats' | 'allowance';
  entry:
    | 'paid'
    | 'cancelled'
    | 'refunded_by_hand'
    | 'sold'
    | 'returned'
    | 'part_refunded'
    | 'accepted';
  /** Above nought: came in, or was set against the seats. */
  amount: number;
  currency: string;
  /** The payment, or the seat's label. */
  ref: string;
}

export interface Ledger {
  merchantUid: string;
  event: string;
  status: string;
  currency: string;
  entries: LedgerEntry[];
  /** Of each account, in the order's currency. */
  accounts: Record<LedgerEntry['account'], number>;
  /** Their sum: zero when money and seats agree. */
  balance: number;
  /** Nothing is awaited any more: no deposit, no refund, no word of the organizer's. */
  closed: boolean;
  /** Refunds and cases that are open. */
  openCases: number;
}

interface LedgerDocument extends Omit<Ledger, 'accounts' | 'balance' | 'closed'> {
  openRefunds: number;
  /** Payments that may still be paid: a deposit, an approval. */
  onItsWay: number;
}

const CLOSED = ['paid', 'refunded', 'cancelled'];

/** @returns null where there is no such order */
export async function loadLedger(database: Database, merchantUid: string): Promise<Ledger | null> {
  const [row] = await database.query<{ document: LedgerDocument }>(sql, merchantUid);
  if (!row) return null;
  const { openRefunds, onItsWay, ...document } = row.document;
  const { entries, currency, status } = document;
  // One in another currency was no payment for this order; it is square by itself once it is back.
  const own = entries.filter((entry) => entry.currency === currency);
  const sum = (some: LedgerEntry[]) => some.reduce((total, entry) => total + entry.amount, 0);
  const of = (account: LedgerEntry['account']) => sum(own.filter((e) => e.account === account));
  const openCases = document.openCases + openRefunds;
  return {
    ...document,
    accounts: { money: of('money'), seats: of('seats'), allowance: of('allowance') },
    balance: sum(own),
    closed: CLOSED.includes(status) && onItsWay === 0 && openCases === 0,
    openCases,
  };
}
