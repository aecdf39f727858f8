/** V1's ways to look payments up: sorting, paging and the 90-day window. */

import type { Payment } from './ledger.ts';
import { v1Payment } from './rest-v1-shapes.ts';

const DAY_MS = 86_400_000;
const MAX_WINDOW_DAYS = 90;
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1_000;

export const V1_STATUSES = ['ready', 'paid', 'cancelled', 'failed'] as const;

type Query = Record<string, string | string[] | undefined>;

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

export function many(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

const SORT_KEYS: Record<string, (payment: Payment) => number> = {
  started: (payment) => payment.startedAtMs,
  paid: (payment) => payment.paidAtMs ?? 0,
  updated: (payment) => payment.updatedAtMs,
};

/** null for an unknown `sorting`. A leading minus is descending; `-started` unless told. */
export function sorted(payments: Payment[], query: Query): Payment[] | null {
  const sorting = one(query.sorting) ?? '-started';
  const descending = sorting.startsWith('-');
  const key = SORT_KEYS[descending ? sorting.slice(1) : sorting];
  if (key === undefined) return null;
  const ascending = [...payments].sort((a, b) => key(a) - key(b));
  // Reversed, not compared the other way round: of two begun in one millisecond the later is first.
  return descending ? ascending.reverse() : ascending;
}

/** null when page or limit is out of range, also beyond the data. */
export function paged(payments: Payment[], query: Query): Record<string, unknown> | null {
  const page = Number(one(query.page) ?? 1);
  const limit = Number(one(query.limit) ?? DEFAULT_LIMIT);
  if (!Number.isInteger(page) || page < 1) return null;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) return null;
  const from = (page - 1) * limit;
  if (page > 1 && from >= payments.length) return null;
  return {
    total: payments.length,
    previous: page > 1 ? page - 1 : 0,
    next: from + limit < payments.length ? page + 1 : 0,
    list: payments.slice(from, from + limit).map(v1Payment),
  };
}

/** When it came to the status that it has, which is what a window is about. */
export function changedAtMs(payment: Payment): number {
  const { state, startedAtMs, paidAtMs, failedAtMs, cancelledAtMs } = payment;
  const at = { ready: startedAtMs, paid: paidAtMs, failed: failedAtMs, cancelled: cancelledAtMs };
  return at[state] ?? startedAtMs;
}

/** The window asked for, by default the 90 days up to now; null when it is longer or upside down. */
export function windowOf(query: Query, nowMs: number): { fromMs: number; toMs: number } | null {
  const to = one(query.to);
  const from = one(query.from);
  // Whole seconds on the wire: the second that is running belongs to the window.
  const toMs = to === undefined ? nowMs : Number(to) * 1_000 + 999;
  const fromMs = from === undefined ? toMs - MAX_WINDOW_DAYS * DAY_MS : Number(from) * 1_000;
  const lengthMs = toMs - fromMs;
  const inRange = lengthMs >= 0 && lengthMs <= MAX_WINDOW_DAYS * DAY_MS + 999;
  return inRange ? { fromMs, toMs } : null;
}
