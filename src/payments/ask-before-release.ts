// No seat is sold again while its payment may have succeeded: PortOne is asked wherever it can be,
// about every attempt to pay for the order.

import { loadSql } from '../db/sql.ts';
import type { Gateway } from '../portone/gateway.ts';
import { GatewayUnreachable, type PaymentApi, type PaymentSnapshot } from '../portone/payment.ts';
import { glanceAtOrder } from './order-state.ts';
import { closeAccount, noteClosing } from './refuse-account.ts';
import { type Settled, type SettleOptions, settlePayment } from './settle-payment.ts';

const sql = loadSql('gateways_of_order');

export type AskOptions = SettleOptions;

export interface HoldToAsk {
  paymentId: string;
  merchantUid: string;
}

/**
 * `release`: nothing was paid. `paid`: settled just now. `kept`: it waits on, or nothing sure can
 * be said yet. `unreachable`: PortOne gave no answer.
 */
export type HoldFate = 'release' | 'paid' | 'kept' | 'unreachable';

/**
 * What a settled attempt means for the hold. Absent: it has no seat, or is being refunded, so the
 * others decide.
 */
const FATE: Partial<Record<Settled, HoldFate>> = {
  sold: 'paid',
  already_sold: 'paid',
  same_seats: 'paid',
  equal_seats: 'paid',
  kept: 'kept',
};

const ACTOR = 'expiry';

export async function askBeforeRelease(options: AskOptions, hold: HoldToAsk): Promise<HoldFate> {
  try {
    const apis = await apisOf(options, hold);
    const fates: HoldFate[] = [];
    for (const api of apis) fates.push(await fateAt(options, api, hold.merchantUid));
    if (fates.includes('paid')) return 'paid';
    return fates.includes('kept') ? 'kept' : 'release';
  } catch (error) {
    const line = { paymentId: hold.paymentId, error: (error as Error).message };
    if (error instanceof GatewayUnreachable) {
      options.log.info(line, 'hold kept: PortOne is away');
      return 'unreachable';
    }
    options.log.warn(line, 'hold kept');
    return 'kept';
  }
}

/** Empty where no credentials are configured: then nobody can be asked. */
async function apisOf(options: AskOptions, { merchantUid }: HoldToAsk): Promise<PaymentApi[]> {
  const rows = await options.database.query<{ gateway: Gateway }>(sql, merchantUid);
  return rows.flatMap(({ gateway }) => options.portone.api(gateway) ?? []);
}

async function fateAt(options: AskOptions, api: PaymentApi, order: string): Promise<HoldFate> {
  const attempts = await api.readAttempts(order);
  const fates = new Map<PaymentSnapshot, HoldFate | undefined>();
  for (const attempt of attempts) fates.set(attempt, await settledFate(options, attempt));
  const known = [...fates.values()];
  if (known.includes('paid')) return 'paid';
  if (known.includes('kept')) return 'kept';
  for (const attempt of attempts.filter(({ status }) => status === 'waiting_deposit')) {
    if ((await closeFirst(options, api, attempt)) === 'paid') return 'paid';
  }
  return 'release';
}

async function settledFate(
  options: AskOptions,
  attempt: PaymentSnapshot,
): Promise<HoldFate | undefined> {
  const settled = await settlePayment(options, attempt, ACTOR);
  // Later than this answer something happened that is on record already: looked at again.
  if (settled === 'outdated' && attempt.status === 'paid') return 'kept';
  return FATE[settled];
}

/** The account is closed, where the provider can, before its seats go to somebody else. */
async function closeFirst(
  options: AskOptions,
  api: PaymentApi,
  payment: PaymentSnapshot,
): Promise<HoldFate | undefined> {
  const closed = await closeAccount(api, payment);
  if (typeof closed === 'object') return settledFate(options, closed);
  await options.database.transaction(async (tx) => {
    const order = await glanceAtOrder(tx, payment);
    if (!order) return;
    const { paymentId } = payment;
    const at = options.clock.now();
    await noteClosing(tx, { orderId: order.id, paymentId, closed, actor: ACTOR, at });
  });
  return 'release';
}
