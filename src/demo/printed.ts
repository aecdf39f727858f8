// The figures as a person at a terminal reads them.

import { LAW_MEANING } from '../operations/openapi-words.ts';
import type { Counts, Figures } from './figures.ts';
import { agreement, caseTable, moneySentences, moneyTable } from './money-words.ts';
import { ms, tableOf, whole } from './table.ts';

export function printed(figures: Figures): string {
  const parts = [
    `\nThe sale (${seconds(figures.saleMs)}, ${figures.carrier} carries the queue)\n`,
    saleTable(figures),
    '\nRefused, by code\n',
    refusalTable(figures),
    '\nAudit: violations of each law\n',
    auditTable(figures),
    "\nMoney against seats, and PortOne's own books\n",
    tableOf(moneyTable(figures)),
    `\n  ${agreement(figures)}`,
    '\nMoney cases: how many were played, and what came of the money\n',
    tableOf(caseTable(figures)),
    '',
    ...moneySentences(figures).map((line) => `  ${line}`),
    '',
    ...verdict(figures),
  ];
  return `${parts.join('\n')}\n`;
}

function columns(figures: Figures): [string, Counts][] {
  const events = figures.events.map((event): [string, Counts] => [event.name, event]);
  return events.length === 1 ? events : [...events, ['all', figures.totals]];
}

function saleTable(figures: Figures): string {
  const counts = columns(figures);
  const row = (name: string, of: (counts: Counts) => string) => [
    name,
    ...counts.map(([, c]) => of(c)),
  ];
  return tableOf([
    ['', ...counts.map(([name]) => name)],
    row('buyers', (c) => whole(c.buyers)),
    row('seats', (c) => whole(c.seats)),
    row('asked', (c) => whole(c.asked)),
    row('confirmed', (c) => whole(c.confirmed)),
    row('refused', (c) => whole(c.refused)),
    row('hung up on', (c) => whole(c.hungUp)),
    row('paid', (c) => whole(c.paid)),
    row('refunded', (c) => whole(c.refunded)),
    row('seats sold', (c) => whole(c.sold)),
    row('released', (c) => whole(c.released)),
    row('resold', (c) => whole(c.resold)),
    row('verdict p50', (c) => ms(c.latencyMs.p50)),
    row('verdict p95', (c) => ms(c.latencyMs.p95)),
    row('verdict p99', (c) => ms(c.latencyMs.p99)),
    row('buyer waits p95', (c) => ms(c.buyerWaitMs.p95)),
    row('verdicts/s, mean', (c) => whole(c.verdictsPerSecond.mean)),
    row('verdicts/s, best second', (c) => whole(c.verdictsPerSecond.peak)),
  ]);
}

function refusalTable(figures: Figures): string {
  const counts = columns(figures);
  const codes = Object.keys(figures.totals.refusedBy);
  if (codes.length === 0) return '  nobody';
  return tableOf([
    ['', ...counts.map(([name]) => name)],
    ...codes.map((code) => [code, ...counts.map(([, c]) => whole(c.refusedBy[code] ?? 0))]),
  ]);
}

function auditTable(figures: Figures): string {
  const laws = Object.entries(LAW_MEANING) as [keyof typeof LAW_MEANING, string][];
  return tableOf([
    ['', ...figures.events.map((event) => event.name)],
    ...laws.map(([law, meaning]) => [
      meaning,
      ...figures.events.map((event) => String(event.audit[law])),
    ]),
  ]);
}

function verdict(figures: Figures): string[] {
  const { answers } = figures;
  const lines = [
    `Answers: the slowest took ${ms(answers.slowestMs)} of ${ms(answers.limitMs)}; ` +
      `${answers.repeated} payments were asked about more than once, ` +
      `${answers.disagreeing} of them heard different yeses.`,
    `Service log: ${figures.errorLines} lines of level error, ${figures.warningLines} of level warn, ` +
      `and ${figures.personLines} that asked a person for a buyer's account.`,
    figures.soldOut ? 'Every seat is sold.' : notSoldOut(figures),
    `Seed ${figures.seed}, ${seconds(figures.durationMs)} in all.`,
  ];
  if (figures.report !== null) lines.push(`Report: ${figures.report}`);
  if (figures.clean) return [...lines, '', 'Every law held.'];
  return [...lines, '', 'Not every law held:', ...figures.failures.map((line) => `  ${line}`)];
}

function notSoldOut(figures: Figures): string {
  const left = figures.events.filter((event) => !event.soldOut);
  const list = left.map((event) => `${event.name} ${event.available}`).join(', ');
  return `Not sold out: too few wanted what was left (${list}). That breaks no law.`;
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1_000).toFixed(1)} s`;
}
