// The organizer paid back outside PortOne: the refund is done, once it is sure that PortOne did not.

import type { Transaction } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { closeCases } from '../payments/cases.ts';
import { BY_HAND } from '../payments/refund-waits.ts';
import { settlePayment } from '../payments/settle-payment.ts';
import type { Gateway } from '../portone/gateway.ts';
import { GatewayUnreachable } from '../portone/payment.ts';
import { endHolds } from '../seats/end-holds.ts';
import { returnSeats } from '../seats/return-seats.ts';
import { WIPED } from './account.ts';
import { step } from './amend-refund.ts';
import type { RefundOptions } from './try-refund.ts';

const lock = loadSql('lock_payment');

export type ByHandRefusal =
  | { reason: 'unknown_refund' }
  | { reason: 'closed'; state: string }
  /** PortOne had given the money back already: that was settled instead. */
  | { reason: 'refunded_by_portone' }
  /** PortOne said that it will give the money back. */
  | { reason: 'taken' }
  /** It is tried no more; but a call may still be carried out until then. */
  | { reason: 'under_way'; until: Date }
  /** PortOne must be asked first, and gave no answer. */
  | { reason: 'unreachable' };

export type ByHand = { ok: true; seats: string[] } | ({ ok: false } & ByHandRefusal);

export interface PaidByHand {
  id: number;
  note: string;
  actor: string;
}

export async function payByHand(options: RefundOptions, paid: PaidByHand): Promise<ByHand> {
  const parked = await park(options, paid.id);
  if (!parked.ok) return parked;
  const now = options.clock.now();
  if (parked.until > now) return { ok: false, reason: 'under_way', until: parked.until };
  const doubt = await doubtAbout(options, parked.payment);
  if (doubt) return { ok: false, reason: doubt };
  const result = await options.database.transaction((tx) => finish(tx, parked.payment, paid, now));
  if (result.ok) {
    const { id, actor } = paid;
    options.log.info({ refundId: id, paymentId: parked.payment.paymentId, actor }, 'paid by hand');
  }
  return result;
}

interface ParkedPayment {
  gateway: Gateway;
  paymentId: string;
  merchantUid: string;
}

type Parked = { ok: true; payment: ParkedPayment; until: Date } | ({ ok: false } & ByHandRefusal);

/** From here on no worker sends anything: each checks for `requested` in the write before its call. */
async function park({ database, clock }: RefundOptions, id: number) {
  return database.transaction(async (tx): Promise<Parked> => {
    const now = clock.now();
    const refund = await tx.refund.findUnique({
      where: { id },
      include: { payment: { include: { order: { select: { merchantUid: true } } } } },
    });
    if (!refund) return { ok: false, reason: 'unknown_refund' };
    if (refund.state !== 'requested' && refund.state !== 'needs_person') {
      return { ok: false, reason: 'closed', state: refund.state };
    }
    const { gateway, paymentId, order } = refund.payment;
    const payment = { gateway: gateway as Gateway, paymentId, merchantUid: order.merchantUid };
    const until = refund.inDoubtUntil ?? now;
    if (refund.state === 'needs_person') return { ok: true, payment, until };
    if (refund.takenAt) return { ok: false, reason: 'taken' };
    const { count } = await tx.refund.updateMany({
      where: {
        id,
        state: 'requested',
        tries: refund.tries,
        cancelledBefore: refund.cancelledBefore,
        inDoubtUntil: refund.inDoubtUntil,
      },
      data: { state: 'needs_person', lastError: BY_HAND },
    });
    // A try began or ended just now: whoever asks again sees how far it came.
    if (count === 0) return { ok: false, reason: 'under_way', until: now };
    return { ok: true, payment, until };
  });
}

/** Reads the payment back and settles it, where it can be read at all. */
async function doubtAbout(
  options: RefundOptions,
  payment: ParkedPayment,
): Promise<'taken' | 'unreachable' | null> {
  const api = options.portone.api(payment.gateway);
  try {
    const snapshot = await api?.read(payment);
    if (snapshot?.paymentId !== payment.paymentId) return null;
    await settlePayment(options, snapshot, 'refunds');
    return snapshot.cancelPending ? 'taken' : null;
  } catch (error) {
    if (error instanceof GatewayUnreachable) return 'unreachable';
    throw error;
  }
}

async function finish(
  tx: Transaction,
  { paymentId, merchantUid }: ParkedPayment,
  { id, note, actor }: PaidByHand,
  now: Date,
): Promise<ByHand> {
  // The payment's row first, as in every settlement.
  const [payment] = await tx.$queryRawUnsafe<{ orderId: number; left: number }[]>(
    lock,
    paymentId,
    merchantUid,
  );
  if (!payment) throw new Error(`the payment of refund ${id} is gone`);
  const refund = await tx.refund.findUniqueOrThrow({ where: { id } });
  const { state } = refund;
  if (state === 'done' && !refund.byHand) return { ok: false, reason: 'refunded_by_portone' };
  if (state === 'done' || state === 'failed') return { ok: false, reason: 'closed', state };
  const before = await tx.refund.aggregate({
    where: { paymentId, byHand: true, state: 'done' },
    _sum: { amount: true },
  });
  // All that is left may be less by now than when it was asked for.
  const amount = refund.whole ? payment.left - (before._sum.amount ?? 0) : refund.amount;
  const closed = await tx.refund.updateMany({
    where: { id, state: 'needs_person' },
    data: { state: 'done', byHand: true, note, amount, doneAt: now, lastError: null, ...WIPED },
  });
  // Somebody had it tried anew in between.
  if (closed.count === 0) return { ok: false, reason: 'under_way', until: now };
  await step(tx, id, 'refund_done', `${amount} by hand: ${note}`, actor, now);
  if (refund.whole) {
    const kind = 'partial_cancel' as const;
    await closeCases(tx, { paymentId, kind, closedBy: 'refunds', note: 'paid by hand', now });
  }
  const seats = await freeSeats(tx, { ...refund, orderId: payment.orderId }, actor, now);
  return { ok: true, seats };
}

async function freeSeats(
  tx: Transaction,
  refund: { paymentId: string; orderId: number; whole: boolean; seats: string[] },
  actor: string,
  now: Date,
): Promise<string[]> {
  const { paymentId, orderId } = refund;
  const hold = await tx.hold.findFirst({ where: { orderId, state: { not: 'ended' } } });
  const own = hold?.paymentId === paymentId ? hold : null;
  const reason = 'refunded';
  if (!refund.whole) {
    if (!own || refund.seats.length === 0) return [];
    return returnSeats(tx, { holdId: own.id, labels: refund.seats, now, actor, reason });
  }
  if (own) {
    const holds = [{ id: own.id, paymentId }];
    const orderStatus = 'refunded';
    const freed = await endHolds(tx, { holds, now, actor, reason, orderStatus, soldToo: true });
    return freed.map((seat) => seat.label);
  }
  // Money that never had seats.
  if (!hold) {
    const where = { id: orderId, status: 'pending' };
    await tx.order.updateMany({ where, data: { status: 'refunded' } });
  }
  return [];
}
