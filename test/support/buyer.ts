// What a buyer and the gateway do in a test, and the moments that follow from it.

import type { BookEntry, PayOutcome, PayRequest } from '../../src/sandbox/types.ts';
import { until } from './wait.ts';
import type { HttpResult, OrderView, World } from './world.ts';

/** A payment through the sandbox gateway, V1 unless told. */
export function pay(
  world: World,
  order: OrderView,
  how: Partial<PayRequest> = {},
): Promise<PayOutcome> {
  const { merchantUid, amount } = order;
  return world.sandbox.pay({ merchantUid, amount, confirmUrl: order.confirmUrl, ...how });
}

/** Any request to the gateway's side: no key, and the body as it is. */
export async function post(
  url: string,
  body: string | undefined,
  contentType = 'application/json',
  headers: Record<string, string> = {},
): Promise<HttpResult> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': contentType, ...headers },
    body: body ?? null,
    redirect: 'manual',
  });
  const text = await response.text();
  const json = (response.headers.get('content-type') ?? '').includes('json');
  return {
    status: response.status,
    body: json ? JSON.parse(text) : text,
    headers: response.headers,
  };
}

export interface OrderSeen {
  status: string;
  seats: { label: string; ticketType: string; section?: string; row?: string; number?: string }[];
  holdExpiresAt: string | null;
  payments: {
    paymentId: string;
    verdict: string | null;
    status: string | null;
    amount: number | null;
    cancelledAmount: number | null;
    flag: string | null;
    refund: { state: string; amount: number; reason: string } | null;
  }[];
}

export async function seen(world: World, order: OrderView): Promise<OrderSeen> {
  return (await world.call('GET', `/api/orders/${order.merchantUid}`)).body;
}

export function labels(order: { seats: { label: string }[] }): string[] {
  return order.seats.map((seat) => seat.label);
}

/** Waits until the order has that status. */
export function becomes(world: World, order: OrderView, status: string): Promise<OrderSeen> {
  return until(`order ${order.merchantUid} is ${status}`, async () => {
    const view = await seen(world, order);
    return view.status === status && view;
  });
}

/** Waits until the refund of the order's one payment is done. */
export function refunded(world: World, order: OrderView): Promise<OrderSeen> {
  return until(`the payment of ${order.merchantUid} is refunded`, async () => {
    const view = await seen(world, order);
    return view.payments.some((payment) => payment.refund?.state === 'done') && view;
  });
}

/** Waits until no webhook about the order is left to be worked. */
export function inboxEmpty(world: World, order: OrderView): Promise<boolean> {
  return until(`the webhooks of ${order.merchantUid} are worked`, async () => {
    const [row] = await world.sql<{ n: number }>(
      "SELECT count(*)::int AS n FROM webhooks WHERE state = 'pending' AND merchant_uid = $1",
      order.merchantUid,
    );
    return row?.n === 0;
  });
}

/** What the gateway has on its books for the order, oldest attempt first. */
export function books(world: World, order: OrderView): BookEntry[] {
  return world.sandbox.books().payments.filter((p) => p.merchantUid === order.merchantUid);
}

export interface Move {
  label: string;
  from: string;
  to: string;
  actor: string;
  reason: string;
}

/** Everything that ever happened to the seats of an event, in order. */
export function moves(world: World, event: string): Promise<Move[]> {
  return world.sql<Move>(
    `SELECT s.label, m.from_state AS "from", m.to_state AS "to", m.actor, m.reason
       FROM moves m JOIN seats s ON s.id = m.seat_id JOIN events e ON e.id = m.event_id
      WHERE e.slug = $1 ORDER BY m.id`,
    event,
  );
}
