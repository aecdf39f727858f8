// One difference: looked at again by name, and mended by settling it as a webhook would have.

import type { Database } from '../db/database.ts';
import { databaseFate } from '../faults/database-errors.ts';
import { closeCases, openCase } from '../payments/cases.ts';
import { type Settled, type SettleOptions, settlePayment } from '../payments/settle-payment.ts';
import { recordStep } from '../payments/steps.ts';
import {
  GatewayUnreachable,
  type PaymentApi,
  type PaymentRef,
  type PaymentSnapshot,
} from '../portone/payment.ts';
import { accountOf, compare, type Difference, keptOf } from './compare.ts';
import { loadOurs, type OurPayment } from './ours.ts';
import type { Repair } from './report.ts';
import { sideOf } from './words.ts';

export const ACTOR = 'reconciliation';

export interface Look {
  ours: OurPayment;
  /** Of this very payment; null where PortOne knows none, or tells of another attempt. */
  theirs: PaymentSnapshot | null;
  /** V2 tells of an order's latest attempt only: that one is to be compared as well. */
  other: PaymentSnapshot | null;
  difference: Difference | null;
}

export interface Mended {
  repair: Repair;
  outcome: Settled | null;
  left: boolean;
  /** What both sides have in the end. */
  last: Look;
}

/**
 * Ours is read before PortOne is asked: what it says is then the later word, so that "paid here
 * and not there" is never a payment that was settled in between.
 */
export async function lookAgain(
  options: SettleOptions,
  api: PaymentApi,
  ref: PaymentRef,
): Promise<Look | null> {
  const ours = (await loadOurs(options, [ref])).get(ref.paymentId);
  if (!ours) return null;
  return lookOf(ours, await api.read(ref));
}

export function lookOf(ours: OurPayment, told: PaymentSnapshot | null): Look {
  const own = told?.paymentId === ours.paymentId ? told : null;
  const other = told && !own ? told : null;
  // A hold whose buyer went on to another attempt is settled with that one.
  const difference = other && ours.account?.status !== 'paid' ? null : compare(own, ours);
  return { ours, theirs: own, other, difference };
}

/** @throws GatewayUnreachable, or the database's error where it is away */
export async function mend(
  options: SettleOptions,
  api: PaymentApi,
  look: Look,
  ref: PaymentRef,
): Promise<Mended> {
  if (!look.theirs) {
    if (look.ours.account?.status === 'paid') return standing(options.database, look, options);
    return { repair: 'left_to_expiry', outcome: null, left: false, last: look };
  }
  const outcome = await settlePayment(options, look.theirs, ACTOR);
  const ours = (await loadOurs(options, [ref])).get(ref.paymentId) ?? look.ours;
  let last = lookOf(ours, look.theirs);
  // It may have gone on while it was settled: then that is what must agree.
  if (last.difference) last = (await lookAgain(options, api, ref)) ?? last;
  if (!last.difference) return { repair: 'settled', outcome, left: false, last };
  return standing(options.database, last, options);
}

/** Both sides agree again: nobody need look at it any more. @returns whether a case was open */
export async function closeOwnCase(options: SettleOptions, ours: OurPayment): Promise<boolean> {
  const { paymentId, orderId } = ours;
  const now = options.clock.now();
  return options.database.transaction(async (tx) => {
    const closed = await closeCases(tx, {
      paymentId,
      kind: 'unknown_payment',
      closedBy: ACTOR,
      note: 'PortOne and Seatline agree again',
      now,
    });
    if (closed === 0) return false;
    await recordStep(tx, { orderId, paymentId, step: 'agrees_again', actor: ACTOR, at: now });
    return true;
  });
}

/** What settling cannot mend is the organizer's, unless they have let this very thing stand. */
async function standing(database: Database, look: Look, { clock }: SettleOptions): Promise<Mended> {
  const { ours } = look;
  const detail = detailOf(look);
  const { paymentId, orderId, eventId } = ours;
  const kind = 'unknown_payment' as const;
  if (!ours.account) return { repair: 'failed', outcome: null, left: true, last: look };
  const closed = await database.prisma.case.findFirst({
    where: { orderId, paymentId, kind, closedAt: { not: null } },
    orderBy: { id: 'desc' },
  });
  const isAccepted = closed?.detail === detail && closed.closedBy !== ACTOR;
  if (isAccepted) return { repair: 'accepted', outcome: null, left: false, last: look };
  const there = look.theirs ? accountOf(look.theirs) : null;
  const amount = Math.abs(keptOf(there) - keptOf(ours.account));
  const now = clock.now();
  await database.transaction(async (tx) => {
    const opened = await openCase(tx, { eventId, orderId, paymentId, kind, amount, detail, now });
    if (opened)
      await recordStep(tx, { orderId, paymentId, step: kind, detail, actor: ACTOR, at: now });
  });
  return { repair: 'case_open', outcome: null, left: true, last: look };
}

function detailOf({ ours, theirs, other }: Look): string {
  const here = `Here: ${sideOf(ours.account)}.`;
  if (theirs) return `${here} PortOne: ${sideOf(accountOf(theirs))}.`;
  if (other) return `${here} PortOne tells of another attempt, ${other.paymentId}.`;
  return `${here} PortOne knows no such payment.`;
}

/** Whether nothing more can be read or written at all, rather than this one payment. */
export function isAway(error: unknown): boolean {
  return databaseFate(error) === 'unavailable' && !(error instanceof GatewayUnreachable);
}
