// Decides a batch, purely: from what was read to what is to be written and answered.

import type { Gateway } from '../../portone/gateway.ts';
import { isOneRun } from '../../seats/adjacency.ts';
import { type FreeSeat, FreeSeats, type SeatChoice } from '../../seats/choose.ts';
import { ineligible, overBuyerLimit } from '../../seats/eligibility.ts';
import type { DescribedSeat } from '../../seats/free-seats.ts';
import type { LockedSale } from '../../seats/lock.ts';
import type { EnrolledRequest } from '../batch.ts';
import { answerRepeat, type EarlierVerdict, type StillHeld } from '../repeat.ts';
import { type Refused, refuse, type SeatView } from '../verdict.ts';

export interface OrderDocument {
  id: number;
  merchantUid: string;
  buyerId: string;
  amount: number;
  status: string;
  items: {
    ticketTypeId: number;
    ticketType: string;
    quantity: number;
    labels: string[];
    together: boolean;
    available: number;
  }[];
  hold: {
    id: string;
    state: string;
    paymentId: string;
    createdAt: string;
    expiresAt: string;
  } | null;
  buyerSeats: number;
}

export interface BatchFacts {
  sale: LockedSale;
  orders: OrderDocument[];
  earlier: EarlierVerdict[];
  free: DescribedSeat[];
  /** When the next hold of a ticket type ends; absent or null: nothing of it is held. */
  nextHoldEnds: Map<number, string | null>;
}

export interface NewHold {
  id: string;
  orderId: number;
  buyerId: string;
  paymentId: string;
  gateway: Gateway;
  quantity: number;
  expiresAt: string;
  answerBy: string;
  seatIds: number[];
}

export interface MovedHold {
  holdId: string;
  paymentId: string;
  gateway: Gateway;
  expiresAt: string;
  answerBy: string;
}

export interface NewVerdict {
  paymentId: string;
  gateway: Gateway;
  orderId: number;
  code: string;
  amount: number | null;
  position: number | null;
  holdId: string | null;
}

/** One entry a request, in the batch's order. `granted` refers to seats still to be read. */
export type Decision = StillHeld | Refused;

export interface Plan {
  decisions: Decision[];
  holds: NewHold[];
  moved: MovedHold[];
  verdicts: NewVerdict[];
  positionsUsed: number;
  /** Some party sits apart or not at all though more seats could be read and searched. */
  wantsMoreSeats: boolean;
}

/** A buyer who tries again and again may stretch one hold to at most this many hold times. */
const HOLD_STRETCH_MAX = 3;
/** A 200 for less time than a charge may take would be followed by a release under the charge. */
const MOVED_HOLD_LIFE_MIN_MS = 10_000;

/**
 * @param newHoldId makes the ids of new holds
 * @param now the instant of decision; the same for the whole batch
 */
export function judge(
  requests: EnrolledRequest[],
  facts: BatchFacts,
  now: Date,
  newHoldId: () => string,
): Plan {
  const bench = new Bench(facts, now, newHoldId);
  for (const request of requests) bench.hear(request);
  return bench.plan;
}

class Bench {
  readonly plan: Plan = {
    decisions: [],
    holds: [],
    moved: [],
    verdicts: [],
    positionsUsed: 0,
    wantsMoreSeats: false,
  };
  private readonly orders: Map<string, OrderDocument>;
  private readonly earlier: Map<string, EarlierVerdict>;
  private readonly free: FreeSeats;
  private readonly described: Map<number, DescribedSeat>;
  /** Seats granted within this batch, for the limit of a buyer with several orders. */
  private readonly grantedTo = new Map<string, number>();
  /** When the next hold of a ticket type ends, with the holds of this batch. */
  private readonly holdEnds: Map<number, string | null>;

