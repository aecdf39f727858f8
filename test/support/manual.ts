// V2's manual confirm in a test: the buyer authenticates, the organizer's server brings the token.

import type { Authentication, PayRequest } from '../../src/sandbox/types.ts';
import type { HttpResult, OrderView, World } from './world.ts';

/** The buyer comes back from the window; no webhook will ever come unless told. */
export function authenticate(
  world: World,
  order: OrderView,
  how: Partial<PayRequest> = {},
): Promise<Authentication> {
  const { merchantUid, amount } = order;
  return world.sandbox.authenticate({
    dialect: 'v2',
    merchantUid,
    amount,
    webhookUrl: null,
    ...how,
  });
}

/** As the organizer's server would, with what the browser brought. */
export function confirmByHand(
  world: World,
  order: OrderView,
  { paymentToken, txId }: Pick<Authentication, 'paymentToken' | 'txId'>,
  extra: Record<string, unknown> = {},
): Promise<HttpResult> {
  const path = `/api/payments/${encodeURIComponent(order.merchantUid)}/confirm`;
  return world.call('POST', path, { paymentToken, txId, ...extra });
}

/** Charges of the order that took place at the gateway. */
export function chargesOf(world: World, order: OrderView): number {
  const payments = world.sandbox.books().payments;
  return payments.filter((p) => p.merchantUid === order.merchantUid && p.everPaid).length;
}
