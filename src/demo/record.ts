// Reads the database's own records: what truly happened to each seat, and who found each payment.

import pg from 'pg';
import type { OrderSeen } from './organizer.ts';

export type SeatState = 'available' | 'held' | 'sold';

export interface Move {
  slug: string;
  seatId: number;
  from: SeatState;
  to: SeatState;
  reason: string;
  /** ms since 1970 */
  atMs: number;
}

const SQL = `
SELECT e.slug, m.seat_id AS "seatId", m.from_state AS "from", m.to_state AS "to", m.reason,
       (extract(epoch FROM m.at) * 1000)::float8 AS "atMs"
  FROM moves m JOIN events e ON e.id = m.event_id ORDER BY m.id`;

const FINDERS_SQL = `
SELECT DISTINCT ON (payment_id) payment_id AS "paymentId", actor
  FROM payment_steps ORDER BY payment_id, id`;

const ORDERS_SQL = `
SELECT o.merchant_uid AS "merchantUid", o.status, o.amount,
       coalesce((SELECT json_agg(json_build_object('label', s.label))
                   FROM holds h JOIN seats s ON s.hold_id = h.id
                  WHERE h.order_id = o.id AND h.state <> 'ended'), '[]') AS seats,
       coalesce((SELECT json_agg(json_build_object(
                   'paymentId', p.payment_id, 'flag', p.flag, 'refunds', coalesce((
                     SELECT json_agg(json_build_object('state', r.state, 'reason', r.reason,
                              'requestedBy', r.requested_by) ORDER BY r.id)
                       FROM refunds r WHERE r.payment_id = p.payment_id), '[]')))
                   FROM payments p WHERE p.order_id = o.id), '[]') AS payments
  FROM orders o WHERE o.merchant_uid = ANY ($1)`;

export interface Records {
  moves: Move[];
  /** Who first did something about each payment: `settlement`, `expiry`, `reconciliation`... */
  finders: Map<string, string>;
}

export function readRecords(databaseUrl: string): Promise<Records> {
  return reading(databaseUrl, async (client) => {
    const moves = (await client.query<Move>(SQL)).rows;
    const found = await client.query<{ paymentId: string; actor: string }>(FINDERS_SQL);
    return { moves, finders: new Map(found.rows.map((row) => [row.paymentId, row.actor])) };
  });
}

/** At once: the API shows one order a call, and there may be thousands. */
export function readOrders(databaseUrl: string, merchantUids: string[]): Promise<OrderSeen[]> {
  return reading(databaseUrl, async (client) => {
    return (await client.query<OrderSeen>(ORDERS_SQL, [merchantUids])).rows;
  });
}

async function reading<T>(url: string, read: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, statement_timeout: 20_000 });
  await client.connect();
  try {
    return await read(client);
  } finally {
    await client.end();
  }
}

export interface SeatStory {
  released: number;
  /** Why seats came back. */
  releasedWhy: Record<string, number>;
  /** Seats that had come back and were sold in the end. */
  resold: number;
}

export function seatStory(moves: readonly Move[]): SeatStory {
  const back = new Set<number>();
  const resold = new Set<number>();
  const releasedWhy: Record<string, number> = {};
  let released = 0;
  for (const { seatId, to, reason } of moves) {
    if (to === 'available') {
      back.add(seatId);
      resold.delete(seatId);
      released += 1;
      releasedWhy[reason] = (releasedWhy[reason] ?? 0) + 1;
    } else if (to === 'sold' && back.has(seatId)) {
      resold.add(seatId);
    }
  }
  return { released, releasedWhy, resold: resold.size };
}

export interface SeatsAt {
  /** ms after the opening */
  atMs: number;
  held: number;
  sold: number;
}

/** How many seats were held and sold at each of `points` moments, evenly from 0 to `untilMs`. */
export function seatsOverTime(
  moves: readonly Move[],
  opensAtMs: number,
  untilMs: number,
  points: number,
): SeatsAt[] {
  const now = { available: 0, held: 0, sold: 0 };
  let next = 0;
  return Array.from({ length: points }, (_, index) => {
    const atMs = (untilMs * index) / (points - 1);
    for (let move = moves[next]; move && move.atMs - opensAtMs <= atMs; move = moves[next]) {
      now[move.from] -= 1;
      now[move.to] += 1;
      next += 1;
    }
    return { atMs, held: now.held, sold: now.sold };
  });
}
