// Settles one payment, as PortOne describes it, against the seats of its order: money and seats
// agree afterwards, whatever came before, however often and in whatever order it is run.

import type { Clock } from '../clock.ts';
import type { Database, Transaction } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { StaleRead } from '../faults/database-errors.ts';
import type { PaymentSnapshot } from '../portone/payment.ts';
import { endHolds } from '../seats/end-holds.ts';
import { lockSale } from '../seats/lock.ts';
import { type LateOrder, seatLatePayment } from './seat-late-payment.ts';

const sql = {
  order: loadSql('load_settlement'),
  record: loadSql('record_payment'),
  sell: loadSql('sell_hold'),
};

export interface SettleOptions {
  database: Database;
  clock: Clock;
  /** False in production: a test-channel payment looks paid, but no money moved. */
  testPaymentsAccepted: boolean;
}

export type Settled =
  | 'sold'
  | 'already_sold'
  | 'same_seats'
  | 'equal_seats'
  | 'refund_requested'
  | 'released'
  | 'kept'
  | 'recorded'
  /** A later state of this payment was settled before; nothing was done. */
  | 'outdated'
  | 'unknown_order';

interface OrderState extends LateOrder {
  amount: number;
  currency: string;
  status: string;
  hold: { id: string; state: string; paymentId: string } | null;
  refunding: boolean;
}

export async function settlePayment(
  options: SettleOptions,
  payment: PaymentSnapshot,
): Promise<Settled> {
  return options.database.transaction(async (tx) => {
    const seen = await readOrder(tx, payment);
    if (!seen) return 'unknown_order';
    // A paid payment without a hold may take seats: that needs the event's lock, before all others.
    const late = payment.status === 'paid' && seen.hold === null;
    if (late) await lockSale(tx, seen.eventId);
    return new Settlement(tx, options, seen, payment, late).run();
  });
}

async function readOrder(tx: Transaction, payment: PaymentSnapshot): Promise<OrderState | null> {
  const [row] = await tx.$queryRawUnsafe<{ document: OrderState }[]>(
    sql.order,
    payment.merchantUid,
    payment.paymentId,
  );
  return row?.document ?? null;
}

class Settlement {
  private readonly now: Date;

  constructor(
    private readonly tx: Transaction,
    private readonly options: SettleOptions,
    private order: OrderState,
    private readonly payment: PaymentSnapshot,
    private readonly saleLocked: boolean,
  ) {
    this.now = options.clock.now();
  }

  async run(): Promise<Settled> {
    switch (this.payment.status) {
      case 'paid':
        return this.paid();
      case 'waiting_deposit':
        return this.waitingForDeposit();
      case 'failed':
        return this.failed();
      case 'cancelled':
        return this.cancelled();
      case 'ready':
        return (await this.record(null)) ? 'recorded' : 'outdated';
    }
  }

  private async paid(): Promise<Settled> {
    const { payment } = this;
    const wrong = this.whatIsWrong();
    const partly = payment.cancelledAmount > 0 ? 'partially_cancelled' : null;
    if (!(await this.record(wrong ?? partly))) return 'outdated';
    const { order } = this;
    if (order.refunding) return 'recorded';
    if (wrong) {
      await this.endOwnHold(wrong, 'pending');
      return this.refund(wrong);
    }
    if (order.hold?.state === 'held') return this.sell();
    if (order.hold) {
      return order.hold.paymentId === payment.paymentId
        ? 'already_sold'
        : this.refund('paid_twice');
    }
    if (order.status !== 'pending' && order.status !== 'held') return this.refund('order_closed');
    if (!this.saleLocked) throw new StaleRead('hold');
    const seated = await seatLatePayment(this.tx, order, payment, this.now);
    return seated ?? this.refund('no_seats_left');
  }

  private whatIsWrong(): string | null {
    const { payment, order, options } = this;
    if (payment.amount !== order.amount || payment.currency !== order.currency) {
      return 'amount_mismatch';
    }
    if (payment.test && !options.testPaymentsAccepted) return 'test_payment';
    return null;
  }

