// V1 payments in numbers: those with given ids, and all of a window of time.

import { z } from 'zod';
import { segment } from './http.ts';
import {
  GatewayUnreachable,
  type ManyRead,
  type PaymentRef,
  type PaymentSnapshot,
  UnusableAnswer,
} from './payment.ts';
import { contentOf, isNotFound, partOf, readPayment, tellingOf } from './v1-payment.ts';
import type { V1Connection } from './v1-token.ts';
import { checkWindow, WINDOW_MAX_MS, type Window } from './window.ts';

const IDS_MAX = 100;
/** Ids have 20 characters or so; a stranger's may have 100. Servers cut at 8 kB. */
const QUERY_MAX = 6_000;
const PAGE_SIZE = 100;
const PAGES_MAX = 10_000;

/**
 * Ids that PortOne makes are letters, digits and little else, and fit in a path as they are. Whoever
 * invents another is told from here that there is no such payment; it is not sent.
 */
const V1_ID = /^[\w.~-]{1,100}$/;

export const isV1Id = (id: string): boolean => V1_ID.test(id);

const pageBody = z.object({ list: z.array(z.unknown()).nullish(), next: z.number().nullish() });

export async function readManyV1(v1: V1Connection, refs: PaymentRef[]): Promise<ManyRead> {
  const ids = [...new Set(refs.map(({ paymentId }) => paymentId))].filter(isV1Id);
  if (ids.length > IDS_MAX) throw new RangeError(`at most ${IDS_MAX} payments at a time`);
  const known: PaymentSnapshot[] = [];
  const unread = new Set<string>();
  for (const batch of batchesOf(ids)) await readBatch(v1, batch, { known, unread });
  return { known, unread: refs.filter(({ paymentId }) => unread.has(paymentId)) };
}

function batchesOf(ids: string[]): string[][] {
  const batches: string[][] = [];
  let length = 0;
  for (const id of ids) {
    const more = `&${partFor(id)}`.length;
    const last = batches.at(-1);
    if (last === undefined || length + more > QUERY_MAX) {
      batches.push([id]);
      length = more;
    } else {
      last.push(id);
      length += more;
    }
  }
  return batches;
}

const partFor = (id: string) => `imp_uid[]=${encodeURIComponent(id)}`;

/**
 * A buyer can invent an id at their own confirmUrl, and one that PortOne refuses, or a payment that
 * cannot be read, spoils the answer about all that were asked for with it: then by halves.
 */
async function readBatch(
  v1: V1Connection,
  ids: string[],
  into: { known: PaymentSnapshot[]; unread: Set<string> },
): Promise<void> {
  try {
    into.known.push(...(await readTogether(v1, ids)));
  } catch (error) {
    if (!(error instanceof UnusableAnswer)) throw error;
    if (ids.length === 1) {
      for (const id of ids) into.unread.add(id);
      return;
    }
    const middle = Math.ceil(ids.length / 2);
    await readBatch(v1, ids.slice(0, middle), into);
    await readBatch(v1, ids.slice(middle), into);
  }
}

async function readTogether(v1: V1Connection, ids: string[]): Promise<PaymentSnapshot[]> {
  const path = `/payments?${ids.map(partFor).join('&')}`;
  // 200 where all were found, 207 where some are missing, 404 where all are.
  const answer = await v1.send({ operation: 'read_many', path, retriesMax: 2 });
  if (isNotFound(answer)) return [];
  return allOf(answer.status === 207 ? partOf(answer) : tellingOf(answer));
}

/** Also those of test channels, which this call does not hide. */
export async function readAttemptsV1(
  v1: V1Connection,
  merchantUid: string,
): Promise<PaymentSnapshot[]> {
  const query = `page=1&limit=${IDS_MAX}&sorting=-started`;
  const path = `/payments/findAll/${segment(merchantUid)}?${query}`;
  const answer = await v1.send({ operation: 'read_attempts', path, retriesMax: 2 });
  if (isNotFound(answer)) return [];
  const page = pageBody.safeParse(tellingOf(answer));
  return allOf(page.success ? (page.data.list ?? []) : null);
}

/** @throws where one cannot be read: to leave it out would say that there is no such payment */
function allOf(content: unknown): PaymentSnapshot[] {
  const listed = z.array(z.unknown()).safeParse(content);
  if (!listed.success) throw new UnusableAnswer('PortOne sent payments in an unknown shape');
  return listed.data.flatMap((value) => {
    if (value === null) return [];
    const payment = readPayment(value);
    if (!payment) throw new UnusableAnswer('PortOne sent a payment in an unknown shape');
    return [payment];
  });
}

/**
 * It is not documented whether the window means the start of a payment or its last change; whoever
 * looks for changes should therefore ask for a window long enough to hold the start as well.
 */
export async function* listV1(
  v1: V1Connection,
  window: Window,
  onUnreadable: () => void,
): AsyncGenerator<PaymentSnapshot[]> {
  checkWindow(window);
  const from = Math.floor(window.from.getTime() / 1_000);
  const to = Math.min(Math.ceil(window.to.getTime() / 1_000), from + WINDOW_MAX_MS / 1_000);
  const seen = { first: '', last: '' };
  for (let page = 1; page <= PAGES_MAX; page += 1) {
    // The oldest first: what begins meanwhile goes to the end and moves nothing.
    const query = `page=${page}&limit=${PAGE_SIZE}&from=${from}&to=${to}&sorting=started`;
    const path = `/payments/status/all?${query}`;
    const answer = await v1.send({ operation: 'list', path, retriesMax: 2 });
    if (isNotFound(answer)) return;
    const parsed = pageBody.safeParse(contentOf(answer));
    if (!parsed.success) throw new GatewayUnreachable('PortOne sent a page in an unknown shape');
    const list = parsed.data.list ?? [];
    const content = list.map(nameOf).join();
    // Past the end, or deaf to the number of the page: the same content again.
    if (list.length === 0 || content === seen.last || content === seen.first) return;
    const payments = readable(list, onUnreadable);
    if (payments.length > 0) yield payments;
    seen.last = content;
    if (page === 1) seen.first = content;
    // Where fewer are given a page than were asked for, it says that there is a next one.
    if (list.length < PAGE_SIZE && (parsed.data.next ?? 0) <= page) return;
  }
  throw new RangeError(`more than ${PAGES_MAX} pages in one window`);
}

function nameOf(value: unknown): string {
  const named = typeof value === 'object' && value !== null && 'imp_uid' in value;
  return named ? String(value.imp_uid) : JSON.stringify(value);
}

/** One payment that cannot be read must not hide all the others; it is read by its id as well. */
function readable(list: unknown[], onUnreadable: () => void): PaymentSnapshot[] {
  return list.flatMap((value) => {
    const payment = readPayment(value);
    if (!payment) onUnreadable();
    return payment ?? [];
  });
}
