// The organizer's hand: gives held seats back, by order, by seat, or all overdue, with a reason.

import pLimit from 'p-limit';
import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { type AskOptions, askBeforeRelease } from '../payments/ask-before-release.ts';
import type { Gateway } from '../portone/gateway.ts';
import { endHolds } from '../seats/end-holds.ts';
import {
  type AskForRefund,
  type RefundSold,
  type RefusedRefund,
  type RequestedRefund,
  refundSold,
} from './refund-sold.ts';

const sql = loadSql('select_release');

/** Holds ended in one transaction; small, so that a running sale is not held up. */
const HOLDS_PER_TRANSACTION = 32;
const SEATS_MAX = 200_000;
const ASKS_CONCURRENT_MAX = 16;

export interface ReleaseRequest {
  event: string;
  orders?: string[];
  seats?: string[];
  overdue?: boolean;
  allHeld?: boolean;
  /** Sold seats that are named are refunded by it, and come back with the money. */
  refund?: AskForRefund | undefined;
  /** Nothing of other orders, whoever has the seats by now. */
  onlyOrders?: string[];
  reason: string;
  dryRun?: boolean;
}

export interface ReleasedSeat {
  label: string;
  ticketType: string;
  merchantUid: string;
}

export type ReleaseResult =
  | {
      ok: true;
      released: number;
      seats: ReleasedSeat[];
      /** Sold seats that were named: they go back only with a refund. */
      sold: ReleasedSeat[];
      dryRun: boolean;
      /** With `refund`: those that were asked for, and those that could not be had. */
      refunds?: RequestedRefund[];
      refused?: RefusedRefund[];
    }
  | { ok: false; reason: 'unknown_event' }
  | { ok: false; reason: 'unknown_target'; missing: string[] };

interface Row extends ReleasedSeat {
  holdId: string;
  paymentId: string;
  gateway: Gateway;
  state: string;
}

/**
 * @param actor who asked, kept on every seat's move
 * @param onProgress seats done so far, of all
 */
export async function releaseSeats(
  options: AskOptions,
  request: ReleaseRequest,
  actor: string,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<ReleaseResult> {
  const { database, clock } = options;
  const event = await database.prisma.event.findUnique({ where: { slug: request.event } });
  if (!event) return { ok: false, reason: 'unknown_event' };
  const missing = await unknownTargets(database, event.id, request);
  if (missing.length > 0) return { ok: false, reason: 'unknown_target', missing };
  const found = await database.query<Row>(
    sql,
    event.id,
    request.orders ?? [],
    request.seats ?? [],
    request.overdue ?? false,
    request.allHeld ?? false,
    clock.now(),
    SEATS_MAX,
  );
  const only = request.onlyOrders && new Set(request.onlyOrders);
  const rows = only ? found.filter((row) => only.has(row.merchantUid)) : found;
  const held = rows.filter((row) => row.state === 'held');
  const dryRun = request.dryRun ?? false;
  const seats = dryRun
    ? held.map(viewOf)
    : await end(
        options,
        await withoutPaidByTime(options, held, request),
        request,
        actor,
        onProgress,
      );
  const released = { ok: true, released: seats.length, seats, dryRun } as const;
  const sold = rows.filter((row) => row.state === 'sold');
  if (!request.refund) return { ...released, sold: sold.map(viewOf) };
  const { orders = [], seats: labels = [], reason } = request;
  const wish: RefundSold = { sold, orders, seats: labels, reason, dryRun, actor };
  const { refunds, refused } = await refundSold(request.refund, wish);
  const left = new Set(refused.flatMap((refusal) => refusal.seats));
  return {
    ...released,
    sold: sold.filter((row) => left.has(row.label)).map(viewOf),
    refunds,
    refused,
  };
}

/**
 * A hold that is released because its time is over may have been paid meanwhile: PortOne is asked
 * first. Holds that the organizer named are theirs to release; a payment that comes later is
 * seated again or refunded.
 */
async function withoutPaidByTime(
  options: AskOptions,
  held: Row[],
  request: ReleaseRequest,
): Promise<Row[]> {
  if (!request.overdue) return held;
  const holds = new Map(held.map((row) => [row.holdId, row]));
  const turn = pLimit(ASKS_CONCURRENT_MAX);
  const fates = await Promise.all(
    [...holds.values()].map((row) =>
      turn(async () => [row.holdId, await askBeforeRelease(options, row)] as const),
    ),
  );
  const releasable = new Set(fates.filter(([, fate]) => fate === 'release').map(([id]) => id));
  return held.filter((row) => releasable.has(row.holdId));
}

async function end(
  { database, clock }: AskOptions,
  held: Row[],
  request: ReleaseRequest,
  actor: string,
  onProgress: (done: number, total: number) => void,
): Promise<ReleasedSeat[]> {
  const holds = new Map(held.map((row) => [row.holdId, row]));
  const ids = [...holds.keys()];
  const byLabel = new Map(held.map((row) => [row.label, row]));
  const released: ReleasedSeat[] = [];
  for (let from = 0; from < ids.length; from += HOLDS_PER_TRANSACTION) {
    const freed = await endHolds(database.prisma, {
      holds: ids.slice(from, from + HOLDS_PER_TRANSACTION).map((id) => ({
        id,
        // By time: only while the payment that PortOne was asked about still has the hold.
        paymentId: request.overdue ? (holds.get(id)?.paymentId ?? null) : null,
      })),
      now: clock.now(),
      actor,
      reason: request.reason,
      orderStatus: 'pending',
    });
    released.push(...freed.flatMap((seat) => byLabel.get(seat.label) ?? []).map(viewOf));
    onProgress(released.length, held.length);
  }
  return released;
}

function viewOf({ label, ticketType, merchantUid }: Row): ReleasedSeat {
  return { label, ticketType, merchantUid };
}

async function unknownTargets(
  database: Database,
  eventId: number,
  request: ReleaseRequest,
): Promise<string[]> {
  const { orders = [], seats = [] } = request;
  const [knownOrders, knownSeats] = await Promise.all([
    database.prisma.order.findMany({
      where: { eventId, merchantUid: { in: orders } },
      select: { merchantUid: true },
    }),
    database.prisma.seat.findMany({
      where: { eventId, label: { in: seats } },
      select: { label: true },
    }),
  ]);
  const known = new Set([
    ...knownOrders.map((row) => `order ${row.merchantUid}`),
    ...knownSeats.map((row) => `seat ${row.label}`),
  ]);
  return [...orders.map((o) => `order ${o}`), ...seats.map((s) => `seat ${s}`)].filter(
    (target) => !known.has(target),
  );
}
