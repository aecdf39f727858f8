// Giving a part of a party's sold seats back, once the money for them is back.

import { loadSql } from '../db/sql.ts';
import type { RawRunner } from './hold-seats.ts';

const sql = loadSql('return_seats');

export interface ReturnSeats {
  holdId: string;
  labels: string[];
  now: Date;
  actor: string;
  reason: string;
}

/** With the last of its seats the hold ends and the order is refunded. @returns the labels freed */
export async function returnSeats(runner: RawRunner, back: ReturnSeats): Promise<string[]> {
  const { holdId, labels, now, actor, reason } = back;
  const freed = await runner.$queryRawUnsafe<{ label: string }[]>(
    sql,
    holdId,
    labels,
    now,
    actor,
    reason,
  );
  return freed.map((seat) => seat.label);
}
