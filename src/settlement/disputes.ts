// What the gateway tells of a disputed charge becomes a case; told twice or out of order, it is one.

import type { Clock } from '../clock.ts';
import type { Database, Transaction } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { closeCases, openCase } from '../payments/cases.ts';
import { recordStep } from '../payments/steps.ts';

const sql = loadSql('lock_payment');

const ACTOR = 'settlement';

export interface DisputeNotice {
  paymentId: string;
  merchantUid: string;
  step: 'dispute_opened' | 'dispute_resolved';
  /** When it happened, by the sender's clock: order and repeats are told by it. */
  happenedAt: Date;
  /** False: nobody can know who sent it, for no webhook secret is configured. */
  verified: boolean;
}

interface LockedPayment {
  orderId: number;
  eventId: number;
  left: number;
}

/** @returns false where the order has no such payment on record: nothing was written then */
export function noteDispute(
  { database, clock }: { database: Database; clock: Clock },
  notice: DisputeNotice,
): Promise<boolean> {
  return database.transaction(async (tx) => {
    const { paymentId, merchantUid, step, happenedAt, verified } = notice;
    const [payment] = await tx.$queryRawUnsafe<LockedPayment[]>(sql, paymentId, merchantUid);
    if (!payment) return false;
    const { orderId } = payment;
    const before = await tx.paymentStep.findMany({
      where: { orderId, paymentId, step: { in: ['dispute_opened', 'dispute_resolved'] } },
      select: { step: true, at: true },
    });
    if (before.some((other) => other.step === step && +other.at === +happenedAt)) return true;
    const detail = verified ? null : 'unverified';
    await recordStep(tx, { orderId, paymentId, step, detail, actor: ACTOR, at: happenedAt });
    // Webhooks overtake each other: what was resolved since stays so, and so does a newer dispute.
    const overtaken = before.some(
      (other) =>
        other.step !== step &&
        (step === 'dispute_opened' ? other.at >= happenedAt : other.at > happenedAt),
    );
    if (!overtaken) await write(tx, payment, notice, clock.now());
    return true;
  });
}

async function write(
  tx: Transaction,
  payment: LockedPayment,
  { paymentId, step, happenedAt, verified }: DisputeNotice,
  now: Date,
): Promise<void> {
  const when = happenedAt.toISOString();
  const known = verified ? '' : ' (unverified: no webhook secret is configured)';
  if (step === 'dispute_resolved') {
    const note = `the gateway told on ${when} that the dispute is resolved${known}`;
    await closeCases(tx, { paymentId, kind: 'dispute', closedBy: ACTOR, note, now });
    return;
  }
  await openCase(tx, {
    eventId: payment.eventId,
    orderId: payment.orderId,
    paymentId,
    kind: 'dispute',
    amount: payment.left,
    detail: `the buyer disputes the charge since ${when}${known}`,
    now,
  });
}
