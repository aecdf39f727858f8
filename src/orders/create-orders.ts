// Registers orders, all of a call or none; an identical repeat returns what is there.

import { createHash } from 'node:crypto';
import type { Database, Transaction } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import type { NewOrder } from './schema.ts';

const sql = loadSql('insert_orders');

export interface OrderRow {
  id: number;
  merchantUid: string;
  amount: number;
  currency: string;
  status: string;
  /** Null: PortOne is not told. */
  amountRegistered: boolean | null;
}

export type OrderFault = { index: number; merchantUid: string; message: string };

export type CreateOrdersResult =
  | { ok: true; orders: OrderRow[] }
  | { ok: false; reason: 'invalid' | 'conflict' | 'unknown_event'; fault: OrderFault };

interface PricedItem {
  ticketTypeId: number;
  quantity: number;
  unitPrice: number;
  labels: string[];
  together: boolean;
}

interface Priced {
  merchantUid: string;
  eventId: number;
  buyerId: string;
  amount: number;
  currency: string;
  fingerprint: string;
  items: PricedItem[];
}

type Catalogue = Map<string, { id: number; types: Map<string, CatalogueType> }>;
interface CatalogueType {
  id: number;
  price: number;
  currency: string;
}

const AMOUNT_MAX = 2_147_483_647;

class Refused extends Error {
  constructor(readonly result: Extract<CreateOrdersResult, { ok: false }>) {
    super(result.fault.message);
  }
}

/** @param tellAt from when on a duty tells PortOne the new amounts; null: it is not told */
export async function createOrders(
  database: Database,
  orders: NewOrder[],
  seatsMax: number,
  tellAt: Date | null,
): Promise<CreateOrdersResult> {
  try {
    const created = await database.transaction(async (tx) => {
      const catalogue = await readCatalogue(tx, orders);
      const priced = orders.map((order, index) => price(order, index, catalogue, seatsMax));
      await checkLabels(tx, priced);
      return insertMissing(tx, priced, tellAt);
    });
    return { ok: true, orders: created };
  } catch (error) {
    if (error instanceof Refused) return error.result;
    throw error;
  }
}

async function readCatalogue(tx: Transaction, orders: NewOrder[]): Promise<Catalogue> {
  const events = await tx.event.findMany({
    where: { slug: { in: [...new Set(orders.map((order) => order.event))] } },
    select: { id: true, slug: true, ticketTypes: true },
  });
  return new Map(
    events.map((event) => [
      event.slug,
      { id: event.id, types: new Map(event.ticketTypes.map((type) => [type.code, type])) },
    ]),
  );
}

function price(order: NewOrder, index: number, catalogue: Catalogue, seatsMax: number): Priced {
  const refuse = (reason: 'invalid' | 'unknown_event', message: string) =>
    new Refused({ ok: false, reason, fault: { index, merchantUid: order.merchantUid, message } });
  const event = catalogue.get(order.event);
  if (!event) throw refuse('unknown_event', `there is no event ${order.event}`);
  let currency: string | undefined;
  const items = order.items.map((item): PricedItem => {
    const type = event.types.get(item.ticketType);
    if (!type) throw refuse('invalid', `the event has no ticket type ${item.ticketType}`);
    currency ??= type.currency;
    if (type.currency !== currency) throw refuse('invalid', 'all items must share one currency');
    return {
      ticketTypeId: type.id,
      quantity: item.quantity,
      unitPrice: type.price,
      labels: item.seats ?? [],
      together: item.together ?? false,
    };
  });
  const seats = items.reduce((sum, item) => sum + item.quantity, 0);
  if (seats > seatsMax) throw refuse('invalid', `one order may have at most ${seatsMax} seats`);
  const labels = items.flatMap((item) => item.labels);
  if (new Set(labels).size !== labels.length) throw refuse('invalid', 'a seat is named twice');
  const amount = items.reduce((sum, item) => sum + item.quantity * item.unitPrice, 0);
  if (amount > AMOUNT_MAX) throw refuse('invalid', `the amount is above ${AMOUNT_MAX}`);
  const { merchantUid } = order;
  const content = { eventId: event.id, buyerId: order.buyer.id, items };
  const fingerprint = createHash('sha256').update(JSON.stringify(content)).digest('base64url');
  return { merchantUid, ...content, amount, currency: currency ?? 'KRW', fingerprint };
}

/** Named seats must exist and be of the type they are ordered as; whether free, the sale decides. */
async function checkLabels(tx: Transaction, priced: Priced[]): Promise<void> {
  const naming = priced.filter((order) => order.items.some((item) => item.labels.length > 0));
  if (naming.length === 0) return;
  const seats = await tx.seat.findMany({
    where: {
      eventId: { in: [...new Set(naming.map((order) => order.eventId))] },
      label: { in: naming.flatMap((order) => order.items.flatMap((item) => item.labels)) },
    },
    select: { eventId: true, label: true, ticketTypeId: true },
  });
  const typeOf = new Map(seats.map((seat) => [`${seat.eventId} ${seat.label}`, seat.ticketTypeId]));
  for (const order of naming) {
    for (const item of order.items) {
      const wrong = item.labels.find(
        (label) => typeOf.get(`${order.eventId} ${label}`) !== item.ticketTypeId,
      );
      if (wrong === undefined) continue;
      const message = `there is no seat ${wrong} of that ticket type`;
      const fault = { index: priced.indexOf(order), merchantUid: order.merchantUid, message };
      throw new Refused({ ok: false, reason: 'invalid', fault });
    }
  }
}

async function insertMissing(
  tx: Transaction,
  priced: Priced[],
  tellAt: Date | null,
): Promise<OrderRow[]> {
  const existing = await tx.order.findMany({
    where: { merchantUid: { in: priced.map((order) => order.merchantUid) } },
  });
  const known = new Map(existing.map((order) => [order.merchantUid, order]));
  const missing = new Map<string, Priced>();
  priced.forEach((order, index) => {
    const other = known.get(order.merchantUid) ?? missing.get(order.merchantUid);
    if (!other) missing.set(order.merchantUid, order);
    else if (other.fingerprint !== order.fingerprint) {
      const message = 'another order was registered under this merchantUid';
      const fault = { index, merchantUid: order.merchantUid, message };
      throw new Refused({ ok: false, reason: 'conflict', fault });
    }
  });
  const wanted = JSON.stringify([...missing.values()]);
  const inserted = await tx.$queryRawUnsafe<OrderRow[]>(sql, wanted, tellAt);
  const rows = new Map(
    [...existing, ...inserted].map((row): [string, OrderRow] => [row.merchantUid, row]),
  );
  return priced.flatMap((order) => rows.get(order.merchantUid) ?? []);
}
