/** What the PG makes of a charge: approved, declined, an account issued, or something later. */

import type { Gateway } from './gateway.ts';
import type { Payment } from './ledger.ts';
import type { PayPlan } from './pay-request.ts';
import type { DepositOutcome, GatewayEvent, WebhookTrigger } from './types.ts';

export const ALREADY_PAID = '이미 결제된 주문번호입니다.';
const DECLINED = '[PG] 승인이 거절되었습니다. (한도초과)';
const PG_TROUBLE = '[PG] 내부 오류';
const NOT_APPROVED = '[PG] 결제가 최종 승인되지 않았습니다.';

/** `silent`: what this call does is not told by webhook; what comes of it later is. */
export function charge(gateway: Gateway, payment: Payment, plan: PayPlan, silent = false) {
  const { buyer } = plan;
  if (buyer === 'decline') return fail(gateway, payment, DECLINED, silent);
  if (buyer === 'vanish') return wait(gateway, payment, plan.pending, silent);
  if (buyer === 'fail_then_paid') fail(gateway, payment, PG_TROUBLE, silent);
  else if (plan.method === 'vbank') issue(gateway, payment, plan.dueInMs, silent);
  else if (buyer === 'pay_late' || buyer === 'fail_late') {
    wait(gateway, payment, plan.pending, silent);
  } else return settle(gateway, payment, 'approved', silent);
  if (buyer === 'pay_late' || buyer === 'fail_then_paid') {
    gateway.later.after(plan.lateMs, () => {
      if (payment.account === null) approve(gateway, payment, 'approved late');
      else deposit(gateway, payment.paymentId);
    });
  }
  if (buyer === 'fail_late') {
    gateway.later.after(plan.lateMs, () => failLate(gateway, payment, NOT_APPROVED));
  }
}

function settle(gateway: Gateway, payment: Payment, why: string, silent: boolean): void {
  if (gateway.ledger.approve(payment, why)) tell(gateway, payment, 'paid', silent);
  else fail(gateway, payment, ALREADY_PAID, silent);
}

/** false when it cannot be paid any more. */
export function approve(gateway: Gateway, payment: Payment, why: string): boolean {
  const trigger = payment.pending ? 'ASYNC_PAY_APPROVED' : null;
  if (!gateway.ledger.approve(payment, why)) {
    fail(gateway, payment, ALREADY_PAID);
    return false;
  }
  gateway.courier.announce(payment, 'paid', { trigger });
  return true;
}

export function fail(gateway: Gateway, payment: Payment, reason: string, silent = false): void {
  if (payment.state !== 'ready') return;
  gateway.ledger.fail(payment, reason);
  tell(gateway, payment, 'failed', silent);
}

/** The failure of a charge that had been left open; V1 tells of it for asynchronous methods only. */
export function failLate(gateway: Gateway, payment: Payment, reason: string): boolean {
  if (payment.state !== 'ready') return false;
  const asynchronous = payment.pending;
  gateway.ledger.fail(payment, reason);
  if (asynchronous) {
    gateway.courier.announce(payment, 'failed_late', { trigger: 'ASYNC_PAY_FAILED' });
  } else gateway.courier.announce(payment, 'failed');
  return true;
}

function issue(gateway: Gateway, payment: Payment, dueInMs: number, silent: boolean): void {
  gateway.ledger.issueAccount(payment, dueInMs);
  tell(gateway, payment, 'issued', silent);
}

function wait(gateway: Gateway, payment: Payment, pending: boolean, silent: boolean): void {
  if (!pending) return;
  gateway.ledger.awaitApproval(payment);
  tell(gateway, payment, 'pending', silent, 'ASYNC_PAY_PENDING');
}

function tell(
  gateway: Gateway,
  payment: Payment,
  event: GatewayEvent,
  silent: boolean,
  trigger: WebhookTrigger | null = null,
): void {
  if (!silent) gateway.courier.announce(payment, event, { trigger });
}

/** Money arrives on the virtual account; what becomes of it after the due date is the PG's affair. */
export function deposit(gateway: Gateway, paymentId: string): DepositOutcome {
  const payment = gateway.ledger.findAnywhere(paymentId);
  if (payment === null) return { accepted: false, why: 'unknown_payment' };
  if (payment.account === null) return { accepted: false, why: 'no_account' };
  if (payment.paidAtMs !== null) return { accepted: false, why: 'already_deposited' };
  if (payment.account.closedAtMs !== null) return { accepted: false, why: 'account_closed' };
  const afterDue = gateway.clock() > payment.account.dueAtMs;
  if (afterDue && payment.accountPlan.afterDue === 'refused') {
    return { accepted: false, why: 'past_due' };
  }
  if (!gateway.ledger.approve(payment, 'deposited')) return { accepted: false, why: 'order_paid' };
  gateway.courier.announce(payment, 'paid', { trigger: 'VIRTUAL_ACCOUNT_DEPOSIT' });
  return { accepted: true, afterDue };
}
