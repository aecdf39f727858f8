// Virtual accounts that must not, or can no longer, be paid into: closed where the provider can.

import type { Transaction } from '../db/database.ts';
import type { CloseResult, PaymentApi, PaymentSnapshot } from '../portone/payment.ts';
import { endHolds } from '../seats/end-holds.ts';
import { readOrder } from './order-state.ts';
import { type Settled, type SettleOptions, settlePayment } from './settle-payment.ts';
import { recordStep } from './steps.ts';

/** Noted on the payment: its account was refused, and is not refused again. */
export const ACCOUNT_REFUSED = 'virtual_account_forbidden';

/**
 * The event forbids virtual accounts: this one is closed as soon as it is known, and its seats go
 * back. Where the provider cannot close it, money that comes all the same is a late payment.
 */
export async function refuseAccount(
  options: SettleOptions,
  payment: PaymentSnapshot,
  actor: string,
): Promise<Settled> {
  const api = options.portone.api(payment.gateway);
  const closed = api ? await closeAccount(api, payment) : 'unsupported';
  if (typeof closed === 'object') return settlePayment(options, closed, actor);
  return options.database.transaction(async (tx) => {
    const order = await readOrder(tx, payment);
    if (!order) return 'unknown_order';
    const now = options.clock.now();
    const { paymentId } = payment;
    await tx.payment.updateMany({ where: { paymentId }, data: { flag: ACCOUNT_REFUSED } });
    await noteClosing(tx, { orderId: order.id, paymentId, closed, actor, at: now });
    const { hold } = order;
    if (hold?.state === 'held' && hold.paymentId === paymentId && !order.rivals) {
      await endHolds(tx, {
        holds: [{ id: hold.id, paymentId }],
        now,
        actor,
        reason: ACCOUNT_REFUSED,
        orderStatus: 'pending',
      });
    }
    return 'account_refused';
  });
}

/**
 * Before a hold that waited for a deposit is released.
 * @returns the payment as it is now, where there was nothing to close: it may have been paid
 */
export async function closeAccount(
  api: PaymentApi,
  payment: PaymentSnapshot,
): Promise<PaymentSnapshot | CloseResult> {
  const closed = await api.closeAccount(payment);
  if (closed !== 'not_open') return closed;
  const now = await api.read(payment);
  return now && now.status !== 'waiting_deposit' ? now : closed;
}

/**
 * Also for a hold that expired: its account is closed, or is known to be open still. Nothing can
 * come into one that is closed, and nobody need tell us so: with V2 an order's other attempt hides it.
 */
export async function noteClosing(
  tx: Transaction,
  note: { orderId: number; paymentId: string; closed: CloseResult; actor: string; at: Date },
): Promise<void> {
  const { closed, ...rest } = note;
  if (closed === 'not_open') return;
  if (closed === 'closed') {
    const { paymentId } = rest;
    const where = { paymentId, status: 'waiting_deposit' };
    await tx.payment.updateMany({ where, data: { status: 'failed' } });
  }
  await recordStep(tx, {
    ...rest,
    step: closed === 'closed' ? 'account_closed' : 'account_left_open',
  });
}
