// One attempt to pay: in the gateway's window, by the organizer's own call, or by a forged confirm.

import type { ConfirmAnswer, PayOutcome, PayRequest, Sandbox } from '../sandbox/types.ts';
import { attemptOf, type Buyer, storyOf } from './buyers.ts';
import type { Heard } from './next-step.ts';
import type { Order, Organizer } from './organizer.ts';

/** One confirm call as its caller saw it. Moments are ms after the opening. */
export interface Ask {
  event: number;
  paymentId: string;
  merchantUid: string;
  askedAtMs: number;
  /** Until the gateway had a connection for the call; as far as can be told from outside. */
  waitedMs: number;
  latencyMs: number;
  heard: Heard;
  /** Why no answer came, as the network said it. */
  error: string | null;
  /** Hung up by the gateway, so that nobody can say what the answer would have been. */
  hungUp: boolean;
  /** The organizer's own call, whose answer waits for the bank as well. */
  byHand: boolean;
}

export type Attempt = Pick<
  PayOutcome,
  'paymentId' | 'notOpened' | 'confirm' | 'confirms' | 'state'
> & { byHand: boolean; pgDelayMs: number };

export interface AskingParts {
  sandbox: Sandbox;
  organizer: Organizer;
  seed: number;
}

export async function attemptToPay(
  parts: AskingParts,
  buyer: Buyer,
  order: Order,
  attempt: number,
): Promise<Attempt> {
  const story = storyOf(buyer, attempt);
  if (story === 'forges') return forge(parts.sandbox, buyer, order, attempt);
  const { merchantUid, amount, confirmUrl } = order;
  const told = attemptOf(buyer, attempt, parts.seed);
  if (story === 'by_hand') return payByHand(parts, { merchantUid, amount, ...told });
  const outcome = await parts.sandbox.pay({ merchantUid, amount, confirmUrl, ...told });
  return { ...outcome, byHand: false, pgDelayMs: told.pgDelayMs ?? 0 };
}

/** The buyer authenticates, and the organizer's server brings what the browser came back with. */
async function payByHand(parts: AskingParts, request: PayRequest): Promise<Attempt> {
  const { sandbox, organizer } = parts;
  const { paymentId, merchantUid, paymentToken, txId, notOpened } =
    await sandbox.authenticate(request);
  const about = { paymentId, notOpened, byHand: true, pgDelayMs: 0 };
  if (notOpened !== null) {
    return { ...about, confirm: answered(null, 0, false), confirms: [], state: 'failed' };
  }
  const askedAtMs = performance.now();
  const body = { paymentToken, txId, amount: request.amount };
  const answer = await organizer.charge(merchantUid, body);
  const confirm = answered(answer, performance.now() - askedAtMs, true);
  const { payments } = sandbox.books(merchantUid);
  const state = payments.find((payment) => payment.paymentId === paymentId)?.state ?? 'ready';
  return { ...about, confirm, confirms: [confirm], state };
}

function answered(
  answer: { status: number; body: unknown } | null,
  latencyMs: number,
  asked: boolean,
): ConfirmAnswer {
  const error = answer === null && asked ? 'no answer' : null;
  const { status, body } = answer ?? { status: null, body: null };
  return { asked, status, body, latencyMs, timedOut: false, aborted: false, error };
}

/** Whoever looks at the page can read its confirm URL, and call it. */
async function forge(
  sandbox: Sandbox,
  { index, dialect }: Buyer,
  { merchantUid, amount, confirmUrl }: Order,
  attempt: number,
): Promise<Attempt> {
  const v1 = dialect === 'v1';
  const paymentId = `${v1 ? 'imp_' : ''}forged-${index}-${attempt}`;
  const body: Record<string, unknown> = v1
    ? { imp_uid: paymentId, merchant_uid: merchantUid, amount }
    : { payment_id: merchantUid, tx_id: paymentId, total_amount: amount };
  const confirm = await sandbox.sendWebhook({ url: confirmUrl, body });
  const told = { notOpened: null, byHand: false, pgDelayMs: 0, state: 'ready' } as const;
  return { ...told, paymentId, confirm, confirms: [confirm] };
}

export function asksOf(
  attempt: Attempt,
  about: Pick<Ask, 'event' | 'merchantUid' | 'askedAtMs'>,
  tookMs: number,
): Ask[] {
  const waitedMs = attempt.byHand ? 0 : waitOf(attempt, tookMs);
  return attempt.confirms.map((answer) => ({
    // Repeats come a little later than the first; nobody needs to know by how much.
    ...about,
    paymentId: attempt.paymentId,
    waitedMs,
    latencyMs: answer.latencyMs,
    heard: heardFrom(answer, attempt),
    error: answer.error,
    hungUp: answer.aborted,
    byHand: attempt.byHand,
  }));
}

/** What is left of an attempt's time when the answers and the card company have had theirs. */
function waitOf({ confirm, confirms, pgDelayMs }: Attempt, tookMs: number): number {
  const answeredMs = confirms.reduce((sum, answer) => sum + answer.latencyMs, 0);
  const charged = confirm.status === 200 ? pgDelayMs : 0;
  return Math.max(0, tookMs - answeredMs - charged);
}

export function heardFrom(answer: ConfirmAnswer, { notOpened }: Pick<Attempt, 'notOpened'>): Heard {
  if (notOpened !== null) return 'window_shut';
  if (!answer.asked) return 'not_asked';
  if (answer.status === null) return 'no_answer';
  const code = fieldOf(answer.body, 'code');
  return typeof code === 'string' ? (code as Heard) : 'no_answer';
}

/** From now until the moment that a refusal named, if it named one. */
export function untilNamed(answer: ConfirmAnswer, now: number): number | null {
  const at = fieldOf(answer.body, 'at');
  return typeof at === 'string' ? Math.max(0, Date.parse(at) - now) : null;
}

function fieldOf(body: unknown, field: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, field) : undefined;
}
