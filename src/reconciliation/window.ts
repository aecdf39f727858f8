// The time that a reconciliation looks at.

import type { Database } from '../db/database.ts';
import { WINDOW_MAX_MS } from '../portone/window.ts';

export { WINDOW_MAX_MS };

/** Clocks of two machines differ, and an order may be paid in the second it is made. */
const BEFORE_FIRST_ORDER_MS = 3_600_000;

export interface Window {
  from: Date;
  to: Date;
}

export interface Wish {
  eventId: number | null;
  /** Null: from the first order on, as far back as PortOne lists. */
  from: Date | null;
  /** Null, or later than now: until now. */
  to: Date | null;
}

/** @returns what is wrong with it, in words, where it is no window */
export async function windowOf(
  database: Database,
  wish: Wish,
  now: Date,
): Promise<Window | string> {
  const to = wish.to && wish.to < now ? wish.to : now;
  const from = wish.from ?? (await firstOrder(database, wish.eventId, to));
  if (from >= to) return 'the window must begin before it ends, and not in the future';
  if (to.getTime() - from.getTime() > WINDOW_MAX_MS) {
    return 'the window may have 90 days; PortOne lists no more';
  }
  return { from, to };
}

async function firstOrder(database: Database, eventId: number | null, to: Date): Promise<Date> {
  const first = await database.prisma.order.findFirst({
    where: eventId === null ? {} : { eventId },
    // By id: it has an index, and the first id is the first order.
    orderBy: { id: 'asc' },
    select: { createdAt: true },
  });
  const start = Math.min(first?.createdAt.getTime() ?? to.getTime(), to.getTime());
  const earliest = to.getTime() - WINDOW_MAX_MS;
  return new Date(Math.max(start - BEFORE_FIRST_ORDER_MS, earliest));
}
