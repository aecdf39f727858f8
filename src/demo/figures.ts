// The figures of a finished sale, as --json prints them, and the judgement: clean or not.

import type { Audit } from '../audit/audit.ts';
import type { CaseView } from '../audit/list-cases.ts';
import type { SeatCounts } from '../events/events.ts';
import { LAW_MEANING } from '../operations/openapi-words.ts';
import type { BookEntry } from '../sandbox/types.ts';
import type { Ask } from './asking.ts';
import { type CaseOutcome, caseOutcomes, type MoneyCase } from './cases.ts';
import { addMoney, type EventMoney, eventMoney, moneyProblems } from './event-money.ts';
import type { EventPlan } from './events.ts';
import type { Money } from './money.ts';
import { type Records, seatStory } from './record.ts';
import type { Rest } from './rest.ts';
import type { Sale } from './sale.ts';
import { countBy, type Latency, latencyOf, type Rate, rateOf } from './stats.ts';

/** PortOne waits 5 s by one of its pages and 10 s by another: the shorter one counts. */
export const ANSWER_LIMIT_MS = 5_000;

export interface Counts {
  buyers: number;
  seats: number;
  /** Confirm calls, repeats included. */
  asked: number;
  confirmed: number;
  refused: number;
  refusedBy: Record<string, number>;
  /** The gateway hung up before an answer came. */
  hungUp: number;
  /** Payments whose money was kept. */
  paid: number;
  refunded: number;
  sold: number;
  held: number;
  available: number;
  released: number;
  releasedWhy: Record<string, number>;
  resold: number;
  latencyMs: Latency;
  /** From the buyer's click to the verdict: the gateway's own queue for a connection included. */
  buyerWaitMs: Latency;
  verdictsPerSecond: Rate;
}

/** The money, beside what `Money` has: by event, by case, and who found out. */
export interface MoneyFigures extends Money {
  totals: EventMoney;
  /** What became of the payments of each case that was played. */
  cases: Partial<Record<MoneyCase, CaseOutcome>>;
  /** Payments whose webhooks were all lost, by who found them. */
  foundBy: Record<string, number>;
  /** Cases for the organizer that are closed, and refunds, by kind. */
  closed: Record<string, number>;
  /** What the last reconciliation, after the sale, still found. */
  foundLast: number;
}

export interface EventFigures extends Counts {
  slug: string;
  name: string;
  soldOut: boolean;
  money: EventMoney;
  audit: Audit;
}

export interface Answers {
  limitMs: number;
  slowestMs: number;
  /** Calls that got no answer within the limit, or none at all. */
  late: number;
  lateWhy: Record<string, number>;
  /** Payments that were asked about more than once, and those that heard different yeses. */
  repeated: number;
  disagreeing: number;
}

export interface Figures {
  clean: boolean;
  failures: string[];
  seed: number;
  carrier: string;
  buyers: number;
  seats: number;
  events: EventFigures[];
  totals: Counts;
  money: MoneyFigures;
  answers: Answers;
  soldOut: boolean;
  errorLines: number;
  warningLines: number;
  personLines: number;
  saleMs: number;
  durationMs: number;
  report: string | null;
}

export interface Evidence extends Records, Rest {
  events: EventPlan[];
  sale: Sale;
  audits: Audit[];
  counts: SeatCounts[];
  closed: CaseView[];
  payments: BookEntry[];
}

export type Circumstances = Pick<
  Figures,
  'seed' | 'carrier' | 'errorLines' | 'warningLines' | 'personLines' | 'durationMs' | 'report'
>;

export function figuresOf(evidence: Evidence, circumstances: Circumstances): Figures {
  const events = evidence.events.map((event, index) => eventFigures(evidence, event, index));
  const totals = sum(events, evidence);
  const answers = answersOf(evidence);
  const failures = failuresOf(evidence, events, answers);
  return {
    clean: failures.length === 0,
    failures,
    ...circumstances,
    buyers: totals.buyers,
    seats: totals.seats,
    events,
    totals,
    money: moneyFigures(evidence, events),
    answers,
    soldOut: events.every((event) => event.soldOut),
    saleMs: Math.round(evidence.sale.tookMs),
  };
}

function eventFigures(evidence: Evidence, event: EventPlan, index: number): EventFigures {
  const counts = evidence.counts[index];
  const audit = evidence.audits[index];
  if (!counts || !audit) throw new RangeError(`nothing is known of ${event.slug}`);
  const asks = evidence.sale.asks.filter((ask) => ask.event === index);
  const payments = evidence.payments.filter((payment) => belongs(payment.merchantUid, event));
  const moves = evidence.moves.filter((move) => move.slug === event.slug);
  const { total, sold, held, available } = counts;
  return {
    slug: event.slug,
    name: event.name,
    buyers: event.buyers,
    seats: total,
    ...askFigures(asks),
    paid: payments.filter((payment) => payment.kept > 0).length,
    refunded: payments.filter((payment) => payment.everPaid && payment.kept === 0).length,
    sold,
    held,
    available,
    soldOut: sold === total,
    ...seatStory(moves),
    money: eventMoney(audit, payments),
    audit,
  };
}

