// The seats of a hold, as a buyer or an organizer is told of them.

import { loadSql } from '../db/sql.ts';

const sql = loadSql('load_hold_seats');

export interface SeatOfHold {
  label: string;
  ticketType: string;
  section?: string;
  row?: string;
  number?: string;
}

/** Whatever runs one raw statement: a transaction, or Prisma itself. */
export interface RawRunner {
  $queryRawUnsafe<T = unknown>(query: string, ...values: unknown[]): PromiseLike<T>;
}

/** @returns the seats by hold id, best first; a hold without seats is absent */
export async function loadHoldSeats(
  runner: RawRunner,
  holdIds: string[],
): Promise<Map<string, SeatOfHold[]>> {
  if (holdIds.length === 0) return new Map();
  const rows = await runner.$queryRawUnsafe<{ holdId: string; seats: SeatOfHold[] }[]>(sql, [
    ...new Set(holdIds),
  ]);
  return new Map(rows.map((row) => [row.holdId, row.seats]));
}
