// Events, their ticket types and their seats: created by the organizer, read by everybody.

import type pg from 'pg';
import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { type PlannedSeat, planSeats, planSeatsFromCsv, type SeatFault } from './plan-seats.ts';
import { bypassPolicy, type NewEvent, type NewSeats, virtualAccountPolicy } from './schema.ts';

const sql = {
  standing: loadSql('insert_standing_seats'),
  named: loadSql('insert_named_seats'),
  count: loadSql('count_seats'),
  clash: loadSql('standing_label_clash'),
};

/** Keeps two imports of one event from giving the same ranks. */
const IMPORT_LOCK_CLASS = 5_347;
const UNIQUE_VIOLATION = '23505';

export interface SeatCounts {
  total: number;
  available: number;
  held: number;
  sold: number;
}

export type CreateEventResult = { ok: true; slug: string } | { ok: false; reason: 'slug_taken' };

export type AddSeatsResult =
  | { ok: true; created: number }
  | { ok: false; reason: 'unknown_event' }
  | { ok: false; reason: 'bad_seat'; fault: SeatFault }
  | { ok: false; reason: 'label_taken'; fault: SeatFault };

export async function createEvent(database: Database, event: NewEvent): Promise<CreateEventResult> {
  const { check, ticketTypes, virtualAccounts, ...rest } = event;
  const created = await database.transaction(async (tx) => {
    if (await tx.event.findUnique({ where: { slug: event.slug } })) return false;
    await tx.event.create({
      data: {
        ...rest,
        virtualAccounts: virtualAccountPolicy(event),
        bypassedPayments: bypassPolicy(event),
        virtualAccountMaxSeconds: virtualAccounts?.maxWaitSeconds ?? null,
        ...(check
          ? {
              checkUrl: check.url,
              checkSecret: check.secret,
              checkTimeoutMs: check.timeoutMs ?? null,
              checkOnSilence: check.onSilence ?? 'refuse',
            }
          : {}),
        ticketTypes: { create: ticketTypes },
      },
    });
    return true;
  });
  return created ? { ok: true, slug: event.slug } : { ok: false, reason: 'slug_taken' };
}

/** @returns the event as the organizer's API shows it, or null; the check's secret stays here */
export async function viewEvent(database: Database, slug: string) {
  const event = await database.prisma.event.findUnique({
    where: { slug },
    include: { ticketTypes: { orderBy: { id: 'asc' } } },
  });
  if (!event) return null;
  const counts = await database.query<{ ticketTypeId: number; state: string; seats: number }>(
    sql.count,
    event.id,
  );
  const ticketTypes = event.ticketTypes.map((type) => ({
    code: type.code,
    name: type.name,
    price: type.price,
    currency: type.currency,
    seats: countsOf(counts.filter((row) => row.ticketTypeId === type.id)),
  }));
  return {
    slug: event.slug,
    name: event.name,
    opensAt: event.opensAt.toISOString(),
    closesAt: event.closesAt?.toISOString() ?? null,
    holdSeconds: event.holdSeconds,
    language: event.language,
    maxPerOrder: event.maxPerOrder,
    maxPerBuyer: event.maxPerBuyer,
    check: event.checkUrl
      ? { url: event.checkUrl, timeoutMs: event.checkTimeoutMs, onSilence: event.checkOnSilence }
      : null,
    virtualAccounts: {
      policy: event.virtualAccounts,
      maxWaitSeconds: event.virtualAccountMaxSeconds,
    },
    bypassedPayments: event.bypassedPayments,
    seats: countsOf(counts),
    ticketTypes,
  };
}

export type EventView = NonNullable<Awaited<ReturnType<typeof viewEvent>>>;

function countsOf(rows: { state: string; seats: number }[]): SeatCounts {
  const of = (state: string) =>
    rows.filter((row) => row.state === state).reduce((sum, row) => sum + row.seats, 0);
  const counts = { available: of('available'), held: of('held'), sold: of('sold') };
  return { total: counts.available + counts.held + counts.sold, ...counts };
}

