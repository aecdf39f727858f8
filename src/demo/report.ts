// The report: one HTML page with everything in it, for whoever was not there.

import type { Ask } from './asking.ts';
import { bandChart, escaped, lineChart, stackedAreas, stackedBars } from './charts.ts';
import type { EventFigures, Figures } from './figures.ts';
import type { DemoOptions } from './options.ts';
import { type Move, seatsOverTime } from './record.ts';
import { STYLE } from './report-style.ts';
import { lawsSection, moneySection, saleSection } from './report-tables.ts';
import { CONNECTIONS, type Demonstrated } from './run.ts';
import { binned, countBy, percentile } from './stats.ts';
import { STORY_MEANING, type Story } from './stories.ts';
import { whole } from './table.ts';

const WIDE = { width: 1000, height: 300 };
const SMALL = { width: 340, height: 250 };
const BIN_MS = 500;
const POINTS = 240;
const BUSY = new Set(['overloaded', 'timed_out', 'unavailable']);
/** Upper ends of the bands of latency, in ms. */
const BANDS_MS = [10, 25, 50, 100, 200, 400, 800, 1_600, 3_200, 5_000];

export function reportOf(done: Demonstrated, options: DemoOptions): string {
  const { figures } = done;
  const body = [
    heading(figures),
    tiles(figures),
    arrivals(done),
    seats(done),
    latency(done),
    saleSection(figures),
    moneySection(figures),
    lawsSection(figures),
    cast(done, options),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Seatline: ${figures.clean ? 'every law held' : 'not every law held'}</title>
<style>${STYLE}</style></head><body><main>${body.join('\n')}</main></body></html>
`;
}

function heading(figures: Figures): string {
  const { totals, events, clean } = figures;
  const back =
    totals.released === 0
      ? ''
      : ` ${whole(totals.released)} times a seat came back, because a card was declined, a window was closed, a line broke or money went back; ${whole(totals.resold)} of those seats were sold to somebody else.`;
  const end = figures.soldOut
    ? 'In the end every seat was sold.'
    : `In the end ${whole(totals.available)} seats were left, because nobody wanted them any more; that breaks no law.`;
  const failures = clean
    ? ''
    : `<ul class="plain">${figures.failures.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>`;
  return `<h1>${whole(totals.seats)} seats, ${whole(totals.buyers)} buyers, ${seconds(figures.saleMs)}</h1>
<div class="badge ${clean ? 'good' : 'bad'}">${clean ? 'Every law held' : 'Not every law held'}</div>${failures}
<p>${whole(totals.buyers)} people wanted ${whole(totals.seats)} seats in ${events.length} event${events.length === 1 ? '' : 's'} that went on sale in the same second. Seatline was asked “may I charge?” ${whole(totals.asked)} times; it said yes ${whole(totals.confirmed)} times and no ${whole(totals.refused)} times.${back} ${end}</p>
<p>Half of the answers took less than ${whole(totals.latencyMs.p50)} ms, and 99 of 100 less than ${whole(totals.latencyMs.p99)} ms; the gateway waits ${whole(figures.answers.limitMs)} ms. ${figures.money.agrees && figures.money.totals.agrees ? "What was kept is the price of the seats that were sold, and PortOne's own books say the same to the won." : 'Money and seats do not agree.'}</p>`;
}

function tiles({ totals, answers, money }: Figures): string {
  const tile = (figure: string, words: string) =>
    `<div class="tile"><b>${figure}</b><span>${words}</span></div>`;
  return `<div class="tiles">${[
    tile(whole(totals.sold), `of ${whole(totals.seats)} seats sold`),
    tile(whole(totals.verdictsPerSecond.peak), 'verdicts in the best second'),
    tile(`${whole(totals.latencyMs.p95)} ms`, 'p95 of a verdict'),
    tile(`${whole(answers.slowestMs)} ms`, 'the slowest answer'),
    tile(whole(totals.resold), 'seats sold again'),
    tile(whole(money.refunded), 'payments given back whole'),
    tile(whole(money.totals.difference), 'won that nothing explains'),
  ].join('')}</div>`;
}

function key(entries: readonly (readonly [string, string, 'stroke'?])[]): string {
  const items = entries.map(
    ([name, colour, shape]) =>
      `<li><i${shape ? ` class="${shape}"` : ''} style="background:${colour}"></i>${escaped(name)}</li>`,
  );
  return `<ul class="key">${items.join('')}</ul>`;
}

/** From the first ask, or the opening, to the last verdict, in whole bins. */
function timeline(asks: readonly Ask[]) {
  const from = Math.floor(Math.min(0, ...asks.map((ask) => ask.askedAtMs)) / 1_000) * 1_000;
  const last = asks.reduce(
    (most, ask) => Math.max(most, ask.askedAtMs + ask.waitedMs + ask.latencyMs),
    1_000,
  );
  const bins = Math.ceil((last - from + 1) / BIN_MS);
  return { from, bins, x: { from: from / 1_000, to: (from + bins * BIN_MS) / 1_000 } };
}

function arrivals({ evidence }: Demonstrated): string {
  const { asks } = evidence.sale;
  const { from, bins, x } = timeline(asks);
  const verdicts = (which: (ask: Ask) => boolean) => {
    const moments = asks.filter((a) => a.heard !== 'no_answer' && which(a));
    return binned(
      moments.map((a) => a.askedAtMs + a.waitedMs + a.latencyMs),
      from,
      BIN_MS,
      bins,
    );
  };
  const asked = binned(
    asks.map((ask) => ask.askedAtMs),
    from,
    BIN_MS,
    bins,
  );
  const busy = verdicts((a) => BUSY.has(a.heard));
  const chart = stackedBars(
    {
      ...WIDE,
      title: 'Confirm calls and verdicts over time',
      xLabel: 'seconds after the opening',
      yLabel: 'in each half second',
    },
    x,
    [
      {
        name: 'confirmed',
        colour: 'var(--sold)',
        values: verdicts((a) => a.heard === 'confirmed'),
      },
      {
        name: 'refused',
        colour: 'var(--refused)',
        values: verdicts((a) => a.heard !== 'confirmed' && !BUSY.has(a.heard)),
      },
      { name: 'refused as busy', colour: 'var(--busy)', values: busy },
    ],
    [{ name: 'asked', colour: 'var(--ask)', values: asked }],
  );
  return `<section><h2>Arrivals and verdicts</h2>
<p class="soft">The rush comes with the opening; later bumps are people who come back when a hold that was never paid ends after five seconds.</p>
<figure><div class="wide">${chart}</div>${key([
    ['confirmed', 'var(--sold)'],
    ['refused', 'var(--refused)'],
    ['refused because too busy', 'var(--busy)'],
    ['asked', 'var(--ask)', 'stroke'],
  ])}</figure></section>`;
}

function seats({ evidence, figures, opensAtMs }: Demonstrated): string {
  const lastMove = evidence.moves.at(-1)?.atMs ?? opensAtMs;
  const untilMs = Math.max(1_000, lastMove - opensAtMs);
  const each = figures.events.map((event) => seatsOf(event, evidence.moves, opensAtMs, untilMs));
  return `<section><h2>Seats over time</h2>
<p class="soft">Read from the record of moves, which the database writes in the same transaction as each change. A falling edge of “held” is seats that were paid for, or that came back.</p>
<div class="events">${each.join('')}</div>${key([
    ['sold', 'var(--sold)'],
    ['held while a payment is under way', 'var(--held)'],
    ['free', 'var(--free)'],
  ])}</section>`;
}

function seatsOf(
  event: EventFigures,
  moves: readonly Move[],
  opensAtMs: number,
  untilMs: number,
): string {
  const own = moves.filter((move) => move.slug === event.slug);
  const points = seatsOverTime(own, opensAtMs, untilMs, POINTS);
  const chart = stackedAreas(
    {
      ...SMALL,
      title: `Seats of ${event.name} by state over time`,
      xLabel: 'seconds after the opening',
      yLabel: 'seats',
    },
    { from: 0, to: untilMs / 1_000 },
    [
      { name: 'sold', colour: 'var(--sold)', values: points.map((p) => p.sold) },
      { name: 'held', colour: 'var(--held)', values: points.map((p) => p.held) },
      {
        name: 'free',
        colour: 'var(--free)',
        values: points.map((p) => event.seats - p.sold - p.held),
      },
    ],
    event.seats,
  );
  const fight = (event.buyers / event.seats).toFixed(1);
  return `<figure><h3>${escaped(event.name)}</h3><figcaption>${whole(event.buyers)} buyers for ${whole(event.seats)} seats (${fight} for each); ${whole(event.released)} came back, ${whole(event.resold)} sold again</figcaption>${chart}</figure>`;
}

function latency({ evidence, figures }: Demonstrated): string {
  const answered = evidence.sale.asks.filter((ask) => ask.heard !== 'no_answer');
  const { from, x } = timeline(evidence.sale.asks);
  const perSecond = Array.from({ length: Math.ceil(x.to - x.from) }, () => [] as number[]);
  for (const ask of answered) {
    perSecond[Math.floor((ask.askedAtMs - from) / 1_000)]?.push(ask.latencyMs);
  }
  for (const values of perSecond) values.sort((a, b) => a - b);
  const line = (name: string, share: number, colour: string) => ({
    name,
    colour,
    values: perSecond.map((values) => (values.length === 0 ? null : percentile(values, share))),
  });
  const overTime = lineChart(
    {
      ...WIDE,
      height: 260,
      title: 'Latency of a verdict over time',
      xLabel: 'seconds after the opening',
      yLabel: 'ms',
    },
    { from: x.from, to: x.from + perSecond.length },
    [
      line('p50', 0.5, 'var(--p50)'),
      line('p95', 0.95, 'var(--p95)'),
      line('p99', 0.99, 'var(--p99)'),
    ],
  );
  const bands = BANDS_MS.map((to, index) => ({
    name: `≤ ${whole(to)}`,
    value: answered.filter((a) => a.latencyMs <= to && a.latencyMs > (BANDS_MS[index - 1] ?? -1))
      .length,
  }));
  const histogram = bandChart(
    {
      ...WIDE,
      height: 230,
      title: 'How many verdicts took how long',
      xLabel: 'ms from the question to the whole answer, as the gateway saw it',
      yLabel: 'verdicts',
    },
    bands,
    'var(--sold)',
  );
  return `<section><h2>How long an answer took</h2>
<p class="soft">Measured by the gateway, which keeps ${CONNECTIONS} connections open, from the moment a call has one of them to the last byte of its answer. The gateway gives up after ${whole(figures.answers.limitMs)} ms; the slowest answer took ${whole(figures.answers.slowestMs)} ms. With the wait for a connection, 95 of 100 buyers heard within ${whole(figures.totals.buyerWaitMs.p95)} ms of their click.</p>
<figure><div class="wide">${overTime}</div>${key([
    ['p50: half were quicker', 'var(--p50)', 'stroke'],
    ['p95', 'var(--p95)', 'stroke'],
    ['p99', 'var(--p99)', 'stroke'],
  ])}</figure>
<figure><div class="wide">${histogram}</div></figure></section>`;
}

function cast({ buyers, figures }: Demonstrated, options: DemoOptions): string {
  const stories = countBy(buyers, (buyer) => buyer.story);
  const list = Object.entries(stories).map(
    ([story, n]) => `<li>${whole(n)} would ${escaped(STORY_MEANING[story as Story])}</li>`,
  );
  const dialects = countBy(buyers, (buyer) => buyer.dialect);
  const spoken = Object.entries(dialects).map(([dialect, n]) => `${whole(n)} ${dialect}`);
  const { buyers: b, seats: s, events: e, seed } = options;
  return `<section><h2>Who came, and how to see it again</h2>
<ul class="plain">${list.join('')}</ul>
<p>They paid through the gateway's three dialects: ${escaped(spoken.join(', '))}. Some webhooks were lost, doubled, delayed or out of order. Whoever comes back after a refusal or a declined card pays at once.</p>
<p>The ${figures.carrier === 'redis' ? 'queue was carried by Redis' : 'queue lived in Postgres'}. The service logged ${figures.errorLines} errors and ${figures.warningLines} warnings. The same people come in the same order with:</p>
<p><code>npm run demo -- --buyers ${b} --seats ${s} --events ${e} --seed ${seed}</code></p></section>`;
}

function seconds(durationMs: number): string {
  return `${Math.round(durationMs / 1_000)} seconds`;
}
