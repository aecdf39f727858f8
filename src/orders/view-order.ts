// An order as the organizer's API shows it: where it stands, its seats, its payments.

import type { Database } from '../db/database.ts';
import { loadHoldSeats } from '../seats/hold-seats.ts';

export async function viewOrder(database: Database, merchantUid: string) {
  const order = await database.prisma.order.findUnique({
    where: { merchantUid },
    include: {
      event: { select: { slug: true } },
      holds: { where: { state: { not: 'ended' } } },
      verdicts: { orderBy: { decidedAt: 'asc' } },
      payments: { include: { refund: true } },
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
    seats: hold ? (seats.get(hold.id) ?? []) : [],
    holdExpiresAt: hold?.state === 'held' ? hold.expiresAt.toISOString() : null,
    payments: paymentsOf(order.verdicts, order.payments),
  };
}

interface VerdictRow {
  paymentId: string;
  code: string;
  position: number | null;
  decidedAt: Date;
}

interface PaymentRow {
  paymentId: string;
  status: string;
  amount: number;
  cancelledAmount: number;
  flag: string | null;
  refund: { state: string; amount: number; reason: string } | null;
}

/** Every payment that asked or was heard of, in order of its verdict. */
function paymentsOf(verdicts: VerdictRow[], payments: PaymentRow[]) {
  const byId = new Map(payments.map((payment) => [payment.paymentId, payment]));
  const verdictOf = new Map(verdicts.map((verdict) => [verdict.paymentId, verdict]));
  const ids = new Set([...verdictOf.keys(), ...byId.keys()]);
  return [...ids].map((paymentId) => {
    const verdict = verdictOf.get(paymentId);
    const payment = byId.get(paymentId);
    return {
      paymentId,
      verdict: verdict?.code ?? null,
      position: verdict?.position ?? null,
      decidedAt: verdict?.decidedAt.toISOString() ?? null,
      status: payment?.status ?? null,
      amount: payment?.amount ?? null,
      cancelledAmount: payment?.cancelledAmount ?? null,
      flag: payment?.flag ?? null,
      refund: payment?.refund
        ? {
            state: payment.refund.state,
            amount: payment.refund.amount,
            reason: payment.refund.reason,
          }
        : null,
    };
  });
}
