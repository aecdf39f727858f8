// Money that PortOne says went back: closes the refund it was for, or opens a case for a person.

import type { Transaction } from '../db/database.ts';
import type { PaymentSnapshot } from '../portone/payment.ts';
import { returnSeats } from '../seats/return-seats.ts';
import { closeCases, openCase } from './cases.ts';
import type { OrderState } from './order-state.ts';
import { recordable } from './record-payment.ts';
import { recordStep } from './steps.ts';

export interface MoneyBack {
  tx: Transaction;
  order: OrderState;
  payment: PaymentSnapshot;
  actor: string;
  now: Date;
}

type OpenRefund = OrderState['refunds'][number];

const isOpen = (refund: OpenRefund) => refund.state !== 'done';

/** All of it went back: whoever did it, ourselves or a person in the console, none is owed more. */
export async function closeWholeRefund(back: MoneyBack): Promise<void> {
  const { tx, order, payment, actor, now } = back;
  await noteTwice(back);
  const open = order.refunds.find(isOpen);
  if (open) await finish(back, open, `${recordable(payment.cancelledAmount)}`);
  await closeCases(tx, {
    paymentId: payment.paymentId,
    kind: 'partial_cancel',
    closedBy: actor,
    note: 'cancelled in full',
    now,
  });
}

/**
 * A part of it went back. Where a refund of ours asked for it, that is done; what nobody here asked
 * for is a case: the organizer says whether seats go back with it.
 * @returns whether a refund was done
 */
export async function settlePartBack(back: MoneyBack): Promise<boolean> {
  const { tx, order, payment, actor, now } = back;
  await noteTwice(back);
  const cancelled = recordable(payment.cancelledAmount);
  const open = order.refunds.find((refund) => isOpen(refund) && !refund.whole);
  const unexplained = cancelled - explained(back);
  const done =
    open !== undefined &&
    open.cancelledBefore !== null &&
    cancelled >= open.cancelledBefore + open.amount &&
    // Not with money that the organizer has seen to otherwise.
    unexplained >= open.amount;
  if (open && done) {
    await finish(back, open, `${open.amount}`);
    await freeSeats(back, open);
  }
  const unasked = order.refunds.some(isAllByHand)
    ? 0
    : unexplained - (open && done ? open.amount : 0);
  const { paymentId } = payment;
  if (unasked <= 0) {
    const note = 'explained by a refund';
    await closeCases(tx, { paymentId, kind: 'partial_cancel', closedBy: actor, note, now });
    return done;
  }
  const detail = `${unasked} ${payment.currency} were cancelled outside Seatline; the seats stand`;
  const { id: orderId, eventId } = order;
  const opened = await openCase(tx, {
    eventId,
    orderId,
    paymentId,
    kind: 'partial_cancel',
    amount: unasked,
    detail,
    now,
  });
  if (opened) await recordStep(tx, { ...step(back), step: 'partial_cancel', detail });
  return done;
}

/** What went back by hand and then at PortOne too is gone; the organizer asks the buyer for it. */
async function noteTwice(back: MoneyBack): Promise<void> {
  const { tx, order, payment, now } = back;
  const amount = wentTwice(back);
  if (amount <= order.settledTwice) return;
  const detail = `${amount} ${payment.currency} went back by hand and by PortOne as well`;
  const { id: orderId, eventId } = order;
  const { paymentId } = payment;
  const kind = 'paid_back_twice' as const;
  const more = amount - order.settledTwice;
  const wanted = { eventId, orderId, paymentId, kind, amount: more, detail, now };
  if (await openCase(tx, wanted)) await recordStep(tx, { ...step(back), step: kind, detail });
}

/** All that was left is paid back by hand: whatever PortOne gives back besides goes twice. */
function isAllByHand(refund: OpenRefund): boolean {
  return refund.byHand && refund.whole && !isOpen(refund);
}

/** What went back for refunds of ours, what the organizer saw to, and what is a case of its own. */
function explained(back: MoneyBack): number {
  const { order } = back;
  const refunded = order.refunds
    .filter((refund) => !refund.byHand && !isOpen(refund))
    .reduce((sum, refund) => sum + refund.amount, 0);
  return refunded + order.settledByCases + wentTwice(back);
}

/** More than was paid: that much went back by hand and by PortOne too. */
function wentTwice({ order, payment }: MoneyBack): number {
  const byHand = order.refunds
    .filter((refund) => refund.byHand)
    .reduce((sum, refund) => sum + refund.amount, 0);
  const paid = recordable(payment.amount);
  const cancelled = Math.min(recordable(payment.cancelledAmount), paid);
  return byHand === 0 ? 0 : Math.max(0, byHand + cancelled - paid);
}

async function finish(back: MoneyBack, refund: OpenRefund, detail: string): Promise<void> {
  const { tx, now } = back;
  await tx.refund.update({
    where: { id: refund.id },
    data: {
      state: 'done',
      doneAt: now,
      lastError: null,
      inDoubtUntil: null,
      // Personal data, needed no longer.
      accountBank: null,
      accountNumber: null,
      accountHolder: null,
      accountPhone: null,
    },
  });
  await recordStep(tx, { ...step(back), step: 'refund_done', detail });
}

async function freeSeats(back: MoneyBack, refund: OpenRefund): Promise<void> {
  const { tx, order, actor, now } = back;
  const { hold } = order;
  if (refund.seats.length === 0 || hold?.state !== 'sold') return;
  await returnSeats(tx, { holdId: hold.id, labels: refund.seats, now, actor, reason: 'refunded' });
}

function step({ order, payment, actor, now }: MoneyBack) {
  return { orderId: order.id, paymentId: payment.paymentId, actor, at: now };
}
