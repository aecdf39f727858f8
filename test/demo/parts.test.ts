// The pure parts of the demo: who comes, what they do next, the statistics, the money, the charts.

import { describe, expect, test } from 'vitest';
import { planBuyers } from '../../src/demo/buyers.ts';
import { escaped, lineChart, stackedBars, ticksTo } from '../../src/demo/charts.ts';
import { Dice } from '../../src/demo/dice.ts';
import { namedSeats, planEvents, seatsOf } from '../../src/demo/events.ts';
import { compareMoney, type MoneyFacts } from '../../src/demo/money.ts';
import { nextStep } from '../../src/demo/next-step.ts';
import { type Move, seatStory, seatsOverTime } from '../../src/demo/record.ts';
import { binned, latencyOf, percentile, rateOf } from '../../src/demo/stats.ts';
import { tableOf } from '../../src/demo/table.ts';
import type { BookEntry } from '../../src/sandbox/types.ts';

describe('statistics', () => {
  test('percentiles are measured values, by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 1)).toBe(100);
    expect(percentile([7], 0.5)).toBe(7);
    expect(percentile([], 0.5)).toBe(0);
    expect(latencyOf([3, 1, 2])).toEqual({ count: 3, p50: 2, p95: 3, p99: 3, max: 3 });
  });

  test('the best second is a sliding one', () => {
    expect(rateOf([0, 900, 1_000, 1_100, 1_800])).toEqual({ mean: 3, peak: 4 });
    expect(rateOf([])).toEqual({ mean: 0, peak: 0 });
  });

  test('bins leave out what is outside', () => {
    expect(binned([-1, 0, 499, 500, 2_000], 0, 500, 3)).toEqual([2, 1, 0]);
  });
});

describe('the plan', () => {
  test('shares add up, the first event is the hottest, nobody is left out', () => {
    for (const size of [
      { buyers: 3_000, seats: 1_000, events: 3 },
      { buyers: 7, seats: 5, events: 5 },
      { buyers: 150, seats: 41, events: 2 },
      { buyers: 1, seats: 1, events: 1 },
    ]) {
      const events = planEvents(size);
      expect(events.reduce((sum, event) => sum + event.seats, 0)).toBe(size.seats);
      expect(events.reduce((sum, event) => sum + event.buyers, 0)).toBe(size.buyers);
      expect(Math.min(...events.flatMap((event) => [event.seats, event.buyers]))).toBeGreaterThan(
        0,
      );
      expect(new Set(events.map((event) => event.slug)).size).toBe(size.events);
      expect(planBuyers(events, 1, 5_000)).toHaveLength(size.buyers);
    }
  });

  test('the same seed brings the same people; another one does not', () => {
    const events = planEvents({ buyers: 200, seats: 60, events: 3 });
    expect(planBuyers(events, 5, 9_000)).toEqual(planBuyers(events, 5, 9_000));
    expect(planBuyers(events, 5, 9_000)).not.toEqual(planBuyers(events, 6, 9_000));
  });

  test('named seats exist and are neighbours', () => {
    const hall = planEvents({ buyers: 90, seats: 130, events: 3 })[1];
    if (!hall) throw new Error('no hall');
    const { rows } = seatsOf(hall) as { rows: { row: string; from: number; to: number }[] };
    const all = rows.flatMap((row) =>
      Array.from({ length: row.to }, (_, i) => `Hall-${row.row}-${i + 1}`),
    );
    expect(all).toHaveLength(hall.seats);
    for (let roll = 0; roll < 1; roll += 0.01) {
      const named = namedSeats(hall, 2, roll);
      for (const label of named ?? []) expect(all).toContain(label);
      const places = (named ?? []).map((label) => Number(label.split('-')[2]));
      expect(places[1]).toBe((places[0] ?? 0) + 1);
    }
  });
});

describe('the next step', () => {
  const [buyer] = planBuyers(planEvents({ buyers: 1, seats: 1, events: 1 }), 1, 1_000);
  if (!buyer) throw new Error('no buyer');
  const tried = { attempt: 1, wish: 0, state: 'failed' as const, untilMs: null, returned: 0 };
  const step = (over: object) =>
    nextStep(
      { ...buyer, story: 'pays', patience: 1, triesAgain: true },
      { ...tried, heard: 'all_held', ...over },
      new Dice(1, 1),
    );

  test('whoever paid is done', () => {
    expect(step({ heard: 'confirmed', state: 'paid' })).toEqual({ do: 'leave' });
  });

  test('a declined card: another one', () => {
    expect(step({ heard: 'confirmed' })).toMatchObject({ do: 'come_back', wish: 0 });
  });

  test('all held: back once more, then watching', () => {
    expect(step({ untilMs: 2_000 })).toMatchObject({ do: 'come_back' });
    expect(step({ returned: 1 })).toEqual({ do: 'watch' });
  });

  test('nobody tries for ever', () => {
    expect(step({ heard: 'overloaded', attempt: 99 })).toEqual({ do: 'leave' });
  });
});

