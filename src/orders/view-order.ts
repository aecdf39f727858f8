// An order as the organizer's API shows it: where it stands, its seats, its payments, each step.

import type { Database } from '../db/database.ts';
import { loadHoldSeats } from '../seats/hold-seats.ts';
import { viewPayments } from './view-payments.ts';

/** The newest; an order with more has been through a storm, and the rest is in the database. */
const STEPS_MAX = 500;
const CASES_MAX = 100;

/** What is shown of a refund: never the buyer's account. */
const REFUND_SHOWN = {
  id: true,
  state: true,
  amount: true,
  whole: true,
  seats: true,
  reason: true,
  requestedBy: true,
  requestedAt: true,
  doneAt: true,
  byHand: true,
  lastError: true,
} as const;

export async function viewOrder(database: Database, merchantUid: string) {
  const order = await database.prisma.order.findUnique({
    where: { merchantUid },
    include: {
      event: { select: { slug: true } },
      holds: { where: { state: { not: 'ended' } } },
      verdicts: { orderBy: { decidedAt: 'asc' } },
      payments: {
        include: { refunds: { select: REFUND_SHOWN, orderBy: { id: 'asc' } } },
        orderBy: [{ readAt: 'asc' }, { paymentId: 'asc' }],
      },
      cases: { orderBy: { id: 'asc' }, take: -CASES_MAX },
      steps: { orderBy: { id: 'asc' }, take: -STEPS_MAX },
    },
  });
  if (!order) return null;
  const hold = order.holds[0];
  const seats = hold ? await loadHoldSeats(database.prisma, [hold.id]) : new Map();
  return {
    merchantUid: order.merchantUid,
    event: order.event.slug,
    buyer: { id: order.buyerId },
    amount: order.amount,
    currency: order.currency,
    status: order.status,
    ...(order.amountRegistered === null ? {} : { amountRegistered: order.amountRegistered }),
    seats: hold ? (seats.get(hold.id) ?? []) : [],
    holdExpiresAt: hold?.state === 'held' ? hold.expiresAt.toISOString() : null,
    payments: viewPayments(order.verdicts, order.payments),
    cases: order.cases.map(viewCase),
    steps: order.steps.map(({ at, paymentId, step, detail, actor }) => {
      return { at: at.toISOString(), paymentId, step, detail, actor };
    }),
  };
}

interface CaseRow {
  id: number;
  kind: string;
  paymentId: string;
  amount: number;
  accepted: number;
  detail: string;
  openedAt: Date;
  closedAt: Date | null;
  closedBy: string | null;
  note: string | null;
}

function viewCase({ id, kind, paymentId, amount, accepted, detail, ...rest }: CaseRow) {
  return {
    id,
    kind,
    paymentId,
    amount,
    accepted,
    detail,
    openedAt: rest.openedAt.toISOString(),
    closedAt: rest.closedAt?.toISOString() ?? null,
    closedBy: rest.closedBy,
    note: rest.note,
  };
}
