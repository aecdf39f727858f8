/** One buyer's story from the payment window to the end of the browser's part in it. */

import { confirmCall, mayCharge, NOT_ASKED, refusalText } from './confirm-call.ts';
import { ALREADY_PAID, charge, fail } from './decide.ts';
import type { Gateway } from './gateway.ts';
import { type Payment, worldOf } from './ledger.ts';
import { type PayPlan, readPayRequest } from './pay-request.ts';
import type { ConfirmAnswer, NotOpened, PayOutcome, PayRequest } from './types.ts';

const NOT_AS_REGISTERED = '사전 등록된 결제금액과 일치하지 않습니다.';
const HUNG_UP = '결제 처리 중 연결이 끊어졌습니다.';

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
  charge(gateway, payment, plan);
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