describe('the record', () => {
  const move = (seatId: number, from: Move['from'], to: Move['to'], atMs: number): Move => {
    return { slug: 'a', seatId, from, to, reason: to === 'available' ? 'expired' : 'x', atMs };
  };
  const moves = [
    move(1, 'available', 'held', 0),
    move(2, 'available', 'held', 10),
    move(1, 'held', 'available', 500),
    move(1, 'available', 'held', 600),
    move(1, 'held', 'sold', 900),
  ];

  test('what came back and what was sold again', () => {
    expect(seatStory(moves)).toEqual({ released: 1, releasedWhy: { expired: 1 }, resold: 1 });
  });

  test('seats over time', () => {
    expect(seatsOverTime(moves, 0, 1_000, 3)).toEqual([
      { atMs: 0, held: 1, sold: 0 },
      { atMs: 500, held: 1, sold: 0 },
      { atMs: 1_000, held: 1, sold: 1 },
    ]);
  });
});

describe('money against seats', () => {
  const paid = (over: Partial<BookEntry> = {}): BookEntry => ({
    dialect: 'v1',
    paymentId: 'p1',
    merchantUid: 'e-1',
    amount: 100,
    currency: 'KRW',
    method: 'card',
    test: false,
    state: 'paid',
    everPaid: true,
    cancelledAmount: 0,
    kept: 100,
    confirms: [],
    webhooks: [],
    cancellations: [],
    history: [{ atMs: 50, state: 'paid', why: '' }],
    failReason: null,
    ...over,
  });
  const order = (over: object = {}) => ({
    merchantUid: 'e-1',
    status: 'paid',
    amount: 100,
    seats: [{ label: 'A' }],
    payments: [],
    ...over,
  });
  const facts = (over: Partial<MoneyFacts> = {}): MoneyFacts => ({
    payments: [paid()],
    orders: [order()],
    quantities: new Map([['e-1', 1]]),
    soldSeats: 1,
    ...over,
  });
  const problems = (over: Partial<MoneyFacts>) => compareMoney(facts(over)).problems.join('; ');

  test('agrees', () => {
    expect(compareMoney(facts())).toMatchObject({ agrees: true, kept: 1, soldSeats: 1 });
  });

  test.each([
    ['paid without a seat', { orders: [order({ status: 'pending', seats: [] })], soldSeats: 0 }],
    ['paid for no order', { orders: [], soldSeats: 0 }],
    ['too few seats', { quantities: new Map([['e-1', 2]]) }],
    ['another amount', { orders: [order({ amount: 90 })] }],
    ['paid twice', { payments: [paid(), paid({ paymentId: 'p2' })] }],
    ['sold and refunded', { payments: [paid({ kept: 0 })] }],
    ['a seat sold without a payment', { soldSeats: 2 }],
  ])('tells of %s', (_, over) => {
    expect(problems(over)).not.toBe('');
  });

  test('tells of a seat that two orders have', () => {
    const other = { merchantUid: 'e-2' };
    const two = {
      payments: [paid(), paid({ ...other, paymentId: 'p2' })],
      orders: [order(), order(other)],
      quantities: new Map([
        ['e-1', 1],
        ['e-2', 1],
      ]),
      soldSeats: 2,
    };
    expect(problems(two)).toContain('sold to e-1 and to e-2');
  });

  test('tells of a payment made in time and refunded; not of one made too late', () => {
    const answer = (endsAtMs: number) => ({
      asked: true,
      status: 200,
      body: { holdExpiresAt: new Date(endsAtMs).toISOString() },
      latencyMs: 1,
      timedOut: false,
      aborted: false,
      error: null,
    });
    const refunded = (endsAtMs: number) => ({
      payments: [paid({ kept: 0, state: 'cancelled', confirms: [answer(endsAtMs)] })],
      orders: [order({ status: 'refunded', seats: [] })],
      soldSeats: 0,
    });
    expect(problems(refunded(51))).toContain('paid while its seats were held');
    expect(problems(refunded(49))).toBe('');
  });
});

describe('charts and tables', () => {
  const frame = { width: 400, height: 200, title: 'a <b>', xLabel: 's', yLabel: 'n' };

  test('ticks are round and reach the top', () => {
    expect(ticksTo(97)).toEqual([0, 50, 100]);
    expect(ticksTo(4)).toEqual([0, 1, 2, 3, 4]);
    expect(ticksTo(0)).toEqual([0, 1]);
  });

  test('nothing that was passed in can break out of the drawing', () => {
    expect(escaped(`<a href="x">&'`)).toBe('&lt;a href=&quot;x&quot;&gt;&amp;&#39;');
    const svg = stackedBars(frame, { from: 0, to: 2 }, [
      { name: '<x>', colour: 'var(--a)', values: [1, 2] },
    ]);
    expect(svg).not.toMatch(/<b>|<x>/);
    expect(svg.match(/<rect /g)).toHaveLength(2);
  });

  test('a gap in the values is a gap in the line; no value, no line, no nonsense', () => {
    const line = (values: (number | null)[]) =>
      lineChart(frame, { from: 0, to: 4 }, [{ name: 'p', colour: 'red', values }]);
    expect(line([1, 2, null, 3]).match(/class="line"/g)).toHaveLength(2);
    for (const values of [[], [null], [0]]) expect(line(values)).not.toMatch(/NaN|Infinity/);
  });

  test('figures stand right, names left', () => {
    expect(
      tableOf([
        ['', 'all'],
        ['sold', '1,000'],
      ]),
    ).toBe('          all\n  sold  1,000');
  });
});
