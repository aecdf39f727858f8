// What is on record of a charge: the answer to whoever asks again, his first answer being lost.

import type { Database } from '../../db/database.ts';
import { ACCOUNT_REFUSED } from '../../payments/refuse-account.ts';
import { loadHoldSeats } from '../../seats/hold-seats.ts';
import type { Confirmed } from '../verdict.ts';
import type { ChargeRecord } from './charge-record.ts';
import { type ChargeOutcome, MONEY_BACK, NO_ACCOUNTS, notApproved } from './outcome.ts';

/** @returns null where nothing sure is known of the payment */
export async function outcomeOnRecord(
  database: Database,
  record: ChargeRecord,
  paymentId: string,
): Promise<ChargeOutcome | null> {
  const { hold, payment, answers } = record;
  if (hold?.state === 'sold' && hold.paymentId === paymentId) {
    const verdict = await confirmedBy(database, record, hold);
    return { verdict, paid: true, paidAt: answers.charged ?? null };
  }
  // Paid, and the seats are not its own: the money went back, or is on its way.
  if (payment?.status === 'paid') return MONEY_BACK;
  if (payment?.status === 'cancelled' && payment.cancelledAmount > 0) return MONEY_BACK;
  if (payment?.flag === ACCOUNT_REFUSED) return NO_ACCOUNTS;
  return answers.charge_refused === undefined ? null : notApproved(answers.charge_refused);
}

/** With the seats that the payment has now: its first ones, or those it was given later. */
export async function confirmedBy(
  database: Database,
  { position }: ChargeRecord,
  hold: { id: string; expiresAt: string },
): Promise<Confirmed> {
  const seats = (await loadHoldSeats(database.prisma, [hold.id])).get(hold.id) ?? [];
  const holdExpiresAt = new Date(hold.expiresAt).toISOString();
  return { code: 'confirmed', position, holdId: hold.id, seats, holdExpiresAt };
}