function moneyFigures(evidence: Evidence, events: readonly EventFigures[]): MoneyFigures {
  const { money, sale, payments, finders, closed, foundLast } = evidence;
  const unheard = payments.filter(
    ({ everPaid, webhooks }) => everPaid && webhooks.every(({ fate }) => fate === 'lost'),
  );
  return {
    ...money,
    totals: addMoney(events.map((event) => event.money)),
    cases: caseOutcomes(sale.played, payments),
    foundBy: countBy(unheard, ({ paymentId }) => finders.get(paymentId) ?? 'nobody'),
    closed: countBy(closed, ({ kind }) => kind),
    foundLast,
  };
}

/** An order's id is its event's slug and numbers. */
function belongs(merchantUid: string, event: EventPlan): boolean {
  return merchantUid.startsWith(`${event.slug}-`) && /^\d+(-\d+)?$/.test(rest(merchantUid, event));
}

function rest(merchantUid: string, event: EventPlan): string {
  return merchantUid.slice(event.slug.length + 1);
}

function askFigures(asks: readonly Ask[]) {
  const answered = asks.filter((ask) => ask.heard !== 'no_answer');
  const timed = answered.filter((ask) => !ask.byHand);
  const refusals = answered.filter((ask) => ask.heard !== 'confirmed');
  return {
    asked: asks.length,
    confirmed: answered.length - refusals.length,
    refused: refusals.length,
    refusedBy: countBy(refusals, (ask) => ask.heard),
    hungUp: asks.filter((ask) => ask.hungUp).length,
    latencyMs: latencyOf(timed.map((ask) => ask.latencyMs)),
    buyerWaitMs: latencyOf(timed.map((ask) => ask.waitedMs + ask.latencyMs)),
    verdictsPerSecond: rateOf(answered.map((ask) => ask.askedAtMs + ask.waitedMs + ask.latencyMs)),
  };
}

function sum(events: readonly EventFigures[], evidence: Evidence): Counts {
  const total = (key: NumericKey) => events.reduce((all, event) => all + event[key], 0);
  return {
    buyers: total('buyers'),
    seats: total('seats'),
    ...askFigures(evidence.sale.asks),
    paid: total('paid'),
    refunded: total('refunded'),
    sold: total('sold'),
    held: total('held'),
    available: total('available'),
    ...seatStory(evidence.moves),
  };
}

type NumericKey = 'buyers' | 'seats' | 'paid' | 'refunded' | 'sold' | 'held' | 'available';

function answersOf({ sale, payments }: Evidence): Answers {
  const waited = sale.asks.filter((ask) => !ask.hungUp);
  const timed = waited.filter((ask) => !ask.byHand);
  const late = [
    ...waited.filter((ask) => ask.heard === 'no_answer'),
    ...timed.filter((ask) => ask.heard !== 'no_answer' && ask.latencyMs > ANSWER_LIMIT_MS),
  ];
  const repeated = payments.filter((payment) => payment.confirms.length > 1);
  return {
    limitMs: ANSWER_LIMIT_MS,
    slowestMs: Math.round(timed.reduce((most, ask) => Math.max(most, ask.latencyMs), 0)),
    late: late.length,
    lateWhy: countBy(late, (ask) => ask.error ?? 'answered too late'),
    repeated: repeated.length,
    disagreeing: repeated.filter((payment) => yeses(payment).size > 1).length,
  };
}

function yeses(payment: BookEntry): Set<string> {
  const yes = payment.confirms.filter((answer) => answer.status === 200);
  return new Set(yes.map((answer) => JSON.stringify(answer.body)));
}

function failuresOf(
  evidence: Evidence,
  events: readonly EventFigures[],
  answers: Answers,
): string[] {
  const failures: string[] = [];
  for (const event of events) {
    for (const [law, meaning] of Object.entries(LAW_MEANING)) {
      const violations = event.audit[law as keyof typeof LAW_MEANING];
      if (violations !== 0) failures.push(`${event.slug}: ${meaning}: ${violations} violations`);
    }
    failures.push(...moneyProblems(event.slug, event.money));
    if (event.held > 0) failures.push(`${event.slug}: ${event.held} seats are still held`);
  }
  evidence.events.forEach((event, index) => {
    const taken = Math.max(evidence.sale.mostTaken[index] ?? 0, events[index]?.sold ?? 0);
    if (taken > event.seats) failures.push(`${event.slug}: ${taken} of ${event.seats} seats taken`);
    if (events[index]?.seats !== event.seats)
      failures.push(`${event.slug}: seats appeared or went`);
  });
  failures.push(...evidence.money.problems.map((problem) => `money: ${problem}`));
  if (answers.late > 0) {
    const why = Object.entries(answers.lateWhy).map(([reason, n]) => `${n} ${reason}`);
    failures.push(`${answers.late} confirm calls got no answer in time (${why.join(', ')})`);
  }
  if (answers.disagreeing > 0) {
    failures.push(`${answers.disagreeing} repeated payments heard different answers`);
  }
  return failures;
}
