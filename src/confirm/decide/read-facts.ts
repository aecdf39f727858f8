// Reads what a batch's decision needs, under the event's lock, in a handful of statements.

import type { Transaction } from '../../db/database.ts';
import { loadSql } from '../../db/sql.ts';
import { readFreeSeats } from '../../seats/free-seats.ts';
import type { LockedSale } from '../../seats/lock.ts';
import type { EnrolledRequest } from '../batch.ts';
import { documentsSql, readDocuments } from '../documents.ts';
import type { BatchFacts, OrderDocument } from './judge.ts';

const sql = {
  documents: documentsSql(loadSql('load_orders')),
  holdEnds: loadSql('next_hold_ends'),
};

/** Parties of two and more are searched for in at least this many of the best free seats. */
const FIRST_WINDOW_MIN = 256;

/** The facts with what is needed to read on. */
export interface ReadFacts extends BatchFacts {
  /** How many seats of each type were asked for, and how many may be read in all. */
  windows: Map<number, { size: number; available: number; parties: boolean }>;
  labels: string[];
}

export async function readFacts(
  tx: Transaction,
  sale: LockedSale,
  requests: EnrolledRequest[],
): Promise<ReadFacts> {
  const { orders, earlier } = await readDocuments<OrderDocument>(tx, sql.documents, requests);
  const seatless = orders.filter((order) => order.hold === null);
  const windows = windowsFor(seatless);
  const labels = seatless.flatMap((order) => order.items.flatMap((item) => item.labels));
  return {
    sale,
    orders,
    earlier,
    windows,
    labels,
    free: await readFreeSeats(tx, sale.id, sizesOf(windows), labels),
    nextHoldEnds: await readHoldEnds(tx, windows),
  };
}

function windowsFor(orders: OrderDocument[]): ReadFacts['windows'] {
  const windows: ReadFacts['windows'] = new Map();
  for (const item of orders.flatMap((order) => order.items)) {
    const known = windows.get(item.ticketTypeId);
    const parties = known?.parties || item.quantity > 1;
    const size = (known?.size ?? 0) + item.quantity;
    windows.set(item.ticketTypeId, { size, available: item.available, parties });
  }
  return windows;
}

/**
 * Doubles the window of those types that have parties in them.
 * @returns false when there is nothing more to be read
 */
export async function readMoreSeats(
  tx: Transaction,
  facts: ReadFacts,
  windowMax: number,
): Promise<boolean> {
  let grew = false;
  for (const window of facts.windows.values()) {
    const present = windowSize(window);
    if (!window.parties || present >= Math.min(window.available, windowMax)) continue;
    window.size = Math.min(present * 4, windowMax);
    grew = true;
  }
  if (grew) {
    const sizes = sizesOf(facts.windows);
    facts.free = await readFreeSeats(tx, facts.sale.id, sizes, facts.labels);
  }
  return grew;
}

function windowSize(window: { size: number; parties: boolean }): number {
  return window.parties ? Math.max(window.size, FIRST_WINDOW_MIN) : window.size;
}

function sizesOf(windows: ReadFacts['windows']): Map<number, number> {
  return new Map([...windows].map(([type, window]) => [type, windowSize(window)]));
}

async function readHoldEnds(
  tx: Transaction,
  windows: ReadFacts['windows'],
): Promise<BatchFacts['nextHoldEnds']> {
  const short = [...windows].filter(([, w]) => w.available < w.size).map(([type]) => type);
  if (short.length === 0) return new Map();
  const rows = await tx.$queryRawUnsafe<{ ticketTypeId: number; endsAt: Date | null }[]>(
    sql.holdEnds,
    short,
  );
  return new Map(rows.map((row) => [row.ticketTypeId, row.endsAt?.toISOString() ?? null]));
}
