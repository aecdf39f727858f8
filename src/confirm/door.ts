// The door: refuses at once what need not queue, and answers repeats from what stands.

import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { Gatherer } from '../queue/gatherer.ts';
import { ineligible } from '../seats/eligibility.ts';
import { documentsSql, readDocuments } from './documents.ts';
import type { OrganizerCheck } from './organizer-check.ts';
import type { ConfirmRequest } from './request.ts';
import { answersFrom } from './standing.ts';
import type { Language } from './texts.ts';
import { type Refused, refuse, type Verdict } from './verdict.ts';

const sql = { door: documentsSql(loadSql('door')), holdEnds: loadSql('next_hold_ends') };

const LOOKS_BATCH_MAX = 200;
const LOOKS_IN_FLIGHT_MAX = 1;

/** What is known of a request's order once it is let in. */
export interface DoorDocument {
  orderId: number;
  merchantUid: string;
  buyerId: string;
  amount: number;
  status: string;
  held: boolean;
  items: {
    ticketTypeId: number;
    ticketType: string;
    quantity: number;
    labels: string[];
    available: number;
  }[];
  event: {
    id: number;
    slug: string;
    language: Language;
    opensAt: string;
    closesAt: string | null;
    maxPerOrder: number | null;
    check: OrganizerCheck | null;
  };
}

export interface AtTheDoor {
  /** Null where the order is unknown. */
  order: DoorDocument | null;
  /** The verdict that stands for this very payment, if it has asked before. */
  standing: Verdict | null;
  /** The refusal that needs no queue, if there is one. */
  refusal: Refused | null;
}

export interface Door {
  /** @throws what the database throws */
  look(request: ConfirmRequest): Promise<AtTheDoor>;
}

export function openDoor(database: Database, clock: Clock, waitingMax: number): Door {
  const looks = new Gatherer<ConfirmRequest, AtTheDoor>({
    batchMax: LOOKS_BATCH_MAX,
    inFlightMax: LOOKS_IN_FLIGHT_MAX,
    waitingMax,
    run: (requests) => lookAtAll(database, clock, requests),
  });
  return { look: (request) => looks.add(request) };
}

async function lookAtAll(
  database: Database,
  clock: Clock,
  requests: ConfirmRequest[],
): Promise<AtTheDoor[]> {
  const seen = await readDocuments<DoorDocument>(database.prisma, sql.door, requests);
  const orders = new Map(seen.orders.map((order) => [order.merchantUid, order]));
  const standing = await answersFrom(database, seen.earlier, requests);
  const ends = await holdEndsOf(database, seen.orders);
  const now = clock.now();
  return requests.map((request, index) => {
    const order = orders.get(request.merchantUid) ?? null;
    const refusal = order ? refusalOf(order, request, ends, now) : refuse('unknown_order');
    return { order, standing: standing[index] ?? null, refusal };
  });
}

function refusalOf(
  order: DoorDocument,
  request: ConfirmRequest,
  ends: Map<number, string | null>,
  now: Date,
): Refused | null {
  const { event } = order;
  const sale = {
    opensAt: new Date(event.opensAt),
    closesAt: event.closesAt === null ? null : new Date(event.closesAt),
    maxPerOrder: event.maxPerOrder,
  };
  const quantity = order.items.reduce((sum, item) => sum + item.quantity, 0);
  const refusal = ineligible(sale, { ...order, quantity }, request, now);
  if (refusal || order.held) return refusal;
  const short = shortItem(order);
  if (!short) return null;
  // A named seat is refused under its own name, and that needs a look at the seat itself.
  if (short.labels.length > 0) return null;
  const endsAt = ends.get(short.ticketTypeId);
  return endsAt ? refuse('all_held', { at: endsAt }) : refuse('sold_out');
}

/** The count is kept by the database with each seat that moves, so it is never a stale mark. */
function shortItem(order: DoorDocument) {
  return order.items.find((item) => item.available < item.quantity);
}

async function holdEndsOf(
  database: Database,
  orders: DoorDocument[],
): Promise<Map<number, string | null>> {
  const types = new Set(orders.flatMap((o) => (o.held ? [] : (shortItem(o)?.ticketTypeId ?? []))));
  if (types.size === 0) return new Map();
  const rows = await database.query<{ ticketTypeId: number; endsAt: Date | null }>(sql.holdEnds, [
    ...types,
  ]);
  return new Map(rows.map((row) => [row.ticketTypeId, row.endsAt?.toISOString() ?? null]));
}
