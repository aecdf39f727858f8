// All V1 payments of a window of time.

import { z } from 'zod';
import { GatewayUnreachable, type PaymentSnapshot } from './payment.ts';
import { contentOf, isNotFound, openEnvelope, readPayment } from './v1-payment.ts';
import type { V1Connection } from './v1-token.ts';
import { checkWindow, WINDOW_MAX_MS, type Window } from './window.ts';

/** The most that V1 gives. */
const PAGE_SIZE = 1_000;
const PAGE_MAX_BYTES = 67_108_864;
const PAGES_MAX = 1_000;
/** A list that never rests is read so often; what it still hides is read by its id, or next time. */
const PASSES_MAX = 3;
/** In place of the total: a page that the one before it promised is not there. */
const GONE = -1;

const pageBody = z.object({
  list: z.array(z.unknown()).nullish(),
  total: z.number().nullish(),
  next: z.number().nullish(),
});

/**
 * The window is about when a payment came to the status it has: begun, paid, failed or cancelled. One
 * that changes while the pages are read leaves the window, and those after it move up by one, the
 * first of a page to the page before. So few and large pages, and all of them again where their
 * total has changed.
 */
export async function* listV1(
  v1: V1Connection,
  window: Window,
  onUnreadable: () => void,
): AsyncGenerator<PaymentSnapshot[]> {
  checkWindow(window);
  const given = new Set<string>();
  let totals = new Set<number>();
  for (let pass = 1; pass <= PASSES_MAX; pass += 1) {
    totals = new Set();
    for await (const { list, total } of pagesOf(v1, window)) {
      totals.add(total);
      const fresh = list.filter((value) => !given.has(nameOf(value)));
      for (const value of fresh) given.add(nameOf(value));
      const payments = readable(fresh, onUnreadable);
      if (payments.length > 0) yield payments;
    }
    if (totals.size <= 1) return;
  }
  // Whoever took this for the whole list would never look at what the page hides.
  if (totals.has(GONE)) throw new GatewayUnreachable('PortOne does not give a page it promised');
}

interface Page {
  list: unknown[];
  /** 0 where it is not told. */
  total: number;
}

async function* pagesOf(v1: V1Connection, window: Window): AsyncGenerator<Page> {
  const seen = { first: '', last: '' };
  let promised = false;
  for (let page = 1; page <= PAGES_MAX; page += 1) {
    const found = await readPage(v1, window, page);
    // The page before promised this one: so many are there no more.
    if (!found && promised) yield { list: [], total: GONE };
    if (!found) return;
    const { total, next } = found;
    const list = found.list ?? [];
    const content = list.map(nameOf).join();
    // Past the end, or deaf to the number of the page: the same content again.
    if (list.length === 0 || content === seen.last || content === seen.first) return;
    yield { list, total: total ?? 0 };
    seen.last = content;
    if (page === 1) seen.first = content;
    promised = typeof next === 'number' && next > page;
    // 0 on the last page. Where it is not told, a full page may be followed by another.
    if (!promised && (typeof next === 'number' || list.length < PAGE_SIZE)) return;
  }
  throw new RangeError(`more than ${PAGES_MAX} pages in one window`);
}

/** @returns null where there is no such page */
async function readPage(
  v1: V1Connection,
  window: Window,
  page: number,
): Promise<z.infer<typeof pageBody> | null> {
  const from = Math.floor(window.from.getTime() / 1_000);
  const to = Math.min(Math.ceil(window.to.getTime() / 1_000), from + WINDOW_MAX_MS / 1_000);
  // The oldest first: what begins meanwhile goes to the end and moves nothing.
  const query = `page=${page}&limit=${PAGE_SIZE}&from=${from}&to=${to}&sorting=started`;
  const path = `/payments/status/all?${query}`;
  const answerMaxBytes = PAGE_MAX_BYTES;
  const answer = await v1.send({ operation: 'list', path, answerMaxBytes, retriesMax: 2 });
  // A page beyond the data is refused as a bad parameter.
  const isBeyond = page > 1 && answer.status === 400 && openEnvelope(answer).refused;
  if (isBeyond || isNotFound(answer)) return null;
  const parsed = pageBody.safeParse(contentOf(answer));
  if (!parsed.success) throw new GatewayUnreachable('PortOne sent a page in an unknown shape');
  return parsed.data;
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
