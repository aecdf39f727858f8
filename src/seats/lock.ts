// The lock protocol: whatever makes seats of an event scarcer takes the event's row first.
//
// Order of locks, everywhere: event, then holds, then seats and orders, then ticket types (by the
// trigger, in id order). Giving seats back needs no event lock: it can only widen the choice.

import { loadSql } from '../db/sql.ts';
import type { RawRunner } from './hold-seats.ts';

const sql = loadSql('lock_event');

export interface LockedSale {
  id: number;
  opensAt: Date;
  closesAt: Date | null;
  holdSeconds: number;
  maxPerOrder: number | null;
  maxPerBuyer: number | null;
  lastPosition: number;
}

/** Held until the transaction ends. */
export async function lockSale(tx: RawRunner, eventId: number): Promise<LockedSale | undefined> {
  const [sale] = await tx.$queryRawUnsafe<LockedSale[]>(sql, eventId);
  return sale;
}
