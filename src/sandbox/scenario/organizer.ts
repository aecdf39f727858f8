/** What an organizer's server does at a Seatline: makes an event, registers orders, looks at them. */

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
  seats: unknown[];
}

export interface EventSeen {
  seats: { available: number; held: number; sold: number };
}

export interface Charge {
  status: number;
  body: unknown;
  latencyMs: number;
}

/** Something that the reader can mend: Seatline is away, the key is wrong, the event is full. */
export class Trouble extends Error {}

const TIMEOUT_MS = 10_000;
/** The bank behind it may take a minute. */
const CHARGE_TIMEOUT_MS = 90_000;
const WORDS_MAX = 300;

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

  /** Brings the token of a manual confirm; any answer is an answer. */
  async charge(merchantUid: string, body: Record<string, unknown>): Promise<Charge> {
    const path = `/api/payments/${encodeURIComponent(merchantUid)}/confirm`;
    const startedAtMs = performance.now();
    const { url, status, words } = await this.#ask('POST', path, body, CHARGE_TIMEOUT_MS);
    const latencyMs = performance.now() - startedAtMs;
    return { status, body: parsed(words, url), latencyMs };
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
