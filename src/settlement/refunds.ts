// Gives money back: what is owed is on record first, and each try looks before it asks.

import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import type { Log } from '../log.ts';
import { backoffMs } from '../payments/backoff.ts';
import { type SettleOptions, settlePayment } from '../payments/settle-payment.ts';
import type { Gateway } from '../portone/gateway.ts';
import { GatewayUnreachable, type PaymentSnapshot } from '../portone/payment.ts';
import type { PortOne } from '../portone/portone.ts';

const sql = loadSql('claim_refunds');

const CLAIM_MS = 30_000;
/** Refused after so many tries, over a quarter of an hour, a person must look. */
const TRIES_MAX = 10;

export interface RefundOptions extends SettleOptions {
  database: Database;
  clock: Clock;
  portone: PortOne;
  log: Log;
}

interface Claimed {
  paymentId: string;
  reason: string;
  tries: number;
  gateway: Gateway;
  merchantUid: string;
}

/** @returns how many were tried */
export async function workRefunds(options: RefundOptions, limit: number): Promise<number> {
  const now = options.clock.now();
  const until = new Date(now.getTime() + CLAIM_MS);
  const claimed = await options.database.query<Claimed>(sql, now, limit, until);
  for (const refund of claimed) {
    try {
      await work(options, refund);
    } catch (error) {
      const { message } = error as Error;
      if (!(error instanceof GatewayUnreachable)) {
        options.log.warn({ paymentId: refund.paymentId, error: message }, 'refund kept');
      }
      // An outage, however long, is nobody's refusal.
      await again(options, refund, message, !(error instanceof GatewayUnreachable));
    }
  }
  return claimed.length;
}

async function work(options: RefundOptions, refund: Claimed): Promise<void> {
  const api = options.portone.api(refund.gateway);
  if (!api) return again(options, refund, 'no PortOne credentials are configured');
  const payment = await api.read(refund);
  if (!payment) return again(options, refund, 'PortOne knows no such payment');
  if (payment.paymentId !== refund.paymentId) {
    return again(options, refund, 'PortOne tells of another attempt');
  }
  if (payment.status === 'cancelled') return done(options, refund, payment);
  const result = await api.cancel(payment, refund.reason);
  if (result.outcome === 'refused') return again(options, refund, result.message);
  if (result.outcome === 'pending') {
    // Some methods give money back on the next business day.
    return again(options, refund, 'taken by PortOne, not done yet', false);
  }
  const left = await api.read(refund);
  if (left?.status === 'cancelled') return done(options, refund, left);
  return again(options, refund, 'cancelled, but money is left');
}

async function done(
  options: RefundOptions,
  refund: Claimed,
  payment: PaymentSnapshot,
): Promise<void> {
  // Settling a cancelled payment also closes the refund that was owed for it.
  await settlePayment(options, payment);
  options.log.info({ paymentId: refund.paymentId, reason: refund.reason }, 'refunded');
}

/** @param refused whether this try counts towards asking a person */
async function again(
  options: RefundOptions,
  refund: Claimed,
  lastError: string,
  refused = true,
): Promise<void> {
  const giveUp = refused && refund.tries >= TRIES_MAX;
  const at = options.clock.now().getTime() + backoffMs(refund.tries);
  await options.database.prisma.refund.updateMany({
    where: { paymentId: refund.paymentId, state: 'requested' },
    data: {
      lastError,
      nextTryAt: new Date(at),
      ...(giveUp ? { state: 'needs_person' } : {}),
    },
  });
  const line = { paymentId: refund.paymentId, tries: refund.tries, lastError };
  if (giveUp) options.log.error(line, 'refund needs a person');
  else options.log.info(line, 'refund tried again later');
}
