// No seat is sold again while its payment may have succeeded: PortOne is asked wherever it can be.

import type { Log } from '../log.ts';
import type { Gateway } from '../portone/gateway.ts';
import { GatewayUnreachable, type PaymentApi } from '../portone/payment.ts';
import type { PortOne } from '../portone/portone.ts';
import { type Settled, type SettleOptions, settlePayment } from './settle-payment.ts';

export interface AskOptions extends SettleOptions {
  portone: PortOne;
  log: Log;
}

export interface HoldToAsk {
  paymentId: string;
  merchantUid: string;
  gateway: Gateway;
}

/** `release`: nothing was paid. `paid`: settled just now. `kept`: nothing sure can be said yet. */
export type HoldFate = 'release' | 'paid' | 'kept';

/**
 * What a paid payment means for the hold. Absent: it has no seat and is being refunded, so the hold
 * is judged by its own payment.
 */
const FATE_OF_PAID: Partial<Record<Settled, HoldFate>> = {
  sold: 'paid',
  already_sold: 'paid',
  same_seats: 'paid',
  equal_seats: 'paid',
  outdated: 'kept',
};

export async function askBeforeRelease(options: AskOptions, hold: HoldToAsk): Promise<HoldFate> {
  const api = options.portone.api(hold.gateway);
  if (!api) return 'release';
  try {
    return await fateOf(options, api, hold);
  } catch (error) {
    const line = { paymentId: hold.paymentId, error: (error as Error).message };
    if (error instanceof GatewayUnreachable) options.log.info(line, 'hold kept: PortOne is away');
    else options.log.warn(line, 'hold kept');
    return 'kept';
  }
}

async function fateOf(options: AskOptions, api: PaymentApi, hold: HoldToAsk): Promise<HoldFate> {
  const payment = await api.read(hold);
  if (payment?.status === 'paid') {
    const fate = FATE_OF_PAID[await settlePayment(options, payment)];
    if (fate) return fate;
  }
  // An earlier or later attempt of the same order may be the one that was paid.
  const other = await api.readPaidOfOrder(hold.merchantUid);
  if (other && other.paymentId !== payment?.paymentId) {
    const fate = FATE_OF_PAID[await settlePayment(options, other)];
    if (fate) return fate;
  }
  if (payment && payment.status !== 'paid') await settlePayment(options, payment);
  const due = payment?.status === 'waiting_deposit' ? payment.depositBy : null;
  return due && due > options.clock.now() ? 'kept' : 'release';
}
