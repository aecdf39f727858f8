// The organizer closes a case: says what became of it, and, for money that somebody else gave back or
// that was never there, which seats go back. The rest is let stand, and the ledger is square.

import type { Clock } from '../clock.ts';
import type { Database, Transaction } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { StaleRead } from '../faults/database-errors.ts';
import { recordStep } from '../payments/steps.ts';
import { loadHoldSeats } from '../seats/hold-seats.ts';
import { returnSeats } from '../seats/return-seats.ts';

const sql = { lock: loadSql('lock_payment'), price: loadSql('price_of_seats') };

export interface CloseCase {
  id: number;
  note: string;
  /** Labels of the order's sold seats; where money went, or never came. */
  releaseSeats?: string[] | undefined;
  /** As the organizer saw it: refused where more was given back since. */
  amount?: number | undefined;
}

export interface ClosedCase {
  id: number;
  kind: string;
  merchantUid: string;
  amount: number;
  /** Let stand; below nought where the seats cost more than was given back. */
  accepted: number;
  released: string[];
  closedAt: string;
}

export type CloseCaseResult =
  | ({ ok: true } & ClosedCase)
  | { ok: false; reason: 'unknown_case' | 'closed' | 'no_seats_in_this_kind' | 'refund_open' }
  | { ok: false; reason: 'amount_changed'; amount: number }
  | { ok: false; reason: 'not_its_seats'; missing: string[] }
  /** Nobody paid for any of them: all go back, or all are given away. */
  | { ok: false; reason: 'all_or_none'; seats: string[] };

type CaseRow = NonNullable<Awaited<ReturnType<typeof readCase>>>;

export function closeCase(
  { database, clock }: { database: Database; clock: Clock },
  close: CloseCase,
  actor: string,
): Promise<CloseCaseResult> {
  return database.transaction(async (tx) => {
    const seen = await readCase(tx, close.id);
    if (!seen) return { ok: false, reason: 'unknown_case' };
    // As settling does: the payment's row first, so that nothing about it changes meanwhile.
    await tx.$queryRawUnsafe(sql.lock, seen.paymentId, seen.order.merchantUid);
    const found = await readCase(tx, close.id);
    if (!found || found.closedAt) return { ok: false, reason: 'closed' };
    const { amount, kind } = found;
    if (close.amount !== undefined && close.amount !== amount) {
      return { ok: false, reason: 'amount_changed', amount };
    }
    const labels = [...new Set(close.releaseSeats ?? [])];
    const now = clock.now();
    const hold = labels.length === 0 ? null : await holdToTakeFrom(tx, found, labels);
    if (hold && 'reason' in hold) return hold;
    const price = hold ? await giveBack(tx, { ...hold, orderId: found.orderId, now, actor }) : 0;
    const isMoney = kind === 'paid_back_twice' || isAboutSeats(found);
    const accepted = isMoney ? amount - price : 0;
    if (isMoney && kind === 'unknown_payment') await takeOut(tx, found);
    await tx.case.update({
      where: { id: found.id },
      data: { closedAt: now, closedBy: actor, note: close.note, accepted },
    });
    const { orderId, paymentId } = found;
    const detail = stepDetail(found, labels, close.note);
    await recordStep(tx, { orderId, paymentId, step: 'case_closed', detail, actor, at: now });
    return {
      ok: true,
      id: found.id,
      kind,
      merchantUid: found.order.merchantUid,
      amount,
      accepted,
      released: labels,
      closedAt: now.toISOString(),
    };
  });
}

function readCase(tx: Transaction, id: number) {
  return tx.case.findUnique({
    where: { id },
    include: {
      order: { select: { merchantUid: true } },
      payment: { select: { status: true, amount: true, cancelledAmount: true } },
    },
  });
}

/** Seats stand for money that went back, or of which PortOne has nothing at all. */
function isAboutSeats({ kind, amount, payment }: CaseRow): boolean {
  if (kind !== 'unknown_payment') return kind === 'partial_cancel';
  // Where PortOne only tells another amount, the rest is there.
  return payment.status === 'paid' && payment.amount - payment.cancelledAmount === amount;
}

/** The payment was never there. PortOne may tell of it all the same: then it is paid late. */
async function takeOut(tx: Transaction, { paymentId, kind }: CaseRow): Promise<void> {
  // If it came to that before, PortOne told of it since: what was given away then was paid for.
  await tx.case.updateMany({
    where: { paymentId, kind, accepted: { not: 0 } },
    data: { accepted: 0 },
  });
  await tx.payment.update({
    where: { paymentId },
    data: { status: 'failed', flag: 'unknown_to_portone' },
  });
}

interface Taken {
  holdId: string;
  labels: string[];
}

/** The payment's own sold hold, if it has all of those seats and no refund is about to take them. */
async function holdToTakeFrom(
  tx: Transaction,
  found: CaseRow,
  labels: string[],
): Promise<Taken | Extract<CloseCaseResult, { ok: false }>> {
  if (!isAboutSeats(found)) return { ok: false, reason: 'no_seats_in_this_kind' };
  const { orderId, paymentId } = found;
  const open = { paymentId, state: { in: ['requested', 'needs_person'] } };
  if ((await tx.refund.count({ where: open })) > 0) return { ok: false, reason: 'refund_open' };
  const hold = await tx.hold.findFirst({ where: { orderId, paymentId, state: 'sold' } });
  const seats = hold ? ((await loadHoldSeats(tx, [hold.id])).get(hold.id) ?? []) : [];
  const own = new Set(seats.map((seat) => seat.label));
  const missing = labels.filter((label) => !own.has(label));
  if (!hold || missing.length > 0) return { ok: false, reason: 'not_its_seats', missing };
  if (found.kind === 'unknown_payment' && labels.length < own.size) {
    return { ok: false, reason: 'all_or_none', seats: [...own] };
  }
  return { holdId: hold.id, labels };
}

/** @returns what the seats cost, by the order */
async function giveBack(
  tx: Transaction,
  { holdId, labels, orderId, now, actor }: Taken & { orderId: number; now: Date; actor: string },
): Promise<number> {
  const [row] = await tx.$queryRawUnsafe<{ price: number }[]>(sql.price, orderId, labels);
  const freed = await returnSeats(tx, { holdId, labels, now, actor, reason: 'case_closed' });
  if (!row || freed.length !== labels.length) throw new StaleRead('hold');
  return row.price;
}

/** Each seat's own move tells the rest. */
const LABELS_TOLD = 20;

function stepDetail(found: CaseRow, labels: string[], note: string): string {
  const told = labels.slice(0, LABELS_TOLD).join(', ');
  const more = labels.length > LABELS_TOLD ? `, and ${labels.length - LABELS_TOLD} more` : '';
  const seats = labels.length > 0 ? `; seats back: ${told}${more}` : '';
  return `${found.kind} ${found.amount}${seats}; ${note}`;
}
