// Cases: differences between money and seats that only a person can settle.

import type { Transaction } from '../db/database.ts';

export const CASE_KINDS = [
  /** Somebody gave back a part of the money in the console; the seats still stand. */
  'partial_cancel',
  /** The organizer gave money back by hand, and PortOne gave it back as well. */
  'paid_back_twice',
  /** The buyer disputes the charge with their bank. */
  'dispute',
  /** We have it as paid, and PortOne knows no such payment. */
  'unknown_payment',
] as const;

export type CaseKind = (typeof CASE_KINDS)[number];

export interface NewCase {
  eventId: number;
  orderId: number;
  paymentId: string;
  kind: CaseKind;
  /** Won by which money and seats differ, or may come to differ. */
  amount: number;
  detail: string;
  now: Date;
}

/** Opens the case, or brings the open one of its kind up to date. @returns whether it is new */
export async function openCase(tx: Transaction, wanted: NewCase): Promise<boolean> {
  const { now, ...data } = wanted;
  const { paymentId, kind, amount, detail } = wanted;
  const updated = await tx.case.updateMany({
    where: { paymentId, kind, closedAt: null },
    data: { amount, detail },
  });
  if (updated.count > 0) return false;
  const made = await tx.case.createMany({ data: { ...data, openedAt: now }, skipDuplicates: true });
  return made.count > 0;
}

export interface CloseCases {
  paymentId: string;
  kind: CaseKind;
  closedBy: string;
  note: string;
  now: Date;
}

/** @returns how many were open */
export async function closeCases(tx: Transaction, close: CloseCases): Promise<number> {
  const { paymentId, kind, closedBy, note, now } = close;
  const closed = await tx.case.updateMany({
    where: { paymentId, kind, closedAt: null },
    data: { closedAt: now, closedBy, note },
  });
  return closed.count;
}
