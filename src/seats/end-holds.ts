// Ending holds: the one way by which seats come back, for every reason there is.

import { loadSql } from '../db/sql.ts';
import type { RawRunner } from './hold-seats.ts';

const sql = loadSql('end_holds');

/** Why a hold ended; kept on the hold and on each seat's move. */
export type EndReason =
  | 'unanswered'
  | 'expired'
  | 'payment_failed'
  | 'payment_cancelled'
  | 'amount_mismatch'
  | 'test_payment'
  | 'order_cancelled'
  | (string & {});

export interface EndHolds {
  holds: { id: string; paymentId: string | null }[];
  now: Date;
  /** Who did it: `gateway`, `expiry`, `settlement`, `organizer:...`. */
  actor: string;
  reason: EndReason;
  orderStatus: 'pending' | 'refunded' | 'cancelled';
  /** Only holds for which no 200 was ever written. */
  onlyUnanswered?: boolean;
  /** With `onlyUnanswered`: a mark made at this instant whose 200 was not written after all. */
  unwrittenMarkAt?: Date;
  /** Only holds that were over by this instant. */
  expiredBy?: Date;
  /** Sold seats too; only for whoever has seen to the money. */
  soldToo?: boolean;
}

export interface FreedSeat {
  holdId: string;
  label: string;
  ticketTypeId: number;
}

/** @returns the seats freed; holds that no longer met the conditions are left alone */
export async function endHolds(runner: RawRunner, end: EndHolds): Promise<FreedSeat[]> {
  if (end.holds.length === 0) return [];
  return runner.$queryRawUnsafe<FreedSeat[]>(
    sql,
    end.holds.map((hold) => hold.id),
    end.now,
    end.actor,
    end.reason,
    end.orderStatus,
    end.holds.map((hold) => hold.paymentId),
    end.onlyUnanswered ?? false,
    end.expiredBy ?? null,
    end.soldToo ? ['held', 'sold'] : ['held'],
    end.unwrittenMarkAt ?? null,
  );
}
