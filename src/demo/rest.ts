// After the sale: everything comes to rest, PortOne's list is compared once more, and money is counted.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Sandbox } from '../sandbox/types.ts';
import type { Deals } from './deals.ts';
import type { Desk } from './desk.ts';
import type { EventPlan } from './events.ts';
import { compareMoney, type Money, ordersPaidFor } from './money.ts';
import type { Order, Organizer } from './organizer.ts';
import { readOrders } from './record.ts';

/** A refund that the provider refused once comes again after 2 s; after twice that, 4 s. */
const LIMIT_MS = 40_000;
const LOOK_EVERY_MS = 300;
const RECONCILIATIONS_MAX = 3;

export interface RestParts {
  sandbox: Sandbox;
  organizer: Organizer;
  events: EventPlan[];
  orders: Order[];
  desk: Desk;
  deals: Deals;
  databaseUrl: string;
  now: () => number;
  signal: AbortSignal;
}

export interface Rest {
  money: Money;
  /** What the organizer's own reconciliation, after the sale, still found. */
  foundLast: number;
}

/** Until all is sold or free, every case closed, and both sides agree; or the time is over. */
export async function comeToRest(parts: RestParts): Promise<Rest> {
  const { sandbox, desk, now } = parts;
  const giveUpAt = now() + LIMIT_MS;
  await Promise.race([sandbox.idle(), sleep(LIMIT_MS, undefined, { ref: false })]);
  await desk.getUp();
  let foundLast = 0;
  for (let run = 1; ; run += 1) {
    const rested = await untilQuiet(parts, giveUpAt);
    const found = await reconcileAll(parts);
    foundLast += found;
    if (found > 0 && rested && run < RECONCILIATIONS_MAX) continue;
    const money = await countMoney(parts);
    if (money.agrees || !rested || run >= RECONCILIATIONS_MAX) return { money, foundLast };
  }
}

/** @returns false where the time was over first */
async function untilQuiet(
  { organizer, events, desk, now, signal }: RestParts,
  giveUpAt: number,
): Promise<boolean> {
  while (now() < giveUpAt) {
    const open = await desk.round();
    const counts = await Promise.all(events.map((event) => organizer.seats(event.slug)));
    if (open === 0 && counts.every((count) => count.held === 0)) return true;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
  return false;
}

/** One after the other: a reconciliation has the turn alone. @returns what was found */
async function reconcileAll({ organizer, events }: RestParts): Promise<number> {
  let found = 0;
  for (const event of events) {
    const { findings, more } = await organizer.reconcile(event.slug);
    found += findings.length + more;
  }
  return found;
}

async function countMoney(parts: RestParts): Promise<Money> {
  const { sandbox, organizer, events, deals } = parts;
  const quantities = new Map(parts.orders.map((order) => [order.merchantUid, order.quantity]));
  const { payments } = sandbox.books();
  const orders = await readOrders(parts.databaseUrl, ordersPaidFor(payments));
  const counts = await Promise.all(events.map((event) => organizer.seats(event.slug)));
  const soldSeats = counts.reduce((sum, count) => sum + count.sold, 0);
  return compareMoney({ payments, orders, quantities, soldSeats, deals });
}
