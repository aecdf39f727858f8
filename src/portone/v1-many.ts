// V1 payments by their ids, and the attempts to pay one order.

import { z } from 'zod';
import { segment } from './http.ts';
import { type ManyRead, type PaymentRef, type PaymentSnapshot, UnusableAnswer } from './payment.ts';
import { isNotFound, partOf, readPayment, tellingOf } from './v1-payment.ts';
import type { V1Connection } from './v1-token.ts';

const IDS_MAX = 100;
/** Ids have 20 characters or so; a stranger's may have 100. Servers cut at 8 kB. */
const QUERY_MAX = 6_000;

const attemptsBody = z.object({ list: z.array(z.unknown()).nullish() });

/**
 * Ids that PortOne makes are letters, digits and little else, and fit in a path as they are. Whoever
 * invents another is told from here that there is no such payment; it is not sent.
 */
const V1_ID = /^[\w.~-]{1,100}$/;

export const isV1Id = (id: string): boolean => V1_ID.test(id);

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
  const page = attemptsBody.safeParse(tellingOf(answer));
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
