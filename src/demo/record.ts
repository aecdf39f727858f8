// Reads the record of moves: what truly happened to each seat, and when.

import pg from 'pg';

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

export async function readMoves(databaseUrl: string): Promise<Move[]> {
  const client = new pg.Client({ connectionString: databaseUrl, statement_timeout: 20_000 });
  await client.connect();
  try {
    return (await client.query<Move>(SQL)).rows;
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
