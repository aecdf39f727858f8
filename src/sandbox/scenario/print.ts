/** A scenario's story as a person reads it in a terminal. */

import type { ScenarioResult } from './run.ts';
import type { Scenario } from './schema.ts';
import type { TimelineEntry } from './timeline.ts';

const KIND_WIDTH = 8;
const WHO_WIDTH = 12;
const TIME_WIDTH = 8;
const PROSE_WIDTH = 96;

export function headOf(scenario: Scenario, file: string): string {
  return `\n${scenario.name}   (${file})\n${wrapped(scenario.about)}\n`;
}

export function lineOf({ atMs, kind, who, what, held }: TimelineEntry): string {
  const time = (atMs / 1_000).toFixed(3).padStart(TIME_WIDTH);
  const mark = held === undefined ? '' : held ? 'ok    ' : 'WRONG ';
  const by = who ?? '';
  return `${time}  ${kind.padEnd(KIND_WIDTH)}  ${by.padEnd(WHO_WIDTH)}  ${mark}${what}`.trimEnd();
}

export function footOf(result: ScenarioResult, hint: string): string {
  const wrong = result.checks.filter(({ held }) => !held).length;
  const all = `${result.checks.length} expectation${result.checks.length === 1 ? '' : 's'}`;
  if (result.held) return `held: ${all}`;
  if (result.trouble !== null) return `FAILED: could not be played to its end: ${result.trouble}`;
  return `FAILED: ${wrong} of ${all} did not hold\n${hint}`;
}

export function summaryOf(results: ScenarioResult[]): string {
  const held = results.filter((result) => result.held).length;
  const names = results.filter((result) => !result.held).map(({ name }) => `  ${name}`);
  const all = `${held} of ${results.length} scenario${results.length === 1 ? '' : 's'} held`;
  return ['', names.length === 0 ? all : `${all}; these did not:`, ...names].join('\n');
}

function wrapped(prose: string): string {
  const lines = [''];
  for (const word of prose.split(/\s+/)) {
    const last = lines.at(-1) ?? '';
    if (last.length + word.length >= PROSE_WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((line) => `  ${line}`).join('\n');
}
