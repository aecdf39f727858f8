// The organizer's events and their seats: bibs, rows and CSV, all of a call or nothing.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labels } from '../support/buyer.ts';
import { CARRIERS, type HttpResult, openWorld, type World } from '../support/world.ts';

const HEADER = 'ticketType,section,row,number';

describe.each(CARRIERS)('events on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ carrier });
  });
  afterAll(() => world?.close());

  const seatsOf = (event: string, body: unknown): Promise<HttpResult> =>
    world.call('POST', `/api/events/${event}/seats`, body);
  const csv = (event: string, ...lines: string[]): Promise<HttpResult> =>
    world.call('POST', `/api/events/${event}/seats`, lines.join('\n'), {
      'content-type': 'text/csv',
    });
  const all = (event: string) =>
    world.sql<{ label: string; place: number | null }>(
      `SELECT s.label, s.place FROM seats s JOIN events e ON e.id = s.event_id
        WHERE e.slug = $1 ORDER BY s.ticket_type_id, s.rank`,
      event,
    );
  const house = (): Promise<string> =>
    world.event(0, {
      ticketTypes: [
        { code: 'ga', name: 'General', price: 10_000 },
        { code: 'vip', name: 'VIP', price: 50_000 },
      ],
    });

  test('an event is created, and looked at with its counts; its secret stays inside', async () => {
    const slug = world.name('concert');
    const check = {
      url: 'https://example.com/check',
      secret: 'do-not-tell',
      timeoutMs: 500,
      onSilence: 'allow',
    };
    const created = await world.call('POST', '/api/events', {
      slug,
      name: '콘서트',
      opensAt: '2030-01-01T10:00:00+09:00',
      closesAt: '2030-01-02T10:00:00+09:00',
      maxPerOrder: 4,
      check,
      ticketTypes: [{ code: 'vip', name: 'VIP', price: 150_000 }],
    });
    expect(created.status).toBe(201);
    const view = await world.call('GET', `/api/events/${slug}`);
    expect(view.body).toEqual(created.body);
    const none = { total: 0, available: 0, held: 0, sold: 0 };
    expect(view.body).toMatchObject({
      slug,
      name: '콘서트',
      opensAt: '2030-01-01T01:00:00.000Z',
      language: 'ko',
      holdSeconds: 300,
      seats: none,
      ticketTypes: [{ code: 'vip', price: 150_000, currency: 'KRW', seats: none }],
      check: { url: check.url, onSilence: 'allow' },
    });
    expect(JSON.stringify(view.body)).not.toContain('do-not-tell');
  });

  test('the same slug again is 409, also for two at once', async () => {
    const slug = world.name('twin');
    const event = {
      slug,
      name: 'x',
      opensAt: '2020-01-01T00:00:00Z',
      ticketTypes: [{ code: 'a', name: 'a', price: 1 }],
    };
    const answers = await Promise.all(
      [1, 2, 3].map(() => world.call('POST', '/api/events', event)),
    );
    expect(answers.map((a) => a.status).sort()).toEqual([201, 409, 409]);
    expect(await world.call('POST', '/api/events', event)).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ['a slug with capitals', { slug: 'Big' }],
    ['a time that is none', { opensAt: 'tomorrow' }],
    ['a sale that closes before it opens', { closesAt: '2019-01-01T00:00:00Z' }],
    ['no ticket types', { ticketTypes: [] }],
    [
      'a ticket type twice',
      { ticketTypes: [1, 2].map(() => ({ code: 'a', name: 'a', price: 1 })) },
    ],
    ['a price of nothing', { ticketTypes: [{ code: 'a', name: 'a', price: 0 }] }],
    ['an unknown language', { language: 'fr' }],
    ['a check over ftp', { check: { url: 'ftp://x/', secret: '12345678' } }],
    ['a year beyond the calendar', { opensAt: '9999999-01-01T00:00:00Z' }],
  ])('%s is 422', async (_, change) => {
    const event = {
      slug: 'fine',
      name: 'x',
      opensAt: '2020-01-01T00:00:00Z',
      ticketTypes: [{ code: 'a', name: 'a', price: 1 }],
      ...change,
    };
    expect(await world.call('POST', '/api/events', event)).toMatchObject({
      status: 422,
      body: { code: 'invalid_request' },
    });
  });

  test('bibs are numbered on from call to call, each type for itself', async () => {
    const event = await house();
    expect(await seatsOf(event, { ticketType: 'ga', count: 2 })).toMatchObject({
      status: 201,
      body: { created: 2 },
    });
    await seatsOf(event, { ticketType: 'ga', count: 2 });
    await seatsOf(event, { ticketType: 'vip', count: 1, labelPrefix: 'BIB ' });
    expect((await all(event)).map((s) => s.label)).toEqual([
      'ga-1',
      'ga-2',
      'ga-3',
      'ga-4',
      'BIB 1',
    ]);
    const view = await world.call('GET', `/api/events/${event}`);
    expect(view.body.seats).toEqual({ total: 5, available: 5, held: 0, sold: 0 });
    expect(view.body.ticketTypes.map((t: { seats: { total: number } }) => t.seats.total)).toEqual([
      4, 1,
    ]);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('imports of one event at the same time give no label twice', async () => {
    const event = await house();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => seatsOf(event, { ticketType: 'ga', count: 50 })),
    );
    for (const answer of answers) expect(answer.status).toBe(201);
    const seats = await all(event);
    expect(new Set(seats.map((s) => s.label)).size).toBe(300);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('rows are seats with neighbours', async () => {
    const event = await house();
    const rows = [
      { section: 'A', row: '1', from: 5, to: 7 },
      { section: 'A', row: '2', from: 1, to: 1 },
    ];
    expect(await seatsOf(event, { ticketType: 'vip', rows })).toMatchObject({
      body: { created: 4 },
    });
    expect(await all(event)).toEqual([
      { label: 'A-1-5', place: 5 },
      { label: 'A-1-6', place: 6 },
      { label: 'A-1-7', place: 7 },
      { label: 'A-2-1', place: 1 },
    ]);
    expect(await seatsOf(event, { ticketType: 'vip', rows: [rows[0]] })).toMatchObject({
      status: 409,
      body: { code: 'conflict', line: 1 },
    });
  });

  test('CSV is imported with quotes, a byte order mark, and Windows line ends', async () => {
    const event = await house();
    const answer = await csv(
      event,
      `\ufeff${HEADER}\r`,
      'vip,"Section, A",1,1\r',
      'vip,"Section, A",1,2\r',
      'ga,,,\r',
      '',
    );
    expect(answer).toMatchObject({ status: 201, body: { created: 3 } });
    expect((await all(event)).map((s) => s.label)).toEqual([
      'ga-1',
      'Section, A-1-1',
      'Section, A-1-2',
    ]);
  });

  test.each<[string, number, string[]]>([
    ['an unknown ticket type', 3, [HEADER, 'ga,A,1,1', 'nope,A,1,2']],
    ['a missing number', 3, [HEADER, 'ga,A,1,1', 'ga,A,1,', 'ga,A,1,3']],
    ['a seat twice', 4, [HEADER, 'ga,A,1,1', 'ga,A,1,2', 'ga,A,1,1']],
    ['a missing ticket type', 2, [HEADER, ',A,1,1']],
    ['a field too many', 3, [HEADER, 'ga,A,1,1', 'ga,A,1,2,9']],
    ['an open quote', 3, [HEADER, 'ga,A,1,1', 'ga,"A,1,2']],
    ['another header', 1, ['type,section,row,number', 'ga,A,1,1']],
    ['no seats', 2, [HEADER]],
    ['a blank line before the fault', 4, [HEADER, 'ga,A,1,1', '', 'nope,A,1,2']],
    ['a very long field', 2, [HEADER, `ga,${'A'.repeat(61)},1,1`]],
  ])('CSV with %s: 422 with line %i, and nothing is created', async (_, line, lines) => {
    const event = await house();
    const answer = await csv(event, ...lines);
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_request', line } });
    expect(answer.body.detail).toContain(`line ${line}`);
    expect(await all(event)).toEqual([]);
  });

  test('CSV that names a seat which is there already: 409 with its line, and nothing is created', async () => {
    const event = await house();
    await csv(event, HEADER, 'ga,A,1,1');
    const answer = await csv(event, HEADER, 'ga,A,1,2', 'ga,A,1,1');
    expect(answer).toMatchObject({ status: 409, body: { code: 'conflict', line: 3 } });
    expect(await all(event)).toHaveLength(1);
  });

  test('seats of an unknown event are 404', async () => {
    expect(await seatsOf('nobody', { ticketType: 'ga', count: 1 })).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    expect(await csv('nobody', HEADER, 'ga,A,1,1')).toMatchObject({ status: 404 });
    expect(await seatsOf(await house(), { ticketType: 'nope', count: 1 })).toMatchObject({
      status: 422,
    });
  });

  test('parties are seated side by side in one row, in the best row that has room', async () => {
    const event = await house();
    await seatsOf(event, {
      ticketType: 'ga',
      rows: ['1', '2'].map((row) => ({ section: 'A', row, from: 1, to: 4 })),
    });
    const seated = async (quantity: number): Promise<string[]> => {
      const answer = await world.confirm(
        await world.order(event, [{ ticketType: 'ga', quantity }]),
      );
      expect(answer.status).toBe(200);
      return labels(answer.body);
    };
    const party = [await seated(3), await seated(3), await seated(1), await seated(1)];
    for (const seats of party) {
      const places = seats.map((label) => label.split('-').map(Number));
      expect(new Set(seats.map((label) => label.split('-')[1])).size).toBe(1);
      const numbers = places.map((p) => p[2] ?? 0).sort();
      expect((numbers.at(-1) ?? 0) - (numbers[0] ?? 0)).toBe(seats.length - 1);
    }
    expect(new Set(party.flat()).size).toBe(8);
  });

  test('seats added while a sale is sold out are on sale at once', async () => {
    const event = await world.event(1);
    await world.confirm(await world.order(event));
    const order = await world.order(event);
    expect(await world.confirm(order)).toMatchObject({ status: 409 });
    await seatsOf(event, { ticketType: 'ga', count: 1 });
    expect(await world.confirm(order)).toMatchObject({
      status: 200,
      body: { seats: [{ label: 'ga-2' }] },
    });
  });
});
