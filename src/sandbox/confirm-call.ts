/** Asks the merchant "may I charge?"; only an HTTP 200 that arrived whole and in time is a yes. */

import type { Gateway } from './gateway.ts';
import { type ConfirmClaims, confirmMessage, headersFor } from './messages.ts';
import type { PayPlan } from './pay-request.ts';
import type { ConfirmAnswer, Dialect } from './types.ts';

export const NOT_ASKED: ConfirmAnswer = Object.freeze({
  asked: false,
  status: null,
  body: null,
  latencyMs: 0,
  timedOut: false,
  aborted: false,
  error: null,
});

/** One confirm message, which can be sent any number of times: the same id, stamped anew. */
export function confirmCall(
  gateway: Gateway,
  paymentId: string,
  plan: PayPlan,
): () => Promise<ConfirmAnswer> {
  const { confirmUrl } = plan;
  if (confirmUrl === null) return () => Promise.resolve(NOT_ASKED);
  const claims: ConfirmClaims = { ...plan, paymentId };
  const id = `msg_${gateway.ids.uuid()}`;
  const message = confirmMessage(id, plan.dialect, claims, gateway.clock());
  return () =>
    gateway.outgoing.post({
      url: confirmUrl,
      headers: headersFor(message, gateway.signing.secrets, gateway.clock()),
      body: message.body,
      timeoutMs: gateway.confirmTimeoutMs,
      hangUpAfterMs: plan.buyer === 'hang_up' ? plan.hangUpAfterMs : undefined,
    });
}

export function mayCharge(answer: ConfirmAnswer): boolean {
  return !answer.asked || answer.status === 200;
}

const MAX_REASON_LENGTH = 200;

/** The text kept as the reason of the failure and shown to the buyer. */
export function refusalText(dialect: Dialect, answer: ConfirmAnswer): string {
  const said = wordsOf(answer.body, dialect === 'v1' ? 'reason' : 'errorMessage');
  if (dialect !== 'v1') return said ?? '고객사 서버의 승인 확인에 실패하였습니다.';
  return `고객사 요청에 의해 결제를 중단합니다. (상세사유 : ${said ?? '알 수 없음'})`;
}

function wordsOf(body: unknown, field: string): string | null {
  if (typeof body !== 'object' || body === null) return null;
  const said: unknown = Reflect.get(body, field);
  return typeof said === 'string' && said !== '' ? said.slice(0, MAX_REASON_LENGTH) : null;
}