  constructor(
    private readonly facts: BatchFacts,
    private readonly now: Date,
    private readonly newHoldId: () => string,
  ) {
    this.orders = new Map(facts.orders.map((order) => [order.merchantUid, order]));
    this.earlier = new Map(facts.earlier.map((verdict) => [verdict.paymentId, verdict]));
    this.free = new FreeSeats(facts.free);
    this.described = new Map(facts.free.map((seat) => [seat.id, seat]));
    this.holdEnds = new Map(facts.nextHoldEnds);
  }

  hear(request: EnrolledRequest): void {
    const earlier = this.earlier.get(request.paymentId);
    if (earlier) {
      this.plan.decisions.push(answerRepeat(earlier, request));
      return;
    }
    const order = this.orders.get(request.merchantUid);
    if (!order) {
      this.plan.decisions.push(refuse('unknown_order'));
      return;
    }
    const decision = this.decide(request, order);
    this.plan.decisions.push(decision);
    this.record(request, order, decision);
  }

  private decide(request: EnrolledRequest, order: OrderDocument): Decision {
    if (this.now.getTime() > request.decideBy) return refuse('timed_out');
    const quantity = order.items.reduce((sum, item) => sum + item.quantity, 0);
    const refusal = ineligible(this.facts.sale, { ...order, quantity }, request, this.now);
    const decision = refusal ?? this.grant(request, order, quantity);
    this.plan.positionsUsed += 1;
    return { ...decision, position: this.facts.sale.lastPosition + this.plan.positionsUsed };
  }

  private grant(request: EnrolledRequest, order: OrderDocument, quantity: number): Decision {
    if (order.hold) return this.moveHold(request, order.hold);
    const granted = this.grantedTo.get(order.buyerId) ?? 0;
    if (overBuyerLimit(this.facts.sale, order.buyerSeats + granted + quantity)) {
      return refuse('limit_reached');
    }
    const choice = this.free.take(order.items.map(wishOf));
    this.noteSearch(order, choice);
    if (!choice.ok) return this.refusalFor(choice);
    this.grantedTo.set(order.buyerId, granted + quantity);
    return this.newHold(request, order, choice.seats);
  }

  private newHold(request: EnrolledRequest, order: OrderDocument, seats: FreeSeat[]): StillHeld {
    const expiresAt = new Date(this.now.getTime() + this.facts.sale.holdSeconds * 1000);
    const hold: NewHold = {
      id: this.newHoldId(),
      orderId: order.id,
      buyerId: order.buyerId,
      paymentId: request.paymentId,
      gateway: request.gateway,
      quantity: seats.length,
      expiresAt: expiresAt.toISOString(),
      answerBy: new Date(request.answerBy).toISOString(),
      seatIds: seats.map((seat) => seat.id),
    };
    this.plan.holds.push(hold);
    for (const { ticketTypeId } of seats) {
      // A hold made now ends after every hold that stood before it.
      this.holdEnds.set(ticketTypeId, this.holdEnds.get(ticketTypeId) ?? hold.expiresAt);
    }
    order.status = 'held';
    order.hold = {
      id: hold.id,
      state: 'held',
      paymentId: hold.paymentId,
      createdAt: this.now.toISOString(),
      expiresAt: hold.expiresAt,
    };
    return {
      code: 'still_held',
      holdId: hold.id,
      position: 0,
      holdExpiresAt: hold.expiresAt,
      seats: this.describe(order, seats),
    };
  }

  private describe(order: OrderDocument, seats: FreeSeat[]): SeatView[] {
    return seats
      .toSorted((a, b) => a.ticketTypeId - b.ticketTypeId || a.rank - b.rank)
      .map(({ id, label, ticketTypeId }) => {
        const item = order.items.find((i) => i.ticketTypeId === ticketTypeId);
        const { section, row, number } = this.described.get(id) ?? {};
        return {
          label,
          ticketType: item?.ticketType ?? '',
          ...(section ? { section } : {}),
          ...(row ? { row } : {}),
          ...(number ? { number } : {}),
        };
      });
  }

