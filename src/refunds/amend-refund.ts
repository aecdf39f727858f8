// What the organizer may still change about a refund: its account, another round of tries, or its end.

import type { Transaction } from '../db/database.ts';
import { recordStep } from '../payments/steps.ts';
import type { RefundAccount } from '../portone/payment.ts';
import { columnsOf, WIPED } from './account.ts';
import { REFUSALS_MAX } from './put-off.ts';
import type { WishOptions } from './wish-refund.ts';

export type AmendRefusal =
  | { reason: 'unknown_refund' }
  /** It is done or failed. */
  | { reason: 'closed'; state: string }
  /** Money that is owed cannot be withdrawn. */
  | { reason: 'owed' }
  /** PortOne was asked for it, and may do it yet. */
  | { reason: 'sent' };

export type Amended = { ok: true } | ({ ok: false } & AmendRefusal);

const OPEN = ['requested', 'needs_person'];

/** Where a virtual account's money is to go back to; the refund is tried again with it. */
export async function giveAccount(
  { database, clock, log }: WishOptions,
  id: number,
  account: RefundAccount,
  actor: string,
): Promise<Amended> {
  const result = await database.transaction((tx) =>
    setAccount(tx, { id, account, actor, now: clock.now() }),
  );
  if (result.ok) log.info({ refundId: id, actor }, 'refund was given an account');
  return result;
}

export async function setAccount(
  tx: Transaction,
  given: { id: number; account: RefundAccount; actor: string; now: Date },
): Promise<Amended> {
  const { id, account, actor, now } = given;
  const { count } = await tx.refund.updateMany({
    where: { id, state: { in: OPEN } },
    data: columnsOf(account),
  });
  if (count === 0) return whyNot(tx, id);
  await resume(tx, id, now);
  await step(tx, id, 'refund_account_given', null, actor, now);
  return { ok: true };
}

/** Another round of tries. One that is being tried by itself is left alone. */
export async function retryRefund(
  { database, clock, log }: WishOptions,
  id: number,
  actor: string,
): Promise<Amended> {
  const now = clock.now();
  const result = await database.transaction(async (tx): Promise<Amended> => {
    if (await resume(tx, id, now)) {
      await step(tx, id, 'refund_retried', null, actor, now);
      return { ok: true };
    }
    const refund = await tx.refund.findUnique({ where: { id }, select: { state: true } });
    return refund?.state === 'requested' ? { ok: true } : whyNot(tx, id);
  });
  if (result.ok) log.info({ refundId: id, actor }, 'refund tried anew');
  return result;
}

/** @returns false where it does not wait for a person */
async function resume(tx: Transaction, id: number, now: Date): Promise<boolean> {
  const refund = await tx.refund.findUnique({
    where: { id },
    select: { refusals: true, inDoubtUntil: true },
  });
  if (!refund) return false;
  const resumed = await tx.refund.updateMany({
    where: { id, state: 'needs_person', refusals: refund.refusals },
    data: {
      state: 'requested',
      lastError: null,
      // A full round, and keys that were never used: PortOne would repeat its old answers.
      refusals: Math.ceil(refund.refusals / REFUSALS_MAX) * REFUSALS_MAX,
      // Under a new key it would be asked for a second time.
      nextTryAt: refund.inDoubtUntil && refund.inDoubtUntil > now ? refund.inDoubtUntil : now,
    },
  });
  return resumed.count > 0;
}

/** Only what the organizer wished for, and only while nobody may be carrying it out. */
export async function withdrawRefund(
  { database, clock, log }: WishOptions,
  id: number,
  actor: string,
): Promise<Amended> {
  const now = clock.now();
  const result = await database.transaction(async (tx): Promise<Amended> => {
    const { count } = await tx.refund.updateMany({
      where: {
        id,
        state: { in: OPEN },
        requestedBy: { startsWith: 'organizer' },
        takenAt: null,
        OR: [{ inDoubtUntil: null }, { inDoubtUntil: { lte: now } }],
      },
      data: { state: 'failed', lastError: 'withdrawn', ...WIPED },
    });
    if (count === 0) return whyNot(tx, id);
    await step(tx, id, 'refund_withdrawn', null, actor, now);
    return { ok: true };
  });
  if (result.ok) log.info({ refundId: id, actor }, 'refund withdrawn');
  return result;
}

async function whyNot(tx: Transaction, id: number): Promise<Amended> {
  const refund = await tx.refund.findUnique({ where: { id } });
  if (!refund) return { ok: false, reason: 'unknown_refund' };
  if (!OPEN.includes(refund.state)) return { ok: false, reason: 'closed', state: refund.state };
  if (!refund.requestedBy.startsWith('organizer')) return { ok: false, reason: 'owed' };
  return { ok: false, reason: 'sent' };
}

export async function step(
  tx: Transaction,
  refundId: number,
  name: string,
  detail: string | null,
  actor: string,
  at: Date,
): Promise<void> {
  const { paymentId, payment } = await tx.refund.findUniqueOrThrow({
    where: { id: refundId },
    select: { paymentId: true, payment: { select: { orderId: true } } },
  });
  await recordStep(tx, { orderId: payment.orderId, paymentId, step: name, detail, actor, at });
}
