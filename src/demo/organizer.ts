// What the organizer's own server does, over the same HTTP API: events, seats, orders, the audit.

import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Audit } from '../audit/audit.ts';
import type { SeatCounts } from '../events/events.ts';
import { type NewOrder, ORDERS_PER_CALL_MAX } from '../orders/schema.ts';
import { type Buyer, HOLD_SECONDS } from './buyers.ts';
import { type EventPlan, seatsOf } from './events.ts';

const CALL_LIMIT_MS = 15_000;
const LOOKS_AT_ONCE = 24;
const BUSY_TRIES = 8;
const BUSY_PAUSE_MS = 500;

export interface Order {
  merchantUid: string;
  amount: number;
  confirmUrl: string;
  quantity: number;
}

export interface OrderSeen {
  merchantUid: string;
  status: string;
  amount: number;
  seats: { label: string }[];
  payments: { paymentId: string; refund: { state: string; reason: string } | null }[];
}

export class Organizer {
  constructor(
    private readonly url: string,
    private readonly apiKey: string,
  ) {}

  async createEvent(event: EventPlan, opensAt: Date): Promise<void> {
    const { slug, name, ticketType, price } = event;
    await this.call('POST', '/api/events', {
      slug,
      name,
      opensAt: opensAt.toISOString(),
      holdSeconds: HOLD_SECONDS,
      language: 'en',
      ticketTypes: [{ code: ticketType, name: ticketType, price }],
    });
    await this.call('POST', `/api/events/${slug}/seats`, seatsOf(event));
  }

  /** @returns for each buyer an order for each of the buyer's wishes */
  async createOrders(events: EventPlan[], buyers: Buyer[]): Promise<Order[][]> {
    const wanted = buyers.flatMap((buyer) => ordersOf(events, buyer));
    const made: Order[] = [];
    for (let from = 0; from < wanted.length; from += ORDERS_PER_CALL_MAX) {
      const some = wanted.slice(from, from + ORDERS_PER_CALL_MAX);
      const views = (await this.call('POST', '/api/orders', some)) as Omit<Order, 'quantity'>[];
      views.forEach((view, index) => {
        made.push({ ...view, quantity: some[index]?.items[0]?.quantity ?? 0 });
      });
    }
    let next = 0;
    return buyers.map((buyer) => {
      const own = made.slice(next, next + buyer.wishes.length);
      next += buyer.wishes.length;
      return own;
    });
  }

  async seats(slug: string): Promise<SeatCounts> {
    return ((await this.call('GET', `/api/events/${slug}`)) as { seats: SeatCounts }).seats;
  }

  audit(slug: string): Promise<Audit> {
    return this.call('GET', `/api/events/${slug}/audit`) as Promise<Audit>;
  }

  orders(merchantUids: string[]): Promise<OrderSeen[]> {
    const turn = pLimit(LOOKS_AT_ONCE);
    const look = (uid: string) => this.call('GET', `/api/orders/${uid}`) as Promise<OrderSeen>;
    return Promise.all(merchantUids.map((uid) => turn(() => look(uid))));
  }

  private async call(method: string, path: string, body?: unknown): Promise<unknown> {
    for (let tried = 1; ; tried += 1) {
      const { status, text } = await this.send(method, path, body);
      if (status < 300) return JSON.parse(text);
      if (status !== 503 || tried === BUSY_TRIES) {
        throw new Error(`${method} ${path} was answered ${status}: ${text.slice(0, 300)}`);
      }
      // Busy: as the answer says, try again shortly.
      await sleep(BUSY_PAUSE_MS);
    }
  }

  private async send(method: string, path: string, body: unknown) {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(CALL_LIMIT_MS),
    });
    return { status: response.status, text: await response.text() };
  }
}

function ordersOf(events: EventPlan[], buyer: Buyer): NewOrder[] {
  const event = events[buyer.event];
  if (!event) throw new RangeError(`there is no event ${buyer.event}`);
  return buyer.wishes.map((wish, index) => ({
    merchantUid: `${event.slug}-${buyer.index}${index === 0 ? '' : `-${index + 1}`}`,
    event: event.slug,
    buyer: { id: `buyer-${buyer.index}` },
    items: [{ ticketType: event.ticketType, ...wish }],
  }));
}
