import { describe, expect, test } from 'vitest';
import { planSeats, planSeatsFromCsv, type SeatPlan } from '../../src/events/plan-seats.ts';

const HEADER = 'ticketType,section,row,number';
const csv = (...lines: string[]) => planSeatsFromCsv([HEADER, ...lines].join('\n'));

function labels(plan: SeatPlan) {
  if (!plan.ok) throw new Error(`line ${plan.fault.line}: ${plan.fault.message}`);
  return plan.seats.map((seat) => [seat.label, seat.place]);
}

describe('seats from a file', () => {
  test('numbered seats get a label and their place; printed gaps stay gaps', () => {
    expect(labels(csv('r,A,1,1', 'r,A,1,2', 'r,A,1,4'))).toEqual([
      ['A-1-1', 1],
      ['A-1-2', 2],
      ['A-1-4', 4],
    ]);
  });

  test('seats that are named otherwise stand as they were sent', () => {
    expect(labels(csv('r,A,1,12B', 'r,A,1,12A', 'r,B,1,7'))).toEqual([
      ['A-1-12B', 1],
      ['A-1-12A', 2],
      ['B-1-7', 7],
    ]);
  });

  test('general admission has neither row nor place and is numbered later', () => {
    const plan = csv('ga,,,', 'ga,,,');
    expect(labels(plan)).toEqual([
      [null, null],
      [null, null],
    ]);
  });

  test('what spreadsheets write: a mark at the start, CRLF, quotes, spaces, empty lines', () => {
    const text = `\ufeff${HEADER}\r\n"r", "Main, left" ,1, 1\r\n\r\nr,나열,가,2\r\n`;
    expect(labels(planSeatsFromCsv(text))).toEqual([
      ['Main, left-1-1', 1],
      ['나열-가-2', 2],
    ]);
  });

  const BAD: [what: string, text: string, line: number, message: RegExp][] = [
    ['nothing', '', 1, /first line must be/],
    ['another header', 'type,section,row,number\nr,A,1,1', 1, /first line must be/],
    ['a header alone', HEADER, 2, /no seat/],
    ['no type', `${HEADER}\nr,A,1,1\n,A,1,2`, 3, /ticketType is missing/],
    ['a row without a number', `${HEADER}\nr,A,1,`, 2, /go together/],
    ['a seat twice', `${HEADER}\nr,A,1,1\nr,A,1,2\nr,A,1,1`, 4, /A-1-1 appears twice/],
    ['a seat twice under two types', `${HEADER}\nr,A,1,1\nvip,A,1,1`, 3, /appears twice/],
    ['a field too many', `${HEADER}\nr,A,1,1\nr,A,1,2,x`, 3, /./],
    ['a quote that never ends', `${HEADER}\nr,"A,1,1`, 2, /./],
    ['a very long name', `${HEADER}\nr,${'A'.repeat(61)},1,1`, 2, /60 characters/],
  ];
  test.each(BAD)('%s: refused, with its line', (_what, text, line, message) => {
    const plan = planSeatsFromCsv(text);
    expect(plan).toMatchObject({ ok: false, fault: { line } });
    if (!plan.ok) expect(plan.fault.message).toMatch(message);
  });

  test('the line is that of the file, blank lines counted', () => {
    const plan = planSeatsFromCsv(`${HEADER}\n\n\nr,A,1,1\n\nr,A,1,\n`);
    expect(plan).toMatchObject({ ok: false, fault: { line: 6 } });
  });

  test('a hundred thousand lines', () => {
    const lines = Array.from(
      { length: 100_000 },
      (_, i) => `r,A,${Math.floor(i / 100)},${i % 100}`,
    );
    expect(labels(csv(...lines))).toHaveLength(100_000);
  });
});

describe('seats from a request', () => {
  test('a count', () => {
    expect(labels(planSeats({ ticketType: 'ga', count: 2 }))).toEqual([
      [null, null],
      [null, null],
    ]);
  });

  test('rows', () => {
    const rows = [
      { section: 'A', row: '1', from: 1, to: 2 },
      { section: 'A', row: '2', from: 5, to: 5 },
    ];
    expect(labels(planSeats({ ticketType: 'r', rows }))).toEqual([
      ['A-1-1', 1],
      ['A-1-2', 2],
      ['A-2-5', 5],
    ]);
  });

  test('rows that overlap: refused, with the index of the row', () => {
    const rows = [
      { section: 'A', row: '1', from: 1, to: 5 },
      { section: 'A', row: '1', from: 5, to: 9 },
    ];
    expect(planSeats({ ticketType: 'r', rows })).toEqual({
      ok: false,
      fault: { line: 2, message: 'seat A-1-5 appears twice' },
    });
  });

  test('rows of more than a million seats: refused before they are made', () => {
    const rows = [{ section: 'A', row: '1', from: 0, to: 1_000_000 }];
    expect(planSeats({ ticketType: 'r', rows }).ok).toBe(false);
  });
});
