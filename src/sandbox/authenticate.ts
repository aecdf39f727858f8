/** V2's manual confirm: the window gives out a token, and the merchant's call with it charges. */

import { ALREADY_PAID, charge } from './decide.ts';
import type { Gateway } from './gateway.ts';
import type { Payment } from './ledger.ts';
import { type PayPlan, readPayRequest } from './pay-request.ts';
import type { Authentication, PayRequest } from './types.ts';

/** What the merchant says of the payment; null: not said, so not compared. */
export interface ChargeClaims {
  paymentToken: string;
  txId: string | null;
  currency: string | null;
  totalAmount: number | null;
  taxFreeAmount: number | null;
  isTest: boolean | null;
  skipWebhook: boolean;
}

export type ChargeOutcome =
  | { charged: true; payment: Payment }
  | { charged: false; why: 'already_paid' | 'token' | 'expired' | 'mismatch' }
  | { charged: false; why: 'declined'; message: string };

export async function authenticate(
  gateway: Gateway,
  request: PayRequest | unknown,
): Promise<Authentication> {
  const plan = readPayRequest(withDialect(request), gateway.settings);
  if (plan.dialect === 'v1') throw new TypeError('V1 knows no manual confirm');
  const { merchantUid } = plan;
  const notOpened = gateway.ledger.obstacle(plan);
  if (notOpened !== null) {
    gateway.ledger.notOpened += 1;
    const txId = plan.paymentId ?? gateway.ledger.newPaymentId('v2');
    return { paymentToken: '', txId, paymentId: txId, merchantUid, notOpened };
  }
  if (plan.paymentId !== undefined && gateway.ledger.find('v2', plan.paymentId) !== null) {
    throw new RangeError(`${plan.paymentId} is an attempt already`);
  }
  const payment = gateway.ledger.open(plan);
  gateway.courier.announce(payment, 'opened');
  const { paymentId } = payment;
  const token = `pt-${gateway.ids.uuid()}`;
  const expiresAtMs = gateway.clock() + plan.authLastsMs;
  payment.authentication = { token, expiresAtMs, used: false, plan: chargedAs(plan) };
  return { paymentToken: token, txId: paymentId, paymentId, merchantUid, notOpened };
}

function withDialect(request: unknown): unknown {
  if (typeof request !== 'object' || request === null) return request;
  return { ...request, dialect: Reflect.get(request, 'dialect') ?? 'v2' };
}

/** The buyer's part is over: a window closed now keeps nobody from charging. */
function chargedAs(plan: PayPlan): PayPlan {
  return plan.buyer === 'vanish' && !plan.pending ? { ...plan, buyer: 'pay' } : plan;
}

/** `attempts`: those of the order that the call names. */
export async function chargeByToken(
  gateway: Gateway,
  attempts: readonly Payment[],
  claims: ChargeClaims,
): Promise<ChargeOutcome> {
  if (attempts.some(({ paidAtMs }) => paidAtMs !== null)) {
    return { charged: false, why: 'already_paid' };
  }
  const payment = attempts.find(
    ({ authentication }) => authentication?.token === claims.paymentToken,
  );
  const authentication = payment?.authentication ?? null;
  if (payment === undefined || authentication === null || authentication.used) {
    return { charged: false, why: 'token' };
  }
  if (gateway.clock() >= authentication.expiresAtMs || !isOpen(payment)) {
    return { charged: false, why: 'expired' };
  }
  // What differs is refused before the PG is asked, and leaves the token good.
  if (differs(payment, claims)) return { charged: false, why: 'mismatch' };
  authentication.used = true;
  const { plan } = authentication;
  if (plan.pgDelayMs > 0) await gateway.later.sleep(plan.pgDelayMs);
  charge(gateway, payment, plan, claims.skipWebhook);
  if (payment.state !== 'failed') return { charged: true, payment };
  const message = payment.failReason ?? '';
  if (message === ALREADY_PAID) return { charged: false, why: 'already_paid' };
  return { charged: false, why: 'declined', message };
}

const isOpen = ({ state }: Payment): boolean => state === 'ready';

function differs(payment: Payment, claims: ChargeClaims): boolean {
  const { txId, currency, totalAmount, taxFreeAmount, isTest } = claims;
  return (
    (txId !== null && txId !== payment.paymentId) ||
    (currency !== null && currency !== payment.currency) ||
    (totalAmount !== null && totalAmount !== payment.amount) ||
    // Nothing here is free of tax.
    (taxFreeAmount !== null && taxFreeAmount !== 0) ||
    (isTest !== null && isTest !== payment.test)
  );
}
