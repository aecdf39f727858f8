// What becomes of a payment that has its seats: cancelled, refunded, disputed, as its buyer's part says.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Sandbox } from '../sandbox/types.ts';
import type { Buyer } from './buyers.ts';
import type { Deals } from './deals.ts';
import type { Dice } from './dice.ts';
import type { Order, OrderSeen, OrderView, Organizer } from './organizer.ts';

/** A view of an order costs the service some ms, which the sale needs. */
const LOOK_EVERY_MS = 1_000;
/** A deposit comes after 6 s, the scheduled reconciliation every 10 s; a busy machine needs longer. */
const SOLD_LIMIT_MS = 20_000;
const ENDED_LIMIT_MS = 20_000;

export interface AffairParts {
  sandbox: Sandbox;
  organizer: Organizer;
  deals: Deals;
  now: () => number;
  signal: AbortSignal;
}

export interface Affair {
  buyer: Buyer;
  order: Order;
  paymentId: string;
  dice: Dice;
}

type Seen = (order: OrderView) => boolean;

export class Affairs {
  constructor(private readonly parts: AffairParts) {}

  /**
   * Waits for its end, for whoever watches wants the seats that come back.
   * @returns false where the payment was never given its seats, so that nothing was done
   */
  async live(affair: Affair): Promise<boolean> {
    const { order, paymentId, dice } = affair;
    const isSettled: Seen = (seen) => hasSeats(seen, paymentId) || isGivenBack(seen, paymentId);
    const sold = await this.until(order, SOLD_LIMIT_MS, isSettled);
    if (!sold || isGivenBack(sold, paymentId)) return false;
    await this.pause(dice.whole(100, 1_000));
    const isOver = await this.begin(affair, sold);
    if (isOver) await this.until(order, ENDED_LIMIT_MS, isOver);
    return isOver !== null;
  }

  /** @returns how its end is known; null where it could not begin */
  private begin(affair: Affair, sold: OrderSeen): Promise<Seen | null> {
    switch (affair.buyer.after) {
      case 'cancelled':
        return this.cancel(affair, undefined);
      case 'part_cancelled':
        return this.cancel(affair, this.partOf(affair, sold));
      case 'refunded':
        return this.refund(affair, 'cannot come');
      case 'part_refunded':
        return this.refundPart(affair, sold);
      case 'disputes':
        return this.dispute(affair);
      case 'wins_dispute':
        return this.loseDispute(affair);
      case 'keeps':
        return Promise.resolve(null);
    }
  }

  /** One seat's price where there are several; else a goodwill that takes no seat with it. */
  private partOf({ order, dice }: Affair, sold: OrderSeen): number {
    const price = order.amount / order.quantity;
    return sold.seats.length > 1 && dice.happens(0.6) ? price : goodwill(price);
  }

  private async cancel({ paymentId }: Affair, part: number | undefined): Promise<Seen | null> {
    const { cancelled } = this.parts.sandbox.cancelInConsole(paymentId, part);
    if (!cancelled) return null;
    return part === undefined ? isGone : (seen) => hasClosed(seen, 'partial_cancel');
  }

  private async refund({ order }: Affair, reason: string): Promise<Seen | null> {
    return (await this.parts.organizer.refund(order.merchantUid, { reason })) ? isGone : null;
  }

  /** With a seat, with a seat and a fee kept, or a goodwill. */
  private async refundPart({ order, dice }: Affair, sold: OrderSeen): Promise<Seen | null> {
    const { organizer, deals } = this.parts;
    const price = order.amount / order.quantity;
    const last = sold.seats.length > 1 ? sold.seats.at(-1) : undefined;
    const fee = dice.happens(0.5) ? goodwill(price) : 0;
    const wish = last
      ? { seats: [last.label], amount: price - fee, reason: 'one of us cannot come' }
      : { amount: goodwill(price), reason: 'goodwill' };
    if (!(await organizer.refund(order.merchantUid, wish))) return null;
    const allowance = last ? -fee : goodwill(price);
    deals.add(order.merchantUid, { seatsBack: last ? 1 : 0, allowance });
    return (seen) => seen.payments.some(({ refunds }) => refunds.some(isDone));
  }

  private async dispute({ paymentId, dice }: Affair): Promise<Seen | null> {
    const { sandbox } = this.parts;
    if (!sandbox.dispute(paymentId)) return null;
    await this.pause(dice.whole(1_000, 2_500));
    sandbox.resolveDispute(paymentId);
    return (seen) => hasClosed(seen, 'dispute');
  }

  /** The organizer hears of it, and gives in. */
  private async loseDispute(affair: Affair): Promise<Seen | null> {
    const { order, paymentId } = affair;
    if (!this.parts.sandbox.dispute(paymentId)) return null;
    await this.until(order, ENDED_LIMIT_MS, ({ cases }) => cases.some(isDispute));
    const isRefunded = await this.refund(affair, 'the buyer disputes the charge');
    return isRefunded && ((seen) => isRefunded(seen) && hasClosed(seen, 'dispute'));
  }

  /** @returns null where it did not come to it in time */
  private async until(order: Order, limitMs: number, seen: Seen): Promise<OrderView | null> {
    const { organizer, now } = this.parts;
    const giveUpAt = now() + limitMs;
    while (now() < giveUpAt) {
      await this.pause(LOOK_EVERY_MS);
      const view = await organizer.order(order.merchantUid);
      if (seen(view)) return view;
    }
    return null;
  }

  private pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.parts.signal });
  }
}

/** A tenth of a seat. */
function goodwill(price: number): number {
  return Math.round(price / 10);
}

function hasSeats({ status, payments }: OrderSeen, paymentId: string): boolean {
  return status === 'paid' && payments.some((payment) => payment.paymentId === paymentId);
}

function isGivenBack({ payments }: OrderSeen, paymentId: string): boolean {
  return payments.some((own) => own.paymentId === paymentId && own.refunds.length > 0);
}

function isGone({ status }: OrderSeen): boolean {
  return status !== 'paid';
}

function isDone({ state }: { state: string }): boolean {
  return state === 'done';
}

function isDispute({ kind }: { kind: string }): boolean {
  return kind === 'dispute';
}

function hasClosed({ cases }: OrderView, kind: string): boolean {
  return cases.some((one) => one.kind === kind && one.closedAt !== null);
}
