// What the database knows of a charge: its order and hold, and what PortOne answered before.

import type { Clock } from '../../clock.ts';
import type { Database } from '../../db/database.ts';
import { loadSql } from '../../db/sql.ts';
import { recordPayment } from '../../payments/record-payment.ts';
import { recordStep } from '../../payments/steps.ts';
import type { PaymentSnapshot } from '../../portone/payment.ts';
import { endHolds } from '../../seats/end-holds.ts';

const sql = {
  load: loadSql('load_charge'),
  begin: loadSql('begin_charge'),
  end: loadSql('end_charge'),
  refused: loadSql('find_refused_hold'),
};

/** As the moves of the confirm path itself: the hold began there and ends there. */
export const ACTOR = 'gateway';

export interface ChargeRecord {
  orderId: number;
  amount: number;
  currency: string;
  hold: { id: string; state: 'held' | 'sold'; paymentId: string; expiresAt: string } | null;
  /** Of the payment's own verdict: whoever is charged has one. */
  position: number;
  /** As it was last settled. */
  payment: { status: string; cancelledAmount: number; flag: string | null } | null;
  /** When PortOne was last asked for the charge; null: never. */
  askedAt: string | null;
  /** `charged`: when, by PortOne; `charge_refused`: its word for why. */
  answers: { charged?: string | null; charge_refused?: string };
}

export interface ChargeBooks {
  database: Database;
  clock: Clock;
}

export async function loadCharge(
  { database }: ChargeBooks,
  merchantUid: string,
  paymentId: string,
): Promise<ChargeRecord | null> {
  const rows = await database.query<{ document: ChargeRecord }>(sql.load, merchantUid, paymentId);
  return rows[0]?.document ?? null;
}

/**
 * The mark before a charge: the hold is its payment's, and is kept until the charge is surely over.
 * @param until when that is
 * @returns false where there is no such hold any more: then PortOne must not be asked
 */
export async function beginCharge(
  { database, clock }: ChargeBooks,
  { hold }: ChargeRecord,
  paymentId: string,
  until: Date,
): Promise<boolean> {
  if (hold === null) return false;
  const begun = await database.query(sql.begin, hold.id, paymentId, clock.now(), until, ACTOR);
  return begun.length > 0;
}

/**
 * The charge is over: what comes now, as a deposit, is waited for by the hold's own time.
 * @param until as it was begun with
 */
export async function endCharge(
  { database }: ChargeBooks,
  { hold }: ChargeRecord,
  paymentId: string,
  until: Date,
): Promise<void> {
  if (hold === null) return;
  await database.query(sql.end, hold.id, paymentId, until, new Date(hold.expiresAt));
}

/** Its hold lives, and PortOne has not refused it. */
export function isChargeable(record: ChargeRecord, paymentId: string, now: Date): boolean {
  const { hold, answers } = record;
  if (hold?.state !== 'held' || hold.paymentId !== paymentId) return false;
  return new Date(hold.expiresAt) > now && answers.charge_refused === undefined;
}

export function recordAnswer(
  { database, clock }: ChargeBooks,
  orderId: number,
  paymentId: string,
  answer: { step: 'charged' | 'charge_refused'; detail: string | null },
): Promise<void> {
  const at = clock.now();
  return database.transaction((tx) =>
    recordStep(tx, { orderId, paymentId, ...answer, actor: ACTOR, at }),
  );
}

export async function recordFailure(
  { database, clock }: ChargeBooks,
  orderId: number,
  payment: PaymentSnapshot,
): Promise<void> {
  const how = { flag: null, bypassed: false };
  await database.transaction((tx) => recordPayment(tx, orderId, payment, how, clock.now()));
}

/** Needs the refusal on record. A hold that another payment may yet be charged for stays. */
export async function endRefusedHold(
  { database, clock }: ChargeBooks,
  orderId: number,
): Promise<void> {
  const holds = await database.query<{ id: string; paymentId: string }>(sql.refused, orderId);
  await endHolds(database.prisma, {
    holds,
    now: clock.now(),
    actor: ACTOR,
    reason: 'payment_failed',
    orderStatus: 'pending',
  });
}