  private async sell(): Promise<Settled> {
    const sold = await this.tx.$queryRawUnsafe<{ holdId: string }[]>(
      sql.sell,
      this.order.id,
      this.payment.paymentId,
      this.now,
      'settlement',
      'paid',
    );
    if (sold.length !== 1) throw new StaleRead('hold');
    return 'sold';
  }

  /** The hold follows the account's due date; nothing is sold before money is there. */
  private async waitingForDeposit(): Promise<Settled> {
    if (!(await this.record(null))) return 'outdated';
    const { depositBy } = this.payment;
    const hold = this.ownHold('held');
    if (!hold || !depositBy) return 'recorded';
    await this.tx.hold.updateMany({
      where: { id: hold.id, state: 'held', expiresAt: { lt: depositBy } },
      data: { expiresAt: depositBy, nextAskAt: null },
    });
    return 'kept';
  }

  /** Not the end of it: some methods fail first and are paid later, which is a late payment. */
  private async failed(): Promise<Settled> {
    if (!(await this.record(null))) return 'outdated';
    if (!this.ownHold('held')) return 'recorded';
    return this.endOwnHold('payment_failed', 'pending');
  }

  private async cancelled(): Promise<Settled> {
    if (!(await this.record(null))) return 'outdated';
    const { order, payment, now } = this;
    // Whoever gave the money back, ourselves or a person in the console: none is owed any more.
    await this.tx.refund.updateMany({
      where: { paymentId: payment.paymentId, state: { not: 'done' } },
      data: { state: 'done', doneAt: now, lastError: null },
    });
    const hold = this.ownHold('held') ?? this.ownHold('sold');
    if (hold) return this.endOwnHold('payment_cancelled', 'refunded');
    if (!order.hold && order.refunding && order.status === 'pending') {
      await this.tx.order.updateMany({
        where: { id: order.id, status: 'pending' },
        data: { status: 'refunded' },
      });
    }
    return 'recorded';
  }

  /** The order's hold if this very payment has it; another attempt's hold is none of ours. */
  private ownHold(state: string) {
    const { hold } = this.order;
    return hold?.state === state && hold.paymentId === this.payment.paymentId ? hold : null;
  }

  private async endOwnHold(reason: string, orderStatus: 'pending' | 'refunded'): Promise<Settled> {
    const hold = this.ownHold('held') ?? this.ownHold('sold');
    if (!hold) return 'recorded';
    await endHolds(this.tx, {
      holds: [{ id: hold.id, paymentId: this.payment.paymentId }],
      now: this.now,
      actor: 'settlement',
      reason,
      orderStatus,
      soldToo: true,
    });
    return 'released';
  }

  private async refund(reason: string): Promise<Settled> {
    const { payment, now } = this;
    const amount = recordable(payment.amount) - recordable(payment.cancelledAmount);
    // Nothing was paid, so nothing is owed.
    if (amount <= 0) return 'recorded';
    await this.tx.refund.createMany({
      data: {
        paymentId: payment.paymentId,
        amount,
        reason,
        requestedAt: now,
        nextTryAt: now,
      },
      skipDuplicates: true,
    });
    return 'refund_requested';
  }

  /**
   * Takes the payment's row, and looks at the order anew once it has it: another settlement of the
   * same payment may have moved seats in between.
   * @returns false where a later state of the payment is on record already
   */
  private async record(flag: string | null): Promise<boolean> {
    const p = this.payment;
    const rows = await this.tx.$queryRawUnsafe<unknown[]>(
      sql.record,
      p.paymentId,
      p.gateway,
      this.order.id,
      p.status,
      recordable(p.amount),
      Math.min(recordable(p.cancelledAmount), recordable(p.amount)),
      p.currency,
      p.test,
      p.method,
      flag,
      this.now,
    );
    if (rows.length === 0) return false;
    const order = await readOrder(this.tx, p);
    if (!order) throw new StaleRead('order');
    this.order = order;
    return true;
  }
}

const AMOUNT_MAX = 2_147_483_647;

/**
 * An amount as it can be written down. The browser names V1's, so it may be anything; whatever is
 * not the order's own whole amount is refunded in full, and the refund asks for all there is.
 */
function recordable(amount: number): number {
  return Math.min(Math.max(Math.ceil(amount), 0), AMOUNT_MAX);
}
