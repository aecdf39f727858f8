/** One buyer's story from the payment window to the end of the browser's part in it. */

import { confirmCall, mayCharge, NOT_ASKED, refusalText } from './confirm-call.ts';
import type { Gateway } from './gateway.ts';
import { type Payment, worldOf } from './ledger.ts';
import { type PayPlan, readPayRequest } from './pay-request.ts';
import type { ConfirmAnswer, DepositOutcome, NotOpened, PayOutcome, PayRequest } from './types.ts';

const ALREADY_PAID = '이미 결제된 주문번호입니다.';
const NOT_AS_REGISTERED = '사전 등록된 결제금액과 일치하지 않습니다.';
const DECLINED = '[PG] 승인이 거절되었습니다. (한도초과)';
const HUNG_UP = '결제 처리 중 연결이 끊어졌습니다.';
const PG_TROUBLE = '[PG] 내부 오류';

export async function pay(gateway: Gateway, request: PayRequest | unknown): Promise<PayOutcome> {
  const plan = readPayRequest(request, gateway.settings);
  const known =
    plan.paymentId === undefined
      ? null
      : gateway.ledger.find(worldOf(plan.dialect), plan.paymentId);
  if (known !== null) return confirmAgain(gateway, known, plan);
  const obstacle = gateway.ledger.obstacle(plan);
  if (obstacle !== null) return windowStaysShut(gateway, plan, obstacle);
  const payment = gateway.ledger.open(plan);
  gateway.courier.announce(payment, 'opened');
  return tell(gateway, payment, plan);
}

async function tell(gateway: Gateway, payment: Payment, plan: PayPlan): Promise<PayOutcome> {
  const ask = recorded(payment, confirmCall(gateway, payment.paymentId, plan));
  const { times, when } = plan.repeat;
  const repeats = plan.buyer === 'repeat' ? times : 0;
  const at = (moment: typeof when): number => (when === moment ? repeats : 0);
  const answers = await Promise.all(Array.from({ length: 1 + at('concurrent') }, ask));
  for (let n = 0; n < at('after'); n += 1) answers.push(await ask());
  const deciding = answers[0] ?? NOT_ASKED;
  await decide(gateway, payment, plan, deciding);
  for (let n = 0; n < at('after_paid'); n += 1) answers.push(await ask());
  return outcome(payment, deciding, answers);
}

async function decide(
  gateway: Gateway,
  payment: Payment,
  plan: PayPlan,
  answer: ConfirmAnswer,
): Promise<void> {
  // Even when the 200 was quicker than the hang-up: the gateway that asked is gone.
  if (plan.buyer === 'hang_up') return fail(gateway, payment, HUNG_UP);
  if (!mayCharge(answer)) return fail(gateway, payment, refusalText(payment.dialect, answer));
  if (plan.pgDelayMs > 0) await gateway.later.sleep(plan.pgDelayMs);
  if (plan.buyer === 'vanish') return;
  if (plan.buyer === 'decline') return fail(gateway, payment, DECLINED);
  if (plan.buyer === 'fail_then_paid') fail(gateway, payment, PG_TROUBLE);
  else if (plan.method === 'vbank') issue(gateway, payment, plan.dueInMs);
  else if (plan.buyer === 'pay_late') wait(gateway, payment, plan.pending);
  else return approve(gateway, payment, 'approved');
  if (plan.buyer === 'pay_late' || plan.buyer === 'fail_then_paid') {
    gateway.later.after(plan.lateMs, () => {
      if (payment.account === null) approve(gateway, payment, 'approved late');
      else deposit(gateway, payment.paymentId);
    });
  }
}

function approve(gateway: Gateway, payment: Payment, why: string): void {
  if (gateway.ledger.approve(payment, why)) gateway.courier.announce(payment, 'paid');
  else fail(gateway, payment, ALREADY_PAID);
}

function fail(gateway: Gateway, payment: Payment, reason: string): void {
  if (payment.state !== 'ready') return;
  gateway.ledger.fail(payment, reason);
  gateway.courier.announce(payment, 'failed');
}

function issue(gateway: Gateway, payment: Payment, dueInMs: number): void {
  gateway.ledger.issueAccount(payment, dueInMs);
  gateway.courier.announce(payment, 'issued');
}

function wait(gateway: Gateway, payment: Payment, pending: boolean): void {
  if (!pending) return;
  gateway.ledger.awaitApproval(payment);
  gateway.courier.announce(payment, 'pending');
}

/** A confirm for a payment that is already on the books, perhaps with other contents. Moves no money. */
async function confirmAgain(
  gateway: Gateway,
  payment: Payment,
  plan: PayPlan,
): Promise<PayOutcome> {
  const ask = recorded(payment, confirmCall(gateway, payment.paymentId, plan));
  const repeats = plan.buyer === 'repeat' ? plan.repeat.times : 0;
  const answers = await Promise.all([ask(), ...Array.from({ length: repeats }, ask)]);
  return outcome(payment, answers[0] ?? NOT_ASKED, answers);
}

function recorded(
  payment: Payment,
  ask: () => Promise<ConfirmAnswer>,
): () => Promise<ConfirmAnswer> {
  return async () => {
    const answer = await ask();
    if (answer.asked) payment.confirms.push(answer);
    return answer;
  };
}

function windowStaysShut(gateway: Gateway, plan: PayPlan, notOpened: NotOpened): PayOutcome {
  gateway.ledger.notOpened += 1;
  return {
    paymentId: plan.paymentId ?? gateway.ledger.newPaymentId(worldOf(plan.dialect)),
    merchantUid: plan.merchantUid,
    notOpened,
    confirm: NOT_ASKED,
    confirms: [],
    state: 'failed',
    errorMessage: notOpened === 'already_paid' ? ALREADY_PAID : NOT_AS_REGISTERED,
    webhooksSent: 0,
  };
}

function outcome(payment: Payment, confirm: ConfirmAnswer, confirms: ConfirmAnswer[]): PayOutcome {
  return {
    paymentId: payment.paymentId,
    merchantUid: payment.merchantUid,
    notOpened: null,
    confirm,
    confirms: confirms.filter(({ asked }) => asked),
    state: payment.state,
    errorMessage: payment.failReason,
    webhooksSent: payment.webhooks.filter(({ attempts }) => attempts.length > 0).length,
  };
}

/** Money arrives on the virtual account. After its due date PGs differ; here it still counts. */
export function deposit(gateway: Gateway, paymentId: string): DepositOutcome {
  const payment = gateway.ledger.findAnywhere(paymentId);
  if (payment === null) return { accepted: false, why: 'unknown_payment' };
  if (payment.account === null) return { accepted: false, why: 'no_account' };
  if (payment.paidAtMs !== null) return { accepted: false, why: 'already_deposited' };
  if (payment.account.closedAtMs !== null) return { accepted: false, why: 'account_closed' };
  const afterDue = gateway.clock() > payment.account.dueAtMs;
  if (!gateway.ledger.approve(payment, 'deposited')) return { accepted: false, why: 'order_paid' };
  gateway.courier.announce(payment, 'paid');
  return { accepted: true, afterDue };
}
