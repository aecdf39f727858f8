/** Reads a scenario file: a scenario that makes sense, or every fault with its line and what to do. */

import { type Document, isMap, isNode, isSeq, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { faultsOfMeaning } from './meaning.ts';
import { type Scenario, scenarioShape } from './schema.ts';

export interface FileFault {
  file: string;
  line: number;
  /** Where in the file, as in `steps[2].pay.buyer`; empty for the file as a whole. */
  place: string;
  message: string;
}

export type Loaded = { ok: true; scenario: Scenario } | { ok: false; faults: FileFault[] };

/** Far more than a hundred steps need. */
export const FILE_CHARS_MAX = 64 * 1024;
const FAULTS_SHOWN_MAX = 20;
const ALIASES_MAX = 50;

type Path = readonly PropertyKey[];

export function loadScenario(file: string, text: string): Loaded {
  if (text.length > FILE_CHARS_MAX) {
    const message = `longer than ${FILE_CHARS_MAX} characters: split it into several scenarios`;
    return { ok: false, faults: [{ file, line: 1, place: '', message }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const faults = document.errors.slice(0, FAULTS_SHOWN_MAX).map((error) => ({
      file,
      line: lines.linePos(error.pos[0]).line,
      place: '',
      message: `not YAML: ${error.message}`,
    }));
    return { ok: false, faults };
  }
  const at = (path: Path, message: string): FileFault => ({
    file,
    line: lineOf(document, lines, path),
    place: placeOf(path),
    message,
  });
  const value = plain(document);
  if (value instanceof Error) return { ok: false, faults: [at([], value.message)] };
  const read = scenarioShape.safeParse(value);
  if (!read.success) {
    const faults = read.error.issues.map((issue) => at(pathOf(issue, value), wording(issue)));
    return { ok: false, faults: inOrder(faults).slice(0, FAULTS_SHOWN_MAX) };
  }
  const meaning = faultsOfMeaning(read.data);
  if (meaning.length === 0) return { ok: true, scenario: read.data };
  const faults = inOrder(meaning.map(({ path, message }) => at(path, message)));
  return { ok: false, faults: faults.slice(0, FAULTS_SHOWN_MAX) };
}

/** By line; of two about one place the one that says it more closely, and nothing twice. */
function inOrder(faults: FileFault[]): FileFault[] {
  const closer = (one: FileFault, other: FileFault) =>
    other.line === one.line && other.place !== one.place && other.place.startsWith(one.place);
  const once = new Map(faults.map((fault) => [wordsOfFault(fault), fault]));
  return [...once.values()]
    .filter((fault) => !faults.some((other) => closer(fault, other)))
    .sort((a, b) => a.line - b.line);
}

export function wordsOfFault({ file, line, place, message }: FileFault): string {
  return `${file}:${line}: ${place === '' ? '' : `${place}: `}${message}`;
}

/** Aliases that multiply without end are refused by the reader; that is a fault of the file too. */
function plain(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX }) ?? {};
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** An unknown key is at fault itself, not the map it stands in. */
function pathOf(issue: z.core.$ZodIssue, value: unknown): Path {
  const path =
    issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
  return asWritten(path, value);
}

/** What may be written singly is read as a list of one; its path then has an index too many. */
function asWritten(path: Path, value: unknown): Path {
  const written: PropertyKey[] = [];
  let here = value;
  for (const key of path) {
    if (typeof key === 'number' && !Array.isArray(here)) continue;
    written.push(key);
    here = typeof here === 'object' && here !== null ? Reflect.get(here, key) : undefined;
  }
  return written;
}

/** As YAML's readers call them. */
const KINDS: Record<string, string> = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  null: 'nothing',
  undefined: 'nothing',
};

const kind = (name: string): string => KINDS[name] ?? name;

function wording(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.message.includes('received undefined')) {
    return `missing: give ${kind(String(issue.expected))}`;
  }
  const [, wanted, got] =
    /^Invalid input: expected (\w+), received (\w+)$/.exec(issue.message) ?? [];
  if (wanted !== undefined && got !== undefined) return `must be ${kind(wanted)}, not ${kind(got)}`;
  return issue.message
    .replace(/^Invalid option: expected /, 'must be ')
    .replace(/^Invalid input: expected (.+)$/, 'must be $1')
    .replace(/^Too (small|big): expected \w+ to (be|have) /, 'must $2 ');
}

/** The nearest part of the file that is there: what is missing has no line of its own. */
function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = nodeAt(document, path.slice(0, length));
    if (node !== null) return lines.linePos(node).line;
  }
  return 1;
}

/** Where the key stands, for the value may begin lines below it; of a list, where the item stands. */
function nodeAt(document: Document, path: Path): number | null {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isSeq(parent)) {
    const item = parent.items[Number(last)];
    return isNode(item) ? (item.range?.[0] ?? null) : null;
  }
  if (!isMap(parent)) return null;
  const key = parent.items.find((pair) => String(pair.key) === String(last))?.key;
  return isNode(key) ? (key.range?.[0] ?? null) : null;
}

function placeOf(path: Path): string {
  return path.reduce<string>((place, key) => {
    if (typeof key === 'number') return `${place}[${key}]`;
    return place === '' ? String(key) : `${place}.${String(key)}`;
  }, '');
}
