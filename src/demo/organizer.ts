// What the organizer's own server does, over the same HTTP API: events, orders, refunds, the audit.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Audit } from '../audit/audit.ts';
import type { CasePage, CaseView } from '../audit/list-cases.ts';
import type { SeatCounts } from '../events/events.ts';
import { type NewOrder, ORDERS_PER_CALL_MAX } from '../orders/schema.ts';
import type { Report } from '../reconciliation/report.ts';
import type { RefundWishes } from '../refunds/plan-refund.ts';
import { type Buyer, HOLD_SECONDS } from './buyers.ts';
import { type EventPlan, seatsOf } from './events.ts';

const CALL_LIMIT_MS = 15_000;
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
  payments: PaymentSeen[];
}

export interface OrderView extends OrderSeen {
  cases: { kind: string; closedAt: string | null }[];
}

export interface Answer {
  status: number;
  body: unknown;
}

export interface PaymentSeen {
  paymentId: string;
  flag: string | null;
  /** Oldest first. */
  refunds: { state: string; reason: string; requestedBy: string }[];
}

/** One page of this size and the next; a demo has a handful of cases. */
const CASES_PER_PAGE = 500;
/** Another reconciliation has the turn: the scheduled one, which takes a second or two. */
const TURN_TRIES = 60;

export class Organizer {
  constructor(
    private readonly url: string,
    private readonly apiKey: string,
  ) {}

  async createEvent(event: EventPlan, opensAt: Date): Promise<void> {
    const { slug, name, ticketType, price, virtualAccounts, bypassedPayments } = event;
    await this.call('POST', '/api/events', {
      slug,
      name,
      opensAt: opensAt.toISOString(),
      holdSeconds: HOLD_SECONDS,
      language: 'en',
      virtualAccounts: { policy: virtualAccounts },
      bypassedPayments,
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

  order(merchantUid: string): Promise<OrderView> {
    return this.call('GET', `/api/orders/${merchantUid}`) as Promise<OrderView>;
  }

  /** Manual confirm. Any answer is an answer; null: none came. */
  async charge(merchantUid: string, body: object): Promise<Answer | null> {
    const path = `/api/payments/${merchantUid}/confirm`;
    return this.send('POST', path, body).then(
      ({ status, text }) => ({ status, body: JSON.parse(text) as unknown }),
      () => null,
    );
  }

  /** @returns false where there is nothing left to give back */
  refund(merchantUid: string, wish: RefundWishes): Promise<boolean> {
    return this.wish(`/api/orders/${merchantUid}/refunds`, wish);
  }

  /** @returns false where the refund is over */
  giveAccount(refundId: number, account: object): Promise<boolean> {
    return this.wish(`/api/refunds/${refundId}/account`, account);
  }

  /** Which gateway a refund goes through. */
  async gatewayOf(refundId: number): Promise<'v1' | 'v2'> {
    const refund = await this.call('GET', `/api/refunds/${refundId}`);
    return (refund as { gateway: 'v1' | 'v2' }).gateway;
  }

  async cases(slug: string, open: boolean): Promise<CaseView[]> {
    const all: CaseView[] = [];
    let after: string | null = null;
    do {
      const from: string = after === null ? '' : `&after=${after}`;
      const path = `/api/events/${slug}/cases?open=${open}&limit=${CASES_PER_PAGE}${from}`;
      const page = (await this.call('GET', path)) as CasePage;
      all.push(...page.cases);
      after = page.next;
    } while (after !== null);
    return all;
  }

  /** @returns false where it is closed already, or is about something else by now */
  closeCase(id: number, close: object): Promise<boolean> {
    return this.wish(`/api/cases/${id}/close`, close);
  }

  async reconcile(slug: string): Promise<Report> {
    const path = `/api/events/${slug}/reconcile`;
    for (let tried = 1; ; tried += 1) {
      const { status, text } = await this.send('POST', path, {});
      if (status === 200) return JSON.parse(text) as Report;
      if ((status !== 409 && status !== 503) || tried === TURN_TRIES)
        throw refused(path, status, text);
      await sleep(BUSY_PAUSE_MS);
    }
  }

  /** A conflict is an answer: somebody or something was quicker. */
  private async wish(path: string, body: object): Promise<boolean> {
    for (let tried = 1; ; tried += 1) {
      const { status, text } = await this.send('POST', path, body);
      if (status < 300) return true;
      if (status === 409) return false;
      if (status !== 503 || tried === BUSY_TRIES) throw refused(path, status, text);
      await sleep(BUSY_PAUSE_MS);
    }
  }

  private async call(method: string, path: string, body?: unknown): Promise<unknown> {
    for (let tried = 1; ; tried += 1) {
      const { status, text } = await this.send(method, path, body);
      if (status < 300) return JSON.parse(text);
      if (status !== 503 || tried === BUSY_TRIES) {
        throw refused(`${method} ${path}`, status, text);
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

function refused(what: string, status: number, text: string): Error {
  return new Error(`${what} was answered ${status}: ${text.slice(0, 300)}`);
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
