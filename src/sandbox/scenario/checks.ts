/** Holds what came of a scenario against what was expected. */

import type { BookEntry, WebhookRecord } from '../book-types.ts';
import type { PayOutcome } from '../types.ts';
import type { AttemptExpected, Expectation, OrderExpected } from './expectation.ts';
import type { Audit, EventSeen, OrderSeen } from './organizer.ts';
import { codeOf } from './timeline.ts';

export interface Check {
  what: string;
  expected: string;
  found: string;
  held: boolean;
}

export interface AttemptFacts {
  name: string;
  outcome: PayOutcome;
  /** Null when the window did not open. */
  entry: BookEntry | null;
}

/** Where the facts are; each is looked up only when something is expected of it. */
export interface Facts {
  /** Without a name the attempt made last. */
  attempt(name?: string): AttemptFacts;
  order(name?: string): Promise<OrderSeen>;
  event(): Promise<EventSeen>;
  /** The states of all refunds of the event, and the kinds of its open cases; oldest first. */
  eventRefunds(): Promise<string[]>;
  eventCases(): Promise<string[]>;
  audit(): Promise<Audit>;
  /** By the gateway's books, all orders of the scenario together. */
  money(): Money;
}

export interface Money {
  paid: number;
  cancelled: number;
  kept: number;
}

export async function checksOf(said: Expectation, facts: Facts): Promise<Check[]> {
  const checks: Check[] = [];
  if (said.attempt !== undefined) checks.push(...ofAttempt(facts.attempt(), said.attempt));
  for (const [name, expected] of Object.entries(said.attempts ?? {})) {
    checks.push(...ofAttempt(facts.attempt(name), expected));
  }
  if (said.order !== undefined) checks.push(...ofOrder('order', await facts.order(), said.order));
  for (const [name, expected] of Object.entries(said.orders ?? {})) {
    checks.push(...ofOrder(name, await facts.order(name), expected));
  }
  if (said.event !== undefined) checks.push(...(await ofEvent(facts, said.event)));
  if (said.money !== undefined) checks.push(...ofMoney(facts.money(), said.money));
  if (said.audit !== undefined) {
    push(checks, 'event: audit', said.audit, wordsOfAudit(await facts.audit()));
  }
  return checks;
}

async function ofEvent(facts: Facts, said: NonNullable<Expectation['event']>): Promise<Check[]> {
  const checks: Check[] = [];
  const { seats } = await facts.event();
  for (const key of ['available', 'held', 'sold'] as const) {
    push(checks, `event: seats ${key}`, said[key], seats[key]);
  }
  if (said.refunds !== undefined) {
    pushList(checks, 'event: refunds', said.refunds, await facts.eventRefunds());
  }
  if (said.cases !== undefined) {
    pushList(checks, 'event: open cases', said.cases, await facts.eventCases());
  }
  return checks;
}

function ofMoney(money: Money, said: NonNullable<Expectation['money']>): Check[] {
  const checks: Check[] = [];
  for (const key of ['paid', 'cancelled', 'kept'] as const) {
    push(checks, `all orders: money ${key}`, said[key], money[key]);
  }
  return checks;
}

function wordsOfAudit({ clean, violated }: Audit): string {
  return clean ? 'clean' : violated.map(([law, count]) => `${law} ${count}`).join(', ');
}

function ofAttempt({ name, outcome, entry }: AttemptFacts, said: AttemptExpected): Check[] {
  const checks: Check[] = [];
  push(checks, `${name}: notOpened`, said.notOpened, outcome.notOpened);
  push(checks, `${name}: confirm`, said.confirm, confirmOf(outcome));
  push(checks, `${name}: verdict`, said.verdict, codeOf(outcome.confirm.body));
  push(checks, `${name}: state`, said.state, entry?.state ?? outcome.state);
  push(checks, `${name}: money kept`, said.kept, entry?.kept ?? 0);
  push(checks, `${name}: money cancelled`, said.cancelled, entry?.cancelledAmount ?? 0);
  push(checks, `${name}: webhooks`, said.webhooks, delivered(entry?.webhooks ?? []));
  return checks;
}

function ofOrder(name: string, seen: OrderSeen, said: OrderExpected): Check[] {
  const checks: Check[] = [];
  push(checks, `${name}: status`, said.status, seen.status);
  push(checks, `${name}: seats`, said.seats, seen.seats.length);
  pushList(checks, `${name}: refunds`, said.refunds, refundsOf(seen));
  pushList(checks, `${name}: open cases`, said.cases, openCasesOf(seen));
  return checks;
}

function refundsOf({ payments }: OrderSeen): string[] {
  const refunds = payments.flatMap((payment) => payment.refunds);
  return refunds.sort((a, b) => a.id - b.id).map(({ state }) => state);
}

const openCasesOf = ({ cases }: OrderSeen): string[] =>
  cases.filter(({ closedAt }) => closedAt === null).map(({ kind }) => kind);

function confirmOf({ confirm }: PayOutcome): number | string {
  if (!confirm.asked) return 'not_asked';
  if (confirm.timedOut) return 'timed_out';
  if (confirm.aborted) return 'hung_up';
  return confirm.status ?? 'no_answer';
}

function delivered(webhooks: WebhookRecord[]): string[] {
  return webhooks
    .filter(({ fate }) => fate === 'delivered')
    .map((webhook, index) => ({ says: webhook.says, atMs: webhook.attempts[0]?.atMs ?? 0, index }))
    .sort((a, b) => a.atMs - b.atMs || a.index - b.index)
    .map(({ says }) => says);
}

function push(checks: Check[], what: string, expected: unknown, found: unknown): void {
  if (expected === undefined) return;
  const [wanted, got] = [shown(expected), shown(found)];
  checks.push({ what, expected: wanted, found: got, held: wanted === got });
}

/** How many, or which; either way it is told which there are. */
export function pushList(
  checks: Check[],
  what: string,
  expected: number | string[] | undefined,
  found: string[],
): void {
  if (typeof expected !== 'number') {
    push(checks, what, expected, found);
    return;
  }
  const which = found.length === 0 ? '' : ` (${found.join(', ')})`;
  const held = found.length === expected;
  checks.push({ what, expected: String(expected), found: `${found.length}${which}`, held });
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
}
