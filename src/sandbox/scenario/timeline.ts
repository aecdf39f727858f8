/** What happened, in order: the scenario's own steps, and what the gateway's books tell since last time. */

import type { BookEntry, WebhookRecord } from '../book-types.ts';
import type { ConfirmAnswer, Sandbox } from '../types.ts';

export type Kind =
  | 'order'
  | 'pay'
  | 'confirm'
  | 'payment'
  | 'webhook'
  | 'step'
  | 'wait'
  | 'check'
  | 'trouble';

export interface TimelineEntry {
  /** Since the scenario began. */
  atMs: number;
  kind: Kind;
  /** The attempt or order that it is about. */
  who: string | null;
  what: string;
  /** Of a check: whether it held. */
  held?: boolean;
}

interface Told {
  confirms: number;
  history: number;
  /** Attempts told of each webhook; -1 for one whose fate needs no attempt and was told. */
  webhooks: Map<WebhookRecord['id'] | number, number>;
}

export class Timeline {
  readonly entries: TimelineEntry[] = [];
  readonly #sandbox: Sandbox;
  readonly #startMs = Date.now();
  readonly #onEntry: (entry: TimelineEntry) => void;
  /** Attempts by the id of their payment. */
  readonly #names = new Map<string, string>();
  readonly #told = new Map<string, Told>();

  constructor(sandbox: Sandbox, onEntry: (entry: TimelineEntry) => void) {
    this.#sandbox = sandbox;
    this.#onEntry = onEntry;
  }

  say(kind: Kind, who: string | null, what: string, held?: boolean): void {
    this.harvest();
    this.#add({ atMs: Date.now() - this.#startMs, kind, who, what }, held);
  }

  /** From now on the payment is told about under that name. */
  follow(paymentId: string, name: string): void {
    if (!this.#names.has(paymentId)) this.#names.set(paymentId, name);
  }

  /** Tells what the books have that was not told yet. */
  harvest(): void {
    if (this.#names.size === 0) return;
    const news = this.#sandbox
      .books()
      .payments.flatMap((entry) => (this.#names.has(entry.paymentId) ? this.#newsOf(entry) : []));
    const lastMs = this.entries.at(-1)?.atMs ?? 0;
    for (const entry of news.sort((a, b) => a.atMs - b.atMs)) {
      // An answer is known later than what was told meanwhile.
      this.#add({ ...entry, atMs: Math.max(entry.atMs, lastMs) });
    }
  }

  #add(entry: TimelineEntry, held?: boolean): void {
    const whole = held === undefined ? entry : { ...entry, held };
    this.entries.push(whole);
    this.#onEntry(whole);
  }

  #newsOf(entry: BookEntry): TimelineEntry[] {
    const who = this.#names.get(entry.paymentId) ?? null;
    const told = this.#told.get(entry.paymentId) ?? {
      confirms: 0,
      history: 0,
      webhooks: new Map<number, number>(),
    };
    this.#told.set(entry.paymentId, told);
    const now = Date.now();
    const news: TimelineEntry[] = [];
    const add = (atMs: number, kind: Kind, what: string) =>
      news.push({ atMs: Math.max(0, atMs - this.#startMs), kind, who, what });

    const fresh = entry.history.slice(told.history);
    // The books do not say when a confirm was answered: no later than what followed from it.
    const decidedMs = fresh.find((_, index) => told.history + index > 0)?.atMs ?? now;
    const opening = told.history === 0 ? fresh.slice(0, 1) : [];
    for (const turn of opening) add(turn.atMs, 'payment', wordsOfTurn(entry, turn.state, turn.why));
    for (const answer of entry.confirms.slice(told.confirms)) {
      add(decidedMs, 'confirm', wordsOfAnswer(answer));
    }
    for (const turn of fresh.slice(opening.length)) {
      add(turn.atMs, 'payment', wordsOfTurn(entry, turn.state, turn.why));
    }
    for (const [index, webhook] of entry.webhooks.entries()) {
      this.#newsOfWebhook(webhook, index, told, now, add);
    }
    told.history = entry.history.length;
    told.confirms = entry.confirms.length;
    return news;
  }

  #newsOfWebhook(
    webhook: WebhookRecord,
    index: number,
    told: Told,
    now: number,
    add: (atMs: number, kind: Kind, what: string) => void,
  ): void {
    const before = told.webhooks.get(index) ?? 0;
    if (before < 0) return;
    const answered = webhook.attempts.filter(
      ({ status, error }) => status !== null || error !== null,
    );
    for (const attempt of answered.slice(before)) {
      add(attempt.atMs, 'webhook', `${webhook.says} -> ${attempt.status ?? attempt.error}`);
    }
    told.webhooks.set(index, answered.length);
    if (webhook.fate !== 'lost' && webhook.fate !== 'silenced') return;
    add(now, 'webhook', `${webhook.says} is ${webhook.fate}: nobody is told`);
    told.webhooks.set(index, -1);
  }
}

function wordsOfTurn(entry: BookEntry, state: string, why: string): string {
  const test = entry.test ? ', test channel' : '';
  if (why !== 'window opened') return `${state}: ${why}`;
  return `window opened for ${money(entry.amount, entry.currency)} (${entry.method}, ${entry.paymentId}${test})`;
}

export function wordsOfAnswer(answer: ConfirmAnswer): string {
  const ms = `${Math.round(answer.latencyMs)} ms`;
  if (answer.timedOut) return `no answer in time (${ms}): that is a refusal`;
  if (answer.aborted) return `the gateway hung up after ${ms}`;
  if (answer.status === null) return `no answer: ${answer.error ?? 'the connection broke'}`;
  const code = codeOf(answer.body);
  return `may I charge? -> ${answer.status}${code === null ? '' : ` ${code}`} (${ms})`;
}

export function wordsOfCharge({ status, body, latencyMs }: ConfirmAnswer): string {
  const code = codeOf(body);
  return `the shop brings the token -> ${status}${code === null ? '' : ` ${code}`} (${Math.round(latencyMs)} ms)`;
}

export function codeOf(body: unknown): string | null {
  if (typeof body !== 'object' || body === null) return null;
  const code: unknown = Reflect.get(body, 'code');
  return typeof code === 'string' ? code : null;
}

export function money(amount: number, currency: string): string {
  return `${amount.toLocaleString('en-US')} ${currency}`;
}
