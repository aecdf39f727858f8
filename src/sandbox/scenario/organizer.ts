/** What an organizer's server does at a Seatline: makes an event, registers orders, looks at them. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderSaid, SeatlineSaid } from './schema.ts';

export interface OrderView {
  merchantUid: string;
  amount: number;
  currency: string;
  confirmUrl: string;
  webhookUrl: string;
}

export interface OrderSeen {
  status: string;
  seats: { label: string }[];
  /** Oldest first. */
  payments: { refunds: { id: number; state: string }[] }[];
  cases: { kind: string; closedAt: string | null }[];
}

export interface Audit {
  clean: boolean;
  /** The laws that do not hold, and how often. */
  violated: [string, number][];
}

export interface EventSeen {
  seats: { available: number; held: number; sold: number };
}

/** Of a call that may be refused: the refusal is an answer too. */
export interface Answered {
  status: number;
  body: unknown;
  latencyMs: number;
}

/** Something that the reader can mend: Seatline is away, the key is wrong, the event is full. */
export class Trouble extends Error {}

const TIMEOUT_MS = 10_000;
/** The bank behind it may take a minute. */
const CHARGE_TIMEOUT_MS = 90_000;
const RECONCILE_TIMEOUT_MS = 60_000;
/** One reconciliation runs at a time; the service's own takes moments. */
const TURN_PAUSE_MS = 250;
const TURNS = 40;
const CONFLICT = 409;
/** More than a scenario has. */
const PAGE = 200;
const WORDS_MAX = 300;

type Body = Record<string, unknown>;

export class Organizer {
  readonly #said: SeatlineSaid;
  readonly #apiKey: string;
  readonly #run: string;

  /** @param run unique to this run: it is part of every name that is made */
  constructor(said: SeatlineSaid, apiKey: string, run: string) {
    this.#said = said;
    this.#apiKey = apiKey;
    this.#run = run;
  }

  get slug(): string {
    return this.#said.event ?? `scenario-${this.#run}`;
  }

  /** Only when the scenario does not name one that is there. */
  async makeEvent(): Promise<void> {
    const { event, newEvent } = this.#said;
    if (event !== undefined) return;
    const { ticketType, price, seats, ...rules } = newEvent;
    await this.#call('POST', '/api/events', {
      slug: this.slug,
      name: `Scenario ${this.#run}`,
      opensAt: '2020-01-01T00:00:00Z',
      ...rules,
      ticketTypes: [{ code: ticketType, name: ticketType, price }],
    });
    await this.#call('POST', `/api/events/${this.slug}/seats`, { ticketType, count: seats });
  }

  async register(name: string, merchantUid: string, said: OrderSaid): Promise<OrderView> {
    const { ticketType, quantity, seats, together, buyer } = said;
    const item = {
      ticketType: ticketType ?? this.#said.newEvent.ticketType,
      quantity: quantity ?? seats?.length ?? 1,
      ...(seats === undefined ? {} : { seats }),
      ...(together === undefined ? {} : { together }),
    };
    return (await this.#call('POST', '/api/orders', {
      merchantUid,
      event: this.slug,
      buyer: { id: buyer ?? `${name}-${this.#run}` },
      items: [item],
    })) as OrderView;
  }

  async order(merchantUid: string): Promise<OrderSeen> {
    return (await this.#call('GET', `/api/orders/${encodeURIComponent(merchantUid)}`)) as OrderSeen;
  }

  async event(): Promise<EventSeen> {
    return (await this.#call('GET', `/api/events/${encodeURIComponent(this.slug)}`)) as EventSeen;
  }

  async refunds(): Promise<string[]> {
    const { refunds } = (await this.#ofEvent(`refunds?limit=${PAGE}`)) as {
      refunds: { state: string }[];
    };
    // They come with the newest first.
    return refunds.map(({ state }) => state).reverse();
  }

  async cases(): Promise<string[]> {
    const { cases } = (await this.#ofEvent(`cases?open=true&limit=${PAGE}`)) as {
      cases: { kind: string }[];
    };
    return cases.map(({ kind }) => kind).filter((kind) => kind !== 'refund');
  }

  async audit(): Promise<Audit> {
    const found = (await this.#ofEvent('audit')) as Record<string, unknown>;
    const violated = Object.entries(found).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number' && entry[1] > 0,
    );
    return { clean: found.clean === true, violated };
  }

  /** Brings the token of a manual confirm. */
  charge(merchantUid: string, body: Body): Promise<Answered> {
    const path = `/api/payments/${encodeURIComponent(merchantUid)}/confirm`;
    return this.#try(path, body, CHARGE_TIMEOUT_MS);
  }

  refund(merchantUid: string, body: Body): Promise<Answered> {
    return this.#try(`/api/orders/${encodeURIComponent(merchantUid)}/refunds`, body, TIMEOUT_MS);
  }

  release(body: Body): Promise<Answered> {
    return this.#try(`/api/events/${encodeURIComponent(this.slug)}/release`, body, TIMEOUT_MS);
  }

  /** Waits for its turn. */
  async reconcile(body: Body): Promise<Answered> {
    const path = `/api/events/${encodeURIComponent(this.slug)}/reconcile`;
    let answer = await this.#try(path, body, RECONCILE_TIMEOUT_MS);
    for (let turn = 0; turn < TURNS && answer.status === CONFLICT; turn += 1) {
      await sleep(TURN_PAUSE_MS);
      answer = await this.#try(path, body, RECONCILE_TIMEOUT_MS);
    }
    return answer;
  }

  #ofEvent(path: string): Promise<unknown> {
    return this.#call('GET', `/api/events/${encodeURIComponent(this.slug)}/${path}`);
  }

  /** Any answer is an answer. */
  async #try(path: string, body: Body, timeoutMs: number): Promise<Answered> {
    const startedAtMs = performance.now();
    const { url, status, words } = await this.#ask('POST', path, body, timeoutMs);
    return { status, body: parsed(words, url), latencyMs: performance.now() - startedAtMs };
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const { url, status, words } = await this.#ask(method, path, body, TIMEOUT_MS);
    if (status < 200 || status > 299) {
      throw new Trouble(`${method} ${url} was answered ${status}: ${detailOf(words)}`);
    }
    return parsed(words, url);
  }

  async #ask(
    method: string,
    path: string,
    body: unknown,
    timeoutMs: number,
  ): Promise<{ url: string; status: number; words: string }> {
    const url = `${this.#said.url.replace(/\/$/, '')}${path}`;
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${this.#apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: unknown) => {
      throw new Trouble(`Seatline does not answer at ${url} (${causeOf(error)}): is it running?`);
    });
    const words = await response.text();
    if (response.status === 401) {
      throw new Trouble(`Seatline refuses the key in ${this.#said.apiKeyFromEnv} (401)`);
    }
    return { url, status: response.status, words };
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? causeOf(error.cause) : error.message;
}

function detailOf(words: string): string {
  try {
    const value: unknown = JSON.parse(words);
    const detail: unknown =
      typeof value === 'object' && value !== null ? Reflect.get(value, 'detail') : undefined;
    if (typeof detail === 'string') return detail.slice(0, WORDS_MAX);
  } catch {
    // Not JSON: shown as it is.
  }
  return words.slice(0, WORDS_MAX);
}

function parsed(words: string, url: string): unknown {
  try {
    return JSON.parse(words);
  } catch {
    throw new Trouble(`what answers at ${url} is no Seatline: its answer is not JSON`);
  }
}