/** All or nothing. @param request the parsed JSON, or the text of a CSV */
export async function addSeats(
  database: Database,
  slug: string,
  request: NewSeats | string,
): Promise<AddSeatsResult> {
  const event = await database.prisma.event.findUnique({
    where: { slug },
    include: { ticketTypes: true },
  });
  if (!event) return { ok: false, reason: 'unknown_event' };
  const plan = typeof request === 'string' ? planSeatsFromCsv(request) : planSeats(request);
  if (!plan.ok) return { ok: false, reason: 'bad_seat', fault: plan.fault };
  const types = new Map(event.ticketTypes.map((type) => [type.code, type.id]));
  const stranger = plan.seats.find((seat) => !types.has(seat.ticketType));
  if (stranger) {
    const message = `the event has no ticket type ${stranger.ticketType}`;
    return { ok: false, reason: 'bad_seat', fault: { line: stranger.line, message } };
  }
  const prefix =
    typeof request === 'object' && 'count' in request ? request.labelPrefix : undefined;
  const imported = database.bulk(async (client): Promise<AddSeatsResult> => {
    await client.query('SELECT pg_advisory_xact_lock($1, $2)', [IMPORT_LOCK_CLASS, event.id]);
    const taken = await takenLabel(client, event.id, plan.seats);
    if (taken) return { ok: false, reason: 'label_taken', fault: taken };
    if (typeof request === 'object' && 'count' in request) {
      return addStanding(client, event.id, types.get(request.ticketType) ?? 0, request, prefix);
    }
    await insertNamed(client, event.id, types, plan.seats);
    return { ok: true, created: plan.seats.length };
  });
  return imported.catch((error: { code?: string; detail?: string }) => {
    if (error.code !== UNIQUE_VIOLATION) throw error;
    // Labels that were made up met labels that were given.
    const message = error.detail ?? 'a label is given twice';
    return { ok: false, reason: 'label_taken', fault: { line: 1, message } };
  });
}

async function addStanding(
  client: pg.Client,
  eventId: number,
  typeId: number,
  request: { ticketType: string; count: number },
  prefix = `${request.ticketType}-`,
): Promise<AddSeatsResult> {
  const clash = await client.query<{ label: string }>(sql.clash, [
    eventId,
    typeId,
    request.count,
    prefix,
  ]);
  const label = clash.rows[0]?.label;
  if (label !== undefined) {
    const message = `seat ${label} exists already; give another labelPrefix`;
    return { ok: false, reason: 'label_taken', fault: { line: 1, message } };
  }
  await client.query(sql.standing, [eventId, typeId, request.count, prefix]);
  return { ok: true, created: request.count };
}

async function takenLabel(
  client: pg.Client,
  eventId: number,
  seats: PlannedSeat[],
): Promise<SeatFault | null> {
  const labels = seats.flatMap((seat) => seat.label ?? []);
  if (labels.length === 0) return null;
  const result = await client.query<{ label: string }>(
    'SELECT label FROM seats WHERE event_id = $1 AND label = ANY ($2::text[])',
    [eventId, labels],
  );
  const taken = new Set(result.rows.map((row) => row.label));
  const first = seats.find((seat) => seat.label !== null && taken.has(seat.label));
  return first ? { line: first.line, message: `seat ${first.label} exists already` } : null;
}

async function insertNamed(
  client: pg.Client,
  eventId: number,
  types: Map<string, number>,
  seats: PlannedSeat[],
): Promise<void> {
  await client.query(sql.named, [
    eventId,
    seats.map((seat) => types.get(seat.ticketType)),
    seats.map((seat) => seat.label),
    seats.map((seat) => seat.section),
    seats.map((seat) => seat.row),
    seats.map((seat) => seat.number),
    seats.map((seat) => seat.place),
  ]);
}
