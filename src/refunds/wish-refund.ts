// The organizer wishes money back: checked against what there is, and on record before anything is done.

import type { Clock } from '../clock.ts';
import type { Database, Transaction } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import type { Log } from '../log.ts';
import { requestRefund } from '../payments/request-refund.ts';
import { recordStep } from '../payments/steps.ts';
import type { RefundAccount } from '../portone/payment.ts';
import { setAccount } from './amend-refund.ts';
import {
  type EarlierRefund,
  type PlannedRefund,
  type PlanRefusal,
  planRefund,
  type Refundable,
  type RefundWishes,
  repeatOf,
} from './plan-refund.ts';

const sql = { lock: loadSql('lock_payments_of_order'), load: loadSql('load_refundable') };

export interface WishOptions {
  database: Database;
  clock: Clock;
  log: Log;
}

export interface NewRefund extends RefundWishes {
  merchantUid: string;
  account?: RefundAccount | undefined;
  dryRun?: boolean | undefined;
}

export type Wished =
  | ({
      ok: true;
      /** Null for a dry run. */
      id: number | null;
      state: 'requested' | 'needs_person' | 'done' | 'dry_run';
      /** The same wish was made before, and this is what became of it. */
      repeat: boolean;
    } & PlannedRefund)
  | ({ ok: false } & WishRefusal);

export type WishRefusal =
  | PlanRefusal
  | { reason: 'unknown_order' }
  | { reason: 'already_open'; id: number };

/** @param actor `organizer:...`; kept on the refund */
export async function wishRefund(
  options: WishOptions,
  wish: NewRefund,
  actor: string,
): Promise<Wished> {
  const wished = await options.database.transaction((tx) => decide(tx, options, wish, actor));
  if (wished.ok && wished.id !== null && !wished.repeat) {
    const { id, paymentId, amount, whole } = wished;
    options.log.info({ refundId: id, paymentId, amount, whole, actor }, 'refund requested');
  }
  return wished;
}

async function decide(
  tx: Transaction,
  { clock }: WishOptions,
  wish: NewRefund,
  actor: string,
): Promise<Wished> {
  const { merchantUid, account, reason } = wish;
  if (!wish.dryRun) await tx.$queryRawUnsafe(sql.lock, merchantUid);
  const [row] = await tx.$queryRawUnsafe<{ document: Refundable }[]>(sql.load, merchantUid);
  if (!row) return { ok: false, reason: 'unknown_order' };
  const order = row.document;
  const now = clock.now();
  const earlier = repeatOf(order, wish, now);
  if (earlier) {
    // The same wish, now with an account.
    if (account && earlier.state !== 'done' && !wish.dryRun) {
      await setAccount(tx, { id: earlier.id, account, actor, now });
    }
    return repeated(order, earlier);
  }
  const plan = planRefund(order, wish);
  if (!plan.ok) return plan;
  const { paymentId, amount, whole, seats } = plan;
  const open = order.payments
    .find((payment) => payment.paymentId === paymentId)
    ?.refunds.find((refund) => refund.state !== 'done');
  if (open) return { ok: false, reason: 'already_open', id: open.id };
  if (wish.dryRun) return { ...plan, id: null, state: 'dry_run', repeat: false };
  const id = await requestRefund(tx, {
    paymentId,
    amount,
    whole,
    seats: whole ? [] : seats,
    reason,
    requestedBy: actor,
    account: account ?? null,
    now,
  });
  // The payment's row is ours: nobody can have come between.
  if (id === null) throw new Error(`a refund of ${paymentId} came from nowhere`);
  const step = { orderId: order.id, paymentId, step: 'refund_requested', actor, at: now };
  await recordStep(tx, { ...step, detail: `${amount}: ${reason}` });
  return { ...plan, id, state: 'requested', repeat: false };
}

function repeated(order: Refundable, earlier: EarlierRefund): Wished {
  const { id, state, amount, whole } = earlier;
  const payment = order.payments.find(({ refunds }) => refunds.includes(earlier));
  const seats = whole ? (order.hold?.seats ?? []).map((seat) => seat.label) : earlier.seats;
  const paymentId = payment?.paymentId ?? '';
  return { ok: true, repeat: true, id, state, amount, whole, seats, paymentId };
}
