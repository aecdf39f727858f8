// Settles one payment, as PortOne describes it, against the seats of its order: money and seats
// agree afterwards, whatever came before, however often and in whatever order it is run.

import type { Clock } from '../clock.ts';
import type { Database, Transaction } from '../db/database.ts';
import { StaleRead } from '../faults/database-errors.ts';
import type { Log } from '../log.ts';
import type { PaymentSnapshot } from '../portone/payment.ts';
import type { PortOne } from '../portone/portone.ts';
import { lockSale } from '../seats/lock.ts';
import { glanceAtOrder, type OrderGlance, readOrder } from './order-state.ts';
import { recordPayment } from './record-payment.ts';
import { refuseAccount } from './refuse-account.ts';
import { Settlement } from './settlement.ts';

export interface SettleOptions {
  database: Database;
  clock: Clock;
  portone: PortOne;
  log: Log;
  rules: SettlementRules;
}

export interface SettlementRules {
  /** False in production: a test-channel payment looks paid, but no money moved. */
  testPaymentsAccepted: boolean;
  /** How long after its due date an account's deposit may still be told. */
  depositGraceMs: number;
}

export type Settled =
  | 'sold'
  | 'already_sold'
  | 'same_seats'
  | 'equal_seats'
  | 'refund_requested'
  /** All of the money is back, and so are the seats. */
  | 'refunded'
  | 'refunded_in_part'
  | 'released'
  /** The hold waits on: for a deposit, or for an approval. */
  | 'kept'
  /** A virtual account where the event forbids them: closed where the provider can, hold ended. */
  | 'account_refused'
  | 'recorded'
  /** A later state of this payment was settled before; nothing was done. */
  | 'outdated'
  | 'unknown_order';

/**
 * @param actor who asked: `settlement`, `expiry`, `reconciliation`, ...; kept with each move
 * @throws GatewayUnreachable where a virtual account had to be closed and PortOne did not answer
 */
export async function settlePayment(
  options: SettleOptions,
  payment: PaymentSnapshot,
  actor = 'settlement',
): Promise<Settled> {
  const settled = await options.database.transaction((tx) => settleIn(tx, options, payment, actor));
  return settled === 'account_forbidden' ? refuseAccount(options, payment, actor) : settled;
}

async function settleIn(
  tx: Transaction,
  { clock, rules }: SettleOptions,
  payment: PaymentSnapshot,
  actor: string,
): Promise<Settled | 'account_forbidden'> {
  const seen = await glanceAtOrder(tx, payment);
  if (!seen) return 'unknown_order';
  // A paid payment without a hold may take seats: that needs the event's lock, before all others.
  const late = payment.status === 'paid' && !seen.hasHold;
  const sale = late ? await lockSale(tx, seen.eventId) : undefined;
  const now = clock.now();
  const wrong = whatIsWrong(payment, seen, rules);
  const bypassed = payment.status === 'paid' && !seen.confirmed;
  const notes = { flag: wrong ?? noteOn(payment), bypassed };
  if (!(await recordPayment(tx, seen.id, payment, notes, now))) return 'outdated';
  // Read with the payment's row taken: another settlement of it may have moved seats in between.
  const order = await readOrder(tx, payment);
  if (!order) throw new StaleRead('order');
  // What was given back stays so, though this answer may be older than what is on record.
  const cancelledAmount = Math.max(payment.cancelledAmount, order.cancelledAmount);
  const told = { ...payment, cancelledAmount };
  return new Settlement({ tx, order, seen, payment: told, wrong, sale, actor, now, rules }).run();
}

function noteOn({ status, cancelledAmount }: PaymentSnapshot): string | null {
  return status === 'paid' && cancelledAmount > 0 ? 'partially_cancelled' : null;
}

/** A payment that must not have its order's seats, though it was paid. */
function whatIsWrong(
  payment: PaymentSnapshot,
  order: OrderGlance,
  rules: SettlementRules,
): string | null {
  if (payment.status !== 'paid') return null;
  if (payment.amount !== order.amount || payment.currency !== order.currency) {
    return 'amount_mismatch';
  }
  return payment.test && !rules.testPaymentsAccepted ? 'test_payment' : null;
}
