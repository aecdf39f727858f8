// The pure parts of the demo: who comes, what they do next, the statistics, the charts.

import { describe, expect, test } from 'vitest';
import { attemptOf, planBuyers } from '../../src/demo/buyers.ts';
import { escaped, lineChart, stackedBars, ticksTo } from '../../src/demo/charts.ts';
import { Dice } from '../../src/demo/dice.ts';
import { namedSeats, planEvents, seatsOf } from '../../src/demo/events.ts';
import { nextStep } from '../../src/demo/next-step.ts';
import { type Move, seatStory, seatsOverTime } from '../../src/demo/record.ts';
import { binned, latencyOf, percentile, rateOf } from '../../src/demo/stats.ts';
import { LEADS } from '../../src/demo/stories.ts';
import { tableOf } from '../../src/demo/table.ts';

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
      { buyers: 400, seats: 200, events: 20 },
      { buyers: 1, seats: 1, events: 1 },
    ]) {
      const events = planEvents(size);
      expect(events.reduce((sum, event) => sum + event.seats, 0)).toBe(size.seats);
      expect(events.reduce((sum, event) => sum + event.buyers, 0)).toBe(size.buyers);
      expect(Math.min(...events.flatMap((event) => [event.seats, event.buyers]))).toBeGreaterThan(
        0,
      );
      expect(new Set(events.map((event) => event.slug)).size).toBe(size.events);
      // Or an order of one event could be taken for another's.
      for (const { slug } of events) expect(slug).not.toMatch(/-\d+$/);
      expect(planBuyers(events, 1, 5_000)).toHaveLength(size.buyers);
    }
  });

  test('the same seed brings the same people; another one does not', () => {
    const events = planEvents({ buyers: 200, seats: 60, events: 3 });
    expect(planBuyers(events, 5, 9_000)).toEqual(planBuyers(events, 5, 9_000));
    expect(planBuyers(events, 5, 9_000)).not.toEqual(planBuyers(events, 6, 9_000));
  });

  test('every leading part is played in each event that has room, before the rush', () => {
    const events = planEvents({ buyers: 3_000, seats: 1_000, events: 3 });
    const leads = planBuyers(events, 5, 9_000).filter((buyer) => buyer.leads);
    expect(leads).toHaveLength(3 * LEADS.length);
    for (const [story, after] of LEADS) {
      const own = leads.filter((buyer) => buyer.story === story && buyer.after === after);
      expect(new Set(own.map((buyer) => buyer.event)).size).toBe(3);
    }
    expect(Math.max(...leads.map((buyer) => buyer.arrivesAtMs))).toBeLessThan(200);
  });

  test('a small sale has room for some leads, and each of its events for others', () => {
    const [a, b] = planEvents({ buyers: 60, seats: 40, events: 2 }).map((_, event, events) =>
      planBuyers(events, 5, 9_000)
        .filter((buyer) => buyer.leads && buyer.event === event)
        .map((buyer) => `${buyer.story} ${buyer.after}`),
    );
    expect(a).toHaveLength(5);
    expect(b).toHaveLength(5);
    expect(a?.filter((part) => b?.includes(part))).toEqual([]);
  });

  test('what one dialect cannot say is said in another', () => {
    const events = planEvents({ buyers: 3_000, seats: 1_000, events: 3 });
    for (const buyer of planBuyers(events, 6, 9_000)) {
      const disputes = buyer.after === 'disputes' || buyer.after === 'wins_dispute';
      if (disputes || buyer.story === 'by_hand') expect(buyer.dialect).toBe('v2-2024-04-25');
      if (buyer.story === 'forges') expect(buyer.dialect).not.toBe('v2-2024-04-25');
    }
  });

  test('who leads plays on after a refusal; anybody else pays then', () => {
    const events = planEvents({ buyers: 3_000, seats: 1_000, events: 3 });
    const bypassing = planBuyers(events, 6, 9_000).filter(({ story }) => story === 'bypasses');
    for (const buyer of bypassing) {
      expect(attemptOf(buyer, 1, 6).confirmUrl).toBeNull();
      expect(attemptOf(buyer, 2, 6).confirmUrl).toBe(buyer.leads ? null : undefined);
    }
    expect(new Set(bypassing.map(({ leads }) => leads)).size).toBe(2);
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
