// A refund as the organizer sees it; of the buyer's account, only which bank and the last digits.

import type { Database } from '../db/database.ts';
import { shown } from './account.ts';

export const PAGE_MAX = 200;

export const REFUND_STATES = ['requested', 'done', 'failed', 'needs_person'] as const;
export type RefundState = (typeof REFUND_STATES)[number];

const withOrder = {
  payment: {
    include: { order: { select: { merchantUid: true, event: { select: { slug: true } } } } },
  },
} as const;

export type RefundView = NonNullable<Awaited<ReturnType<typeof viewRefund>>>;

export async function viewRefund({ prisma }: Database, id: number) {
  const refund = await prisma.refund.findUnique({ where: { id }, include: withOrder });
  return refund && viewOf(refund);
}

export interface RefundFilter {
  /** Absent: of every event. */
  event?: string | undefined;
  states?: RefundState[] | undefined;
  /** The last id of the page before. */
  after?: number | undefined;
  limit?: number | undefined;
}

/** The newest first. @returns null where there is no such event */
export async function listRefunds(
  { prisma }: Database,
  { event, states, after, limit = PAGE_MAX }: RefundFilter,
): Promise<{ refunds: RefundView[]; after: number | null } | null> {
  const known = event === undefined || (await prisma.event.count({ where: { slug: event } })) > 0;
  if (!known) return null;
  const rows = await prisma.refund.findMany({
    where: {
      ...(event === undefined ? {} : { payment: { order: { event: { slug: event } } } }),
      ...(states ? { state: { in: states } } : {}),
      ...(after === undefined ? {} : { id: { lt: after } }),
    },
    include: withOrder,
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
  const page = rows.slice(0, limit);
  const more = rows.length > limit;
  return { refunds: page.map(viewOf), after: more ? (page.at(-1)?.id ?? null) : null };
}

type Row = Parameters<typeof shown>[0] & {
  id: number;
  paymentId: string;
  amount: number;
  whole: boolean;
  seats: string[];
  reason: string;
  requestedBy: string;
  state: string;
  tries: number;
  refusals: number;
  lastError: string | null;
  nextTryAt: Date;
  requestedAt: Date;
  doneAt: Date | null;
  byHand: boolean;
  note: string | null;
  payment: {
    gateway: string;
    currency: string;
    order: { merchantUid: string; event: { slug: string } };
  };
};

function viewOf(row: Row) {
  const { payment } = row;
  return {
    id: row.id,
    event: payment.order.event.slug,
    merchantUid: payment.order.merchantUid,
    paymentId: row.paymentId,
    gateway: payment.gateway,
    amount: row.amount,
    currency: payment.currency,
    whole: row.whole,
    /** Those that go back with a part; a whole refund frees all of the order's. */
    seats: row.seats,
    reason: row.reason,
    requestedBy: row.requestedBy,
    state: row.state as RefundState,
    tries: row.tries,
    refusals: row.refusals,
    lastError: row.lastError,
    nextTryAt: row.state === 'requested' ? row.nextTryAt.toISOString() : null,
    requestedAt: row.requestedAt.toISOString(),
    doneAt: row.doneAt?.toISOString() ?? null,
    byHand: row.byHand,
    note: row.note,
    account: shown(row),
  };
}