  /** Another payment for an order that holds seats: the same seats, no second ones. */
  private moveHold(request: EnrolledRequest, hold: NonNullable<OrderDocument['hold']>): Decision {
    const holdMs = this.facts.sale.holdSeconds * 1000;
    const lastMoment = new Date(hold.createdAt).getTime() + HOLD_STRETCH_MAX * holdMs;
    const present = new Date(hold.expiresAt).getTime();
    const life = lastMoment - this.now.getTime();
    if (life < Math.min(holdMs, MOVED_HOLD_LIFE_MIN_MS)) return refuse('hold_ended');
    const stretched = Math.min(this.now.getTime() + holdMs, lastMoment);
    const expiresAt = new Date(Math.max(present, stretched)).toISOString();
    const answerBy = new Date(request.answerBy).toISOString();
    const { paymentId, gateway } = request;

    const fresh = this.plan.holds.find((h) => h.id === hold.id);
    if (fresh) Object.assign(fresh, { paymentId, gateway, expiresAt, answerBy });
    else this.keepLast({ holdId: hold.id, paymentId, gateway, expiresAt, answerBy });

    const loser = this.earlier.get(hold.paymentId);
    if (loser) loser.holdPaymentId = paymentId;
    hold.paymentId = paymentId;
    hold.expiresAt = expiresAt;
    return { code: 'still_held', holdId: hold.id, position: 0, holdExpiresAt: expiresAt };
  }

  private keepLast(moved: MovedHold): void {
    this.plan.moved = this.plan.moved.filter((m) => m.holdId !== moved.holdId);
    this.plan.moved.push(moved);
  }

  private refusalFor(choice: Extract<SeatChoice, { ok: false }>): Refused {
    if (choice.reason === 'seat_taken') {
      return refuse('seat_taken', choice.labels ? { labels: choice.labels } : {});
    }
    if (choice.reason === 'no_adjacent_seats') return refuse('no_adjacent_seats');
    const endsAt = this.holdEnds.get(choice.ticketTypeId);
    return endsAt ? refuse('all_held', { at: endsAt }) : refuse('sold_out');
  }

  private noteSearch(order: OrderDocument, choice: SeatChoice): void {
    if (order.items.every((item) => item.quantity === 1 || item.labels.length > 0)) return;
    if (!choice.ok ? choice.reason === 'no_adjacent_seats' : isApart(choice.seats)) {
      this.plan.wantsMoreSeats = true;
    }
  }

  private record(request: EnrolledRequest, order: OrderDocument, decision: Decision): void {
    const held = decision.code === 'still_held';
    const verdict: NewVerdict = {
      paymentId: request.paymentId,
      gateway: request.gateway,
      orderId: order.id,
      code: held ? 'confirmed' : decision.code,
      amount: request.amount,
      position: decision.position ?? null,
      holdId: held ? decision.holdId : null,
    };
    this.plan.verdicts.push(verdict);
    // The same payment may ask twice within one batch.
    this.earlier.set(request.paymentId, {
      ...verdict,
      merchantUid: request.merchantUid,
      holdState: held ? 'held' : null,
      holdPaymentId: held ? request.paymentId : null,
      holdExpiresAt: held ? decision.holdExpiresAt : null,
    });
  }
}

function wishOf(item: OrderDocument['items'][number]) {
  return {
    ticketTypeId: item.ticketTypeId,
    quantity: item.quantity,
    labels: item.labels.length > 0 ? item.labels : null,
    together: item.together,
  };
}

/** True where seats with rows were given that are not one run of neighbours of each type. */
function isApart(seats: FreeSeat[]): boolean {
  const parties = groupByType(seats.filter((seat) => seat.rowKey !== null));
  return [...parties.values()].some((party) => !isOneRun(party));
}

function groupByType(seats: FreeSeat[]): Map<number, FreeSeat[]> {
  const groups = new Map<number, FreeSeat[]>();
  for (const seat of seats) {
    groups.set(seat.ticketTypeId, [...(groups.get(seat.ticketTypeId) ?? []), seat]);
  }
  return groups;
}
