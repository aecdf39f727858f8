// One payment against one order, within one transaction: what each of its states does to the seats.

import type { Transaction } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { StaleRead } from '../faults/database-errors.ts';
import type { PaymentSnapshot } from '../portone/payment.ts';
import { ineligible, overBuyerLimit } from '../seats/eligibility.ts';
import { endHolds } from '../seats/end-holds.ts';
import type { LockedSale } from '../seats/lock.ts';
import { closeWholeRefund, settlePartBack } from './money-back.ts';
import type { OrderGlance, OrderState } from './order-state.ts';
import { recordable } from './record-payment.ts';
import { ACCOUNT_REFUSED } from './refuse-account.ts';
import { requestRefund } from './request-refund.ts';
import { seatLatePayment } from './seat-late-payment.ts';
import type { Settled, SettlementRules } from './settle-payment.ts';
import { recordStep } from './steps.ts';
import { waitsUntil } from './waiting.ts';

const sell = loadSql('sell_hold');

export interface SettlementFacts {
  tx: Transaction;
  order: OrderState;
  /** Before this was written down. */
  seen: Pick<OrderGlance, 'statusBefore' | 'flagBefore'>;
  payment: PaymentSnapshot;
  /** Why it must not have the seats. */
  wrong: string | null;
  /** There if the event is locked, so that seats may be taken. */
  sale: LockedSale | undefined;
  actor: string;
  now: Date;
  rules: SettlementRules;
}

export class Settlement {
  constructor(private readonly facts: SettlementFacts) {}

  async run(): Promise<Settled | 'account_forbidden'> {
    switch (this.facts.payment.status) {
      case 'paid':
        return this.paid();
      case 'waiting_deposit':
        return this.waiting('virtual_account');
      case 'pending':
        return this.waiting(null);
      case 'failed':
        return this.failed();
      case 'cancelled':
        return this.cancelled();
      case 'ready':
        return 'recorded';
    }
  }

  private async paid(): Promise<Settled> {
    const { order, payment, seen, wrong } = this.facts;
    const partly = payment.cancelledAmount > 0;
    if (partly && (await settlePartBack(this.facts))) return 'refunded_in_part';
    if (order.refunds.some((refund) => refund.whole)) return 'recorded';
    if (wrong) {
      // Sold seats, if ever there are any, go back with the money and not before it.
      if (this.ownHold('held')) await this.endOwnHold(wrong, 'pending');
      return this.refund(wrong);
    }
    if (order.hold?.state === 'held') return this.sell();
    if (order.hold) {
      return order.hold.paymentId === payment.paymentId
        ? 'already_sold'
        : this.refund('paid_twice');
    }
    // Of one that failed on record no money has gone back: it was taken for one that is not there.
    if (order.returned && seen.statusBefore !== 'failed') return 'recorded';
    if (order.calledOff) return this.refund('order_closed');
    return this.seatLate();
  }

  /** L7: the same seats, else equal ones, else the money goes back. */
  private async seatLate(): Promise<Settled> {
    const { tx, order, payment, now, sale, actor } = this.facts;
    if (!sale) throw new StaleRead('hold');
    const barred = order.confirmed ? null : this.whyBarred(sale);
    if (barred) return this.refund(barred);
    const seated = await seatLatePayment(tx, order, payment, { now, actor });
    if (!seated) return this.refund('no_seats_left');
    await this.step(seated, order.confirmed ? 'late_payment' : 'bypassed_confirm');
    return seated;
  }

  /** A payment that never asked for its seats is held to the event's policy and to its rules. */
  private whyBarred(sale: LockedSale): string | null {
    const { order, payment, now } = this.facts;
    if (order.policy.bypassedPayments === 'refund') return 'bypassed_confirm';
    const quantity = order.items.reduce((sum, item) => sum + item.quantity, 0);
    // When it was paid counts, not when we heard of it: nobody pays ahead of the opening, unseen.
    const paidAt = payment.paidAt && payment.paidAt < now ? payment.paidAt : now;
    const no = ineligible(sale, { ...order, quantity }, { amount: payment.amount }, paidAt);
    if (no) return `bypassed_${no.code}`;
    return overBuyerLimit(sale, order.buyerSeats + quantity) ? 'bypassed_limit_reached' : null;
  }

