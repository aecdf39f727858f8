/** The steps that the organizer takes at Seatline, and the one of somebody who only knows a URL. */

import { randomInt, randomUUID } from 'node:crypto';
import { confirmMessage } from '../messages.ts';
import type { Dialect } from '../types.ts';
import { type Check, pushList } from './checks.ts';
import { type Answered, Trouble } from './organizer.ts';
import type { Scenario, Step } from './schema.ts';
import type { Stage } from './stage.ts';
import type { ForgedConfirmSaid, ReconcileSaid, RefundSaid, ReleaseSaid } from './steps.ts';
import { codeOf, type Timeline, wordsOfAnswer } from './timeline.ts';

export interface Hands {
  stage: Stage;
  timeline: Timeline;
  keep(check: Check): void;
}

const REASON = 'a scenario';
const IMP_UIDS = 1_000_000_000_000;
const WORDS_MAX = 300;

/** false: the step is none of these. */
export async function organizerStep(hands: Hands, step: Step, scenario: Scenario) {
  if ('forgedConfirm' in step) await forge(hands, step.forgedConfirm ?? {}, scenario.dialect);
  else if ('refund' in step) await refund(hands, step.refund ?? {});
  else if ('release' in step) await release(hands, step.release ?? {});
  else if ('reconcile' in step) await reconcile(hands, step.reconcile ?? {});
  else return false;
  return true;
}

async function forge(
  hands: Hands,
  { order: name, amount, signature = 'none', verdict, answered }: ForgedConfirmSaid,
  said: Scenario['dialect'],
): Promise<void> {
  const order = hands.stage.orderOf(name);
  const { confirmUrl, merchantUid } = order;
  if (typeof confirmUrl !== 'string')
    throw new Trouble('forgedConfirm: the order has no confirmUrl');
  const dialect: Dialect = said === 'v2' ? 'v2-2024-04-25' : said;
  const claims = {
    paymentId: dialect === 'v1' ? inventedImpUid() : randomUUID(),
    merchantUid,
    amount: amount ?? order.amount,
    omitAmount: false,
    amountAsText: false,
    form: false,
  };
  const { body } = confirmMessage('forged', dialect, claims, Date.now());
  const answer = await hands.stage.sandbox.sendWebhook({
    url: confirmUrl,
    body: JSON.parse(body) as Record<string, unknown>,
    signature,
  });
  const words = wordsOfAnswer({ ...answer, asked: true });
  hands.timeline.say('confirm', name ?? null, `forged, for ${claims.paymentId}: ${words}`);
  const got = answer.status ?? answer.error ?? 'no answer';
  if (answered !== undefined) check(hands, 'forgedConfirm: answered', answered, got);
  if (verdict !== undefined) {
    check(hands, 'forgedConfirm: verdict', verdict, codeOf(answer.body) ?? 'none');
  }
}

/** No payment of any gateway: the sandbox gives out others. */
const inventedImpUid = () => `imp_${String(randomInt(IMP_UIDS)).padStart(12, '0')}`;

async function refund(hands: Hands, said: RefundSaid): Promise<void> {
  const { order: name, seats, answered, reason = REASON, ...rest } = said;
  const { merchantUid } = hands.stage.orderOf(name);
  const labels = typeof seats === 'number' ? await firstSeats(hands, name, seats) : seats;
  const wish = { ...rest, ...(labels === undefined ? {} : { seats: labels }), reason };
  const answer = await hands.stage.seatline().refund(merchantUid, wish);
  const parts = [said.amount?.toLocaleString('en-US'), labels?.join(', ')].filter(Boolean);
  const much = parts.length === 0 ? 'all that is left' : parts.join(' for ');
  told(hands, name, `the organizer asks for a refund: ${much}`, 'refund', answer, answered);
}

/** Fewer than told where the order has fewer: Seatline says so then. */
async function firstSeats(hands: Hands, name: string | undefined, count: number) {
  const { seats } = await hands.stage.order(name);
  if (seats.length < count) {
    throw new Trouble(`refund: the order has ${seats.length} seats, not ${count}`);
  }
  return seats.slice(0, count).map(({ label }) => label);
}

async function release(hands: Hands, said: ReleaseSaid): Promise<void> {
  const { order: name, answered, reason = REASON, ...rest } = said;
  const named = rest.seats ?? rest.overdue ?? rest.allHeld;
  const orders =
    name !== undefined || named === undefined ? [hands.stage.orderOf(name).merchantUid] : undefined;
  const body = { ...rest, ...(orders === undefined ? {} : { orders }), reason };
  const answer = await hands.stage.seatline().release(body);
  told(hands, name, 'the organizer releases seats', 'release', answer, answered);
}

async function reconcile(hands: Hands, { found, dryRun, answered }: ReconcileSaid) {
  const answer = await hands.stage.seatline().reconcile(dryRun === undefined ? {} : { dryRun });
  told(hands, undefined, 'the organizer reconciles', 'reconcile', answer, answered);
  const checks: Check[] = [];
  pushList(checks, 'reconcile: found', found, kindsOf(answer.body));
  for (const one of checks) hands.keep(one);
}

function kindsOf(body: unknown): string[] {
  const findings: unknown = Object(body).findings;
  if (!Array.isArray(findings)) return [];
  return findings.map((finding) => String(Object(finding).kind));
}

/** A refusal that nobody expected is a failure, and says why. */
function told(
  hands: Hands,
  who: string | undefined,
  what: string,
  step: string,
  { status, body }: Answered,
  expected: number | undefined,
): void {
  const detail: unknown = Object(body).detail;
  const why = typeof detail === 'string' ? ` (${detail.slice(0, WORDS_MAX)})` : '';
  hands.timeline.say('step', who ?? null, `${what} -> ${status}${why}`);
  const good = status >= 200 && status <= 299;
  if (expected === undefined && good) return;
  check(hands, `${step}: answered`, expected ?? '2xx', status);
}

function check(hands: Hands, what: string, expected: unknown, found: unknown): void {
  const [wanted, got] = [String(expected), String(found)];
  hands.keep({ what, expected: wanted, found: got, held: wanted === got });
}
