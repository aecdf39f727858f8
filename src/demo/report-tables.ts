// The report's tables: the sale in figures, every law, the money.

import { LAW_MEANING } from '../operations/openapi-words.ts';
import { escaped } from './charts.ts';
import type { Counts, Figures } from './figures.ts';
import { lawsShown } from './laws.ts';
import {
  agreement,
  caseTable,
  DIFFERENCE,
  moneySentences,
  moneyTable,
  OPEN_CASES,
} from './money-words.ts';
import { whole } from './table.ts';

export function saleSection(figures: Figures): string {
  const all: [string, Counts][] = [
    ...figures.events.map((event): [string, Counts] => [event.name, event]),
    ...(figures.events.length > 1 ? [['All', figures.totals] as [string, Counts]] : []),
  ];
  const row = (name: string, of: (counts: Counts) => string) => [
    name,
    ...all.map(([, c]) => of(c)),
  ];
  const ms = (value: number) => `${whole(value)} ms`;
  const sale = tableOf([
    ['', ...all.map(([name]) => name)],
    row('Buyers', (c) => whole(c.buyers)),
    row('Seats', (c) => whole(c.seats)),
    row('Asked “may I charge?”', (c) => whole(c.asked)),
    row('Confirmed', (c) => whole(c.confirmed)),
    row('Refused', (c) => whole(c.refused)),
    row('Hung up before the answer', (c) => whole(c.hungUp)),
    row('Payments kept', (c) => whole(c.paid)),
    row('Payments refunded', (c) => whole(c.refunded)),
    row('Seats sold', (c) => whole(c.sold)),
    row('Seats that came back', (c) => whole(c.released)),
    row('Seats sold again', (c) => whole(c.resold)),
    row('Verdict p50', (c) => ms(c.latencyMs.p50)),
    row('Verdict p95', (c) => ms(c.latencyMs.p95)),
    row('Verdict p99', (c) => ms(c.latencyMs.p99)),
    row('Buyer waits p95', (c) => ms(c.buyerWaitMs.p95)),
    row('Verdicts a second, mean', (c) => whole(c.verdictsPerSecond.mean)),
    row('Verdicts in the best second', (c) => whole(c.verdictsPerSecond.peak)),
  ]);
  const codes = Object.keys(figures.totals.refusedBy);
  const refused = tableOf([
    ['Refused, by code', ...all.map(([name]) => name)],
    ...codes.map((code) => [code, ...all.map(([, c]) => whole(c.refusedBy[code] ?? 0))]),
  ]);
  const why = Object.keys(figures.totals.releasedWhy);
  const released = tableOf([
    ['Seats came back because', ...all.map(([name]) => name)],
    ...why.map((reason) => [reason, ...all.map(([, c]) => whole(c.releasedWhy[reason] ?? 0))]),
  ]);
  return `<section><h2>The sale in figures</h2>${sale}<br>${refused}<br>${released}</section>`;
}

export function lawsSection(figures: Figures): string {
  const rows = lawsShown(figures).map(({ law, says, held, shown }) => {
    const word = held === null ? '–' : held ? 'held' : 'broken';
    const name = held === null ? '' : held ? 'ok' : 'fail';
    return `<tr><td>${law}&ensp;${escaped(says)}</td><td class="${name}">${word}</td><td class="words">${escaped(shown)}</td></tr>`;
  });
  const audit = tableOf(
    [
      ['Audit: violations found', ...figures.events.map((event) => event.name)],
      ...(Object.entries(LAW_MEANING) as [keyof typeof LAW_MEANING, string][]).map(
        ([law, meaning]) => [meaning, ...figures.events.map((event) => String(event.audit[law]))],
      ),
    ],
    (cell) => (cell === '0' ? 'ok' : 'fail'),
  );
  return `<section><h2>Every law</h2>
<p class="soft">A dash stands where a sale in which nothing breaks can show nothing.</p>
<div class="scroll"><table><thead><tr><th>Law</th><th></th><th class="words">What this sale shows</th></tr></thead><tbody>${rows.join('')}</tbody></table></div><br>${audit}</section>`;
}

export function moneySection(figures: Figures): string {
  const { agrees, totals } = figures.money;
  const good = agrees && totals.agrees;
  return `<section id="money"><h2>Money against seats</h2>
<p class="soft">Seatline's ledger beside PortOne's own books. What was paid and kept, with what the organizer gave away, is the price of the seats that are sold: the difference is zero.</p>
<div class="badge ${good ? 'good' : 'bad'}">${escaped(agreement(figures))}</div>
${tableOf(moneyTable(figures), moneyCell)}
<h3 class="apart">Every case of money going astray, and what came of it</h3>
<p class="soft">Counted by PortOne's books. Whoever was refused a seat is left out.</p>
${tableOf(caseTable(figures))}
<ul class="plain">${moneySentences(figures)
    .map((line) => `<li>${escaped(line)}</li>`)
    .join('')}</ul></section>`;
}

/** What must be the same on both sides stands out, and what must be zero shows whether it is. */
function moneyCell(cell: string, row: string): string {
  if (row === DIFFERENCE || row === OPEN_CASES) return cell === '0' ? 'ok' : 'fail';
  return /kept$/i.test(row) ? 'sum' : '';
}

function tableOf(
  rows: readonly (readonly string[])[],
  classOf?: (cell: string, row: string) => string,
): string {
  const [head = [], ...body] = rows;
  const cells = (row: readonly string[], tag: 'th' | 'td') =>
    row
      .map((cell, index) => {
        const name = index > 0 && tag === 'td' ? (classOf?.(cell, row[0] ?? '') ?? '') : '';
        return `<${tag}${name ? ` class="${name}"` : ''}>${escaped(cell)}</${tag}>`;
      })
      .join('');
  return `<div class="scroll"><table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${body
    .map((row) => `<tr>${cells(row, 'td')}</tr>`)
    .join('')}</tbody></table></div>`;
}