  private async sell(): Promise<Settled> {
    const { tx, order, payment, now, actor } = this.facts;
    const sold = await tx.$queryRawUnsafe<{ holdId: string }[]>(
      sell,
      order.id,
      payment.paymentId,
      now,
      actor,
      'paid',
    );
    if (sold.length !== 1) throw new StaleRead('hold');
    await this.step('sold');
    return 'sold';
  }

  /** Nothing is sold before money is there; the hold waits as long as the event allows. */
  private async waiting(flag: 'virtual_account' | null): Promise<Settled | 'account_forbidden'> {
    const { tx, order, seen, payment, rules, now } = this.facts;
    if (flag && order.policy.virtualAccounts === 'forbid') {
      return seen.flagBefore === ACCOUNT_REFUSED ? 'recorded' : 'account_forbidden';
    }
    const held = order.hold?.state === 'held' ? order.hold : null;
    // The money may come for any attempt that was let on to the hold, whichever has it now.
    const hold = this.ownHold('held') ?? (order.letOn ? held : null);
    const until = hold && waitsUntil({ ...order.policy, ...rules }, hold, payment);
    if (!hold || !until || until <= now) return 'recorded';
    const longer = await tx.hold.updateMany({
      where: {
        id: hold.id,
        state: 'held',
        paymentId: hold.paymentId,
        expiresAt: { lt: until },
      },
      data: { expiresAt: until, nextAskAt: null },
    });
    if (longer.count > 0) await this.step('hold_extended', until.toISOString());
    return 'kept';
  }

  /** Not the end of it: some methods fail first and are paid later, which is a late payment. */
  private failed(): Promise<Settled> {
    return this.endOwnHold('payment_failed', 'pending');
  }

  private async cancelled(): Promise<Settled> {
    const { tx, order } = this.facts;
    await closeWholeRefund(this.facts);
    // Nothing came, as from an account that was closed: the order may still be paid for.
    if (this.facts.payment.cancelledAmount === 0) {
      return this.endOwnHold('payment_cancelled', 'pending');
    }
    if ((await this.endOwnHold('payment_cancelled', 'refunded')) === 'released') return 'refunded';
    if (order.hold || order.status !== 'pending') return 'recorded';
    await tx.order.updateMany({
      where: { id: order.id, status: 'pending' },
      data: { status: 'refunded' },
    });
    return 'refunded';
  }

  /** The order's hold if this very payment has it; another attempt's hold is none of ours. */
  private ownHold(state: 'held' | 'sold') {
    const { order, payment } = this.facts;
    const { hold } = order;
    return hold?.state === state && hold.paymentId === payment.paymentId ? hold : null;
  }

  private async endOwnHold(reason: string, orderStatus: 'pending' | 'refunded'): Promise<Settled> {
    const { tx, payment, now, actor } = this.facts;
    const hold = this.ownHold('held') ?? this.ownHold('sold');
    // An attempt in another window may be charging for the same hold; expiry asks about them all.
    if (!hold || (hold.state === 'held' && this.facts.order.rivals)) return 'recorded';
    await endHolds(tx, {
      holds: [{ id: hold.id, paymentId: payment.paymentId }],
      now,
      actor,
      reason,
      orderStatus,
      soldToo: true,
    });
    await this.step('released', reason);
    return 'released';
  }

  private async refund(reason: string): Promise<Settled> {
    const { tx, payment, now, actor } = this.facts;
    const amount = recordable(payment.amount) - recordable(payment.cancelledAmount);
    // Nothing was paid, so nothing is owed.
    if (amount <= 0) return 'recorded';
    const requestedBy = actor;
    const { paymentId } = payment;
    const wish = { paymentId, amount, whole: true, reason, requestedBy, now };
    if ((await requestRefund(tx, wish)) === null) return 'recorded';
    await this.step('refund_requested', reason);
    return 'refund_requested';
  }

  private step(step: string, detail: string | null = null): Promise<void> {
    const { tx, order, payment, actor, now } = this.facts;
    const { paymentId } = payment;
    return recordStep(tx, { orderId: order.id, paymentId, step, detail, actor, at: now });
  }
}
