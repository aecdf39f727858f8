// No money without a seat: a payment without a live hold gets its seats back, or equal ones.

import { randomUUID } from 'node:crypto';
import type { Transaction } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { StaleRead } from '../faults/database-errors.ts';
import type { PaymentSnapshot } from '../portone/payment.ts';
import { isOneRun } from '../seats/adjacency.ts';
import { type FreeSeat, FreeSeats, type SeatWish } from '../seats/choose.ts';
import { readFreeSeats } from '../seats/free-seats.ts';
import type { OrderState } from './order-state.ts';

const sql = { seat: loadSql('seat_late_payment'), once: loadSql('seats_once_held') };

/** How many free seats of each type are searched for an equal party; a late payment is rare. */
const WINDOW = 2_000;

type LateOrder = Pick<OrderState, 'id' | 'eventId' | 'items'>;

interface By {
  now: Date;
  actor: string;
}

type OnceHeld = FreeSeat & { state: string };

/**
 * Needs the event's lock.
 * @returns why the seats were given, or null where there are none to give
 */
export async function seatLatePayment(
  tx: Transaction,
  order: LateOrder,
  payment: PaymentSnapshot,
  by: By,
): Promise<'same_seats' | 'equal_seats' | null> {
  const once = await tx.$queryRawUnsafe<OnceHeld[]>(sql.once, order.id);
  if (once.length > 0 && once.every((seat) => seat.state === 'available')) {
    await write(tx, order, payment, once, by, 'late_payment:same_seats');
    return 'same_seats';
  }
  const equal = await chooseEqual(tx, order, once);
  if (!equal) return null;
  await write(tx, order, payment, equal, by, 'late_payment:equal_seats');
  return 'equal_seats';
}

async function chooseEqual(
  tx: Transaction,
  order: LateOrder,
  once: OnceHeld[],
): Promise<FreeSeat[] | null> {
  const types = new Map(order.items.map((item) => [item.ticketTypeId, WINDOW]));
  const labels = order.items.flatMap((item) => item.labels);
  const free = new FreeSeats(await readFreeSeats(tx, order.eventId, types, labels));
  const neverSeated = once.length === 0;
  const wishes = order.items.map((item): SeatWish => {
    const party = once.filter((seat) => seat.ticketTypeId === item.ticketTypeId);
    return {
      ticketTypeId: item.ticketTypeId,
      quantity: item.quantity,
      // Seats that were named and are gone are replaced by others of their type.
      labels: neverSeated && item.labels.length > 0 ? item.labels : null,
      together: item.together || (item.quantity > 1 && isOneRun(party)),
    };
  });
  const choice = free.take(wishes);
  return choice.ok ? choice.seats : null;
}

async function write(
  tx: Transaction,
  order: LateOrder,
  payment: PaymentSnapshot,
  seats: FreeSeat[],
  by: By,
  reason: string,
): Promise<void> {
  const [written] = await tx.$queryRawUnsafe<{ holds: number; seats: number; orders: number }[]>(
    sql.seat,
    randomUUID(),
    order.id,
    payment.paymentId,
    payment.gateway,
    seats.map((seat) => seat.id),
    by.now,
    by.actor,
    reason,
  );
  const { holds, orders } = written ?? {};
  if (holds !== 1 || orders !== 1 || written?.seats !== seats.length) {
    throw new StaleRead('late payment');
  }
}
