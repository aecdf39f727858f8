// Turns what an organizer sent (a count, rows, or CSV) into seats to be created; pure.

import { parse as parseCsv } from 'csv-parse/sync';
import { type NewSeats, SEATS_PER_CALL_MAX } from './schema.ts';

export interface PlannedSeat {
  ticketType: string;
  /** Null: to be numbered on after the seats of its type that are there already. */
  label: string | null;
  section: string | null;
  row: string | null;
  number: string | null;
  place: number | null;
  /** The line of the CSV, or the index of the row, that asked for it; for the error. */
  line: number;
}

export interface SeatFault {
  line: number;
  message: string;
}

export type SeatPlan = { ok: true; seats: PlannedSeat[] } | { ok: false; fault: SeatFault };

const CSV_HEADER = ['ticketType', 'section', 'row', 'number'];
const FIELD_MAX_CHARS = 60;

export function planSeats(request: NewSeats): SeatPlan {
  if ('count' in request) {
    const seat = { section: null, row: null, number: null, place: null, line: 1, label: null };
    const seats = Array.from({ length: request.count }, () => ({
      ticketType: request.ticketType,
      ...seat,
    }));
    return { ok: true, seats };
  }
  const total = request.rows.reduce((sum, row) => sum + row.to - row.from + 1, 0);
  if (total > SEATS_PER_CALL_MAX) return tooMany(request.rows.length);
  const seats = request.rows.flatMap((row, index) =>
    Array.from({ length: row.to - row.from + 1 }, (_, offset) =>
      numbered(request.ticketType, row.section, row.row, String(row.from + offset), index + 1),
    ),
  );
  return withPlaces(seats);
}

/** Header `ticketType,section,row,number`; section, row and number may be empty together. */
export function planSeatsFromCsv(text: string): SeatPlan {
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parseCsv(text, {
      bom: true,
      info: true,
      skip_empty_lines: true,
      trim: true,
    }) as never;
  } catch (error) {
    const { lines, message } = error as { lines?: number; message: string };
    return fault(lines ?? 1, message);
  }
  const [header, ...rest] = records;
  if (!header || CSV_HEADER.some((name, index) => header.record[index] !== name)) {
    return fault(1, `the first line must be ${CSV_HEADER.join(',')}`);
  }
  if (rest.length === 0) return fault(2, 'there is no seat in the file');
  if (rest.length > SEATS_PER_CALL_MAX) return tooMany(SEATS_PER_CALL_MAX + 2);
  const seats: PlannedSeat[] = [];
  for (const { record, info } of rest) {
    const [ticketType = '', section = '', row = '', number = ''] = record;
    const wrong = faultOf(ticketType, section, row, number);
    if (wrong) return fault(info.lines, wrong);
    if (number === '') {
      const none = { section: null, row: null, number: null, place: null, label: null };
      seats.push({ ticketType, ...none, line: info.lines });
    } else {
      seats.push(numbered(ticketType, section, row, number, info.lines));
    }
  }
  return withPlaces(seats);
}

function faultOf(ticketType: string, section: string, row: string, number: string): string | null {
  if (ticketType === '') return 'ticketType is missing';
  if ([ticketType, section, row, number].some((field) => field.includes('\0'))) {
    return 'a field contains a NUL';
  }
  const given = [section, row, number].filter((field) => field !== '').length;
  if (given !== 0 && given !== 3) return 'section, row and number go together';
  if ([section, row, number].some((field) => field.length > FIELD_MAX_CHARS)) {
    return `a field has more than ${FIELD_MAX_CHARS} characters`;
  }
  return null;
}

function numbered(
  ticketType: string,
  section: string,
  row: string,
  number: string,
  line: number,
): PlannedSeat {
  return {
    ticketType,
    section,
    row,
    number,
    place: null,
    line,
    label: `${section}-${row}-${number}`,
  };
}

/**
 * Neighbours differ by one. Printed whole numbers say it themselves, gaps (an aisle, a pillar)
 * included; other names ("12A") are taken to stand in the order in which they were sent.
 */
function withPlaces(seats: PlannedSeat[]): SeatPlan {
  const seen = new Set<string>();
  const rows = new Map<string, PlannedSeat[]>();
  for (const seat of seats) {
    if (seat.label === null) continue;
    if (seen.has(seat.label)) return fault(seat.line, `seat ${seat.label} appears twice`);
    seen.add(seat.label);
    const key = `${seat.ticketType}\u001f${seat.section}\u001f${seat.row}`;
    const row = rows.get(key);
    if (row) row.push(seat);
    else rows.set(key, [seat]);
  }
  for (const row of rows.values()) {
    const printed = row.every((seat) => /^\d{1,7}$/.test(seat.number ?? ''));
    row.forEach((seat, index) => {
      seat.place = printed ? Number(seat.number) : index + 1;
    });
  }
  return { ok: true, seats };
}

function tooMany(line: number): SeatPlan {
  return fault(line, `one call may create at most ${SEATS_PER_CALL_MAX} seats`);
}

function fault(line: number, message: string): SeatPlan {
  return { ok: false, fault: { line, message } };
}
