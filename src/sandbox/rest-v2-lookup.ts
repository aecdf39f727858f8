/** V2's ways to look payments up: one, its attempts, a filtered page, and all of a window. */

import { z } from 'zod';
import type { Gateway } from './gateway.ts';
import type { Payment } from './ledger.ts';
import { type Fields, type RestContext, textOf } from './rest.ts';
import { answer, refuse } from './rest-v2-answers.ts';
import { v2Payment, v2Status, v2Transaction } from './rest-v2-shapes.ts';

const DAY_MS = 86_400_000;
const DEFAULT_WINDOW_MS = 90 * DAY_MS;
const MAX_SIZE = 1_000;
const DEFAULT_SIZE = 10;

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const size = z.number().int().min(1).max(MAX_SIZE).default(DEFAULT_SIZE);

/** Unknown fields are let through: the real one adds some without notice. */
const cursorQuery = z.object({
  from: time.nullish(),
  until: time.nullish(),
  cursor: z.string().nullish(),
  size: size.nullish(),
});

const pageQuery = z.object({
  page: z.object({ number: z.number().int().min(0).default(0), size }).nullish(),
  filter: z
    .object({
      timestampType: z.enum(['CREATED_AT', 'STATUS_CHANGED_AT']).default('CREATED_AT'),
      from: time.nullish(),
      until: time.nullish(),
      status: z.array(z.string()).nullish(),
      isTest: z.boolean().nullish(),
      currency: z.string().nullish(),
      sortBy: z.enum(['REQUESTED_AT', 'STATUS_CHANGED_AT']).default('REQUESTED_AT'),
      sortOrder: z.enum(['DESC', 'ASC']).default('DESC'),
    })
    .prefault({}),
});

/** The body of a GET, which may come URL-encoded as `?requestBody=` instead. */
function queryOf(ctx: RestContext): Fields | null {
  const text = textOf(ctx.query.requestBody);
  if (text === null) return ctx.state.fields;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

function windowOf(
  { from, until }: { from?: number | null | undefined; until?: number | null | undefined },
  nowMs: number,
): { fromMs: number; untilMs: number } | null {
  const untilMs = until ?? nowMs;
  const fromMs = from ?? untilMs - DEFAULT_WINDOW_MS;
  return fromMs > untilMs ? null : { fromMs, untilMs };
}

export function one(gateway: Gateway, ctx: RestContext, id: string) {
  const payment = gateway.ledger.current('v2', id);
  if (payment === null) return refuse(ctx, 404, 'PAYMENT_NOT_FOUND');
  return answer(ctx, v2Payment(payment));
}

export function transactions(gateway: Gateway, ctx: RestContext, id: string) {
  const attempts = gateway.ledger.attemptsOf('v2', id);
  if (attempts.length === 0) return refuse(ctx, 404, 'PAYMENT_NOT_FOUND');
  return answer(ctx, { items: attempts.map(v2Transaction) });
}

interface Order {
  /** Of its first attempt: a later one makes no new payment. */
  createdAtMs: number;
  payment: Payment;
}

/** The order begun first comes first. */
function* orders(gateway: Gateway): Generator<Order> {
  for (const attempts of gateway.ledger.orders('v2')) {
    const first = attempts[0];
    const payment = first && gateway.ledger.current('v2', first.merchantUid);
    if (payment) yield { createdAtMs: first.startedAtMs, payment };
  }
}

/** The oldest first, so that what begins meanwhile moves nothing. A cursor points past its payment. */
export function byCursor(gateway: Gateway, ctx: RestContext) {
  const query = cursorQuery.safeParse(queryOf(ctx));
  if (!query.success) return refuse(ctx, 400, 'INVALID_REQUEST', z.prettifyError(query.error));
  const window = windowOf(query.data, gateway.clock());
  if (window === null) return refuse(ctx, 400, 'INVALID_REQUEST', 'from is later than until');
  const after = query.data.cursor ? placeOf(query.data.cursor) : 0;
  if (after === null) return refuse(ctx, 400, 'INVALID_REQUEST', 'there is no such cursor');
  const { fromMs, untilMs } = window;
  const most = query.data.size ?? DEFAULT_SIZE;
  const items: { payment: unknown; cursor: string }[] = [];
  let place = 0;
  for (const { createdAtMs, payment } of orders(gateway)) {
    place += 1;
    if (place <= after || createdAtMs < fromMs || createdAtMs > untilMs) continue;
    items.push({ payment: v2Payment(payment), cursor: cursorAt(place) });
    if (items.length === most) break;
  }
  return answer(ctx, { items });
}

const cursorAt = (place: number): string => Buffer.from(`after:${place}`).toString('base64url');

function placeOf(cursor: string): number | null {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const place = /^after:(\d{1,15})$/.exec(text)?.[1];
  return place === undefined ? null : Number(place);
}

export function byPage(gateway: Gateway, ctx: RestContext) {
  const query = pageQuery.safeParse(queryOf(ctx));
  if (!query.success) return refuse(ctx, 400, 'INVALID_REQUEST', z.prettifyError(query.error));
  const { filter } = query.data;
  const window = windowOf(filter, gateway.clock());
  if (window === null) return refuse(ctx, 400, 'INVALID_REQUEST', 'from is later than until');
  const { number, size: most } = query.data.page ?? { number: 0, size: DEFAULT_SIZE };
  const changed = filter.timestampType === 'STATUS_CHANGED_AT';
  const { status, isTest, currency } = filter;
  const matching = [...orders(gateway)].filter(({ createdAtMs, payment }) => {
    const atMs = changed ? payment.statusChangedAtMs : createdAtMs;
    if (atMs < window.fromMs || atMs > window.untilMs) return false;
    if (status?.length && !status.includes(v2Status(payment))) return false;
    if (typeof isTest === 'boolean' && payment.test !== isTest) return false;
    return !currency || payment.currency === currency;
  });
  const key = ({ payment }: Order): number =>
    filter.sortBy === 'STATUS_CHANGED_AT' ? payment.statusChangedAtMs : payment.startedAtMs;
  matching.sort((a, b) => key(a) - key(b));
  if (filter.sortOrder === 'DESC') matching.reverse();
  const items = matching.slice(number * most, (number + 1) * most);
  return answer(ctx, {
    items: items.map(({ payment }) => v2Payment(payment)),
    page: { number, size: most, totalCount: matching.length },
  });
}
