// Side by side: what it means for seats to be one run of neighbours in one row.

import type { FreeSeat } from './choose.ts';

type Placed = Pick<FreeSeat, 'rowKey' | 'place'>;

/** @param seats of one ticket type, in any order; those without a row are never one run */
export function isOneRun(seats: Placed[]): boolean {
  const [first] = seats;
  if (!first || first.rowKey === null) return false;
  const places = seats.map((seat) => seat.place ?? 0).sort((a, b) => a - b);
  return (
    seats.every((seat) => seat.rowKey === first.rowKey) &&
    places.every((place, index) => index === 0 || place === (places[index - 1] ?? 0) + 1)
  );
}
