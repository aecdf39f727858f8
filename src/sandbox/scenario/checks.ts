/** Holds what came of a scenario against what was expected. */

import type { BookEntry, WebhookRecord } from '../book-types.ts';
import type { PayOutcome } from '../types.ts';
import type { EventSeen, OrderSeen } from './organizer.ts';
import type { AttemptExpected, Expectation, OrderExpected } from './schema.ts';
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
  if (said.event !== undefined) {
    const { seats } = await facts.event();
    for (const key of ['available', 'held', 'sold'] as const) {
      push(checks, `event: seats ${key}`, said.event[key], seats[key]);
    }
  }
  return checks;
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
  return checks;
}

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

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
}
