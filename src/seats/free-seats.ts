// Reads free seats: the best of each ticket type, and seats asked for by name.

import { loadSql } from '../db/sql.ts';
import type { FreeSeat } from './choose.ts';
import type { RawRunner } from './hold-seats.ts';

const sql = { best: loadSql('free_seats'), named: loadSql('free_seats_by_label') };

/** A free seat with what a buyer is told of it. */
export interface DescribedSeat extends FreeSeat {
  section: string | null;
  row: string | null;
  number: string | null;
}

/**
 * @param wanted how many of the best seats to read, by ticket type id
 * @param labels seats to read whatever their rank
 * @returns each seat once, in order of type and rank
 */
export async function readFreeSeats(
  tx: RawRunner,
  eventId: number,
  wanted: Map<number, number>,
  labels: string[],
): Promise<DescribedSeat[]> {
  if (wanted.size === 0) return [];
  const best = await tx.$queryRawUnsafe<DescribedSeat[]>(
    sql.best,
    [...wanted.keys()],
    [...wanted.values()],
  );
  if (labels.length === 0) return best;
  const named = await tx.$queryRawUnsafe<DescribedSeat[]>(sql.named, eventId, labels);
  const seats = new Map([...best, ...named].map((seat) => [seat.id, seat]));
  return [...seats.values()].sort((a, b) => a.ticketTypeId - b.ticketTypeId || a.rank - b.rank);
}
