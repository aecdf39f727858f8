/** What a scenario file may say, read off the schema itself, so that it cannot go stale. */

import { z } from 'zod';
import { payFields } from '../pay-request.ts';
import { SET_BY_ORDER } from './attempt.ts';
import { scenarioShape } from './schema.ts';

interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  format?: string;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
}

const NAME_WIDTH = 20;
const KIND_WIDTH = 10;
/** A kind or a list of choices that is longer has its description on the next line. */
const LINE_WIDTH = 110;
const PAY_STEPS = ['pay', 'authenticate'];

export function scenarioReference(): string {
  const whole = jsonOf(scenarioShape);
  const { steps, expect, ...head } = whole.properties ?? {};
  const stepSchemas = steps?.items?.properties ?? {};
  return [
    'A scenario is one YAML file:',
    '',
    ...Object.entries(head).flatMap(([name, field]) => linesOf(name, field, 1)),
    ...linesOf('steps', { type: 'a list', description: 'what happens, in order; see below' }, 1),
    ...linesOf('expect', { type: 'a map', description: 'what must come of it; see below' }, 1),
    '',
    'Steps, one to a dash. Where a map holds only the name of an attempt or order, the name may stand',
    'alone: "deposit: mum". A step that needs nothing stands alone too: "- deposit".',
    '',
    ...Object.entries(stepSchemas).flatMap(([name, field]) => stepLines(name, field)),
    '',
    'What an attempt may say, in pay and authenticate; of a map the same as with curl:',
    '',
    ...attemptLines(stepSchemas.pay?.items?.properties ?? {}),
    '',
    'What may be expected, in expect, at the end or as a step:',
    '',
    ...Object.entries(expect?.properties ?? {}).flatMap(([name, field]) => linesOf(name, field, 1)),
    '',
  ].join('\n');
}

const jsonOf = (schema: z.ZodType): Schema =>
  z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as Schema;

function stepLines(name: string, field: Schema): string[] {
  if (PAY_STEPS.includes(name)) {
    return linesOf(name, { type: 'attempt(s)', description: field.description ?? '' }, 1);
  }
  if (name === 'expect') return [line(name, 'map', field, 1)];
  return linesOf(name, field, 1);
}

function attemptLines(own: Record<string, Schema>): string[] {
  const of = Object.entries(jsonOf(payFields).properties ?? {});
  const said = of.filter(([name]) => !SET_BY_ORDER.includes(name));
  return [...Object.entries(own), ...said].flatMap(([name, field]) => linesOf(name, field, 1));
}

/** The field itself, and below it those of its map. */
function linesOf(name: string, field: Schema, depth: number): string[] {
  const inner = mapOf(field);
  const parts = Object.entries(inner?.properties ?? {});
  const named = inner !== null && typeof inner.additionalProperties === 'object';
  return [
    line(name, kindOf(field), field, depth),
    ...(named ? namedLines(inner, depth) : []),
    ...parts.flatMap(([key, part]) => linesOf(key, part, depth + 1)),
  ];
}

/** A map of maps by names, the same for each. */
function namedLines(map: Schema, depth: number): string[] {
  const each = map.additionalProperties as Schema;
  const keys = Object.keys(each.properties ?? {});
  return keys.length === 0
    ? []
    : [line('NAME', `the same as one: ${keys.join(', ')}`, {}, depth + 1)];
}

function line(name: string, kind: string, field: Schema, depth: number): string {
  const indent = '  '.repeat(depth);
  const head = `${indent}${name.padEnd(NAME_WIDTH - indent.length)} `;
  const preset = presetOf(field.default);
  const what = [field.description, preset].filter(Boolean).join(' ');
  const short = `${head}${kind.padEnd(KIND_WIDTH)}  ${what}`.trimEnd();
  if (short.length <= LINE_WIDTH || what === '') return short;
  return `${head}${kind}\n${' '.repeat(NAME_WIDTH + 1)}${what}`;
}

function presetOf(preset: unknown): string {
  if (preset === undefined || preset === null || typeof preset === 'object') return '';
  return `(${preset} unless told)`;
}

/** The map that the field is, or may be. */
function mapOf(field: Schema): Schema | null {
  if (field.type === 'object') return field;
  return field.anyOf?.find(({ type }) => type === 'object') ?? null;
}

const KINDS: Record<string, string> = {
  string: 'text',
  integer: 'number',
  boolean: 'true/false',
  object: 'map',
};

function kindOf(field: Schema): string {
  if (field.const !== undefined) return String(field.const);
  if (field.enum !== undefined) return field.enum.join(' | ');
  const map = mapOf(field);
  if (map?.properties !== undefined && Object.keys(map.properties).length === 0) return 'alone';
  if (field.anyOf !== undefined) {
    const ways = field.anyOf.filter(({ type }) => type !== 'null' || !mapOf(field));
    return [...new Set(ways.map(kindOf))].join(', or ');
  }
  if (field.type === 'array') return `list of ${kindOf(field.items ?? {})}`;
  if (field.format === 'uri') return 'URL';
  return KINDS[field.type ?? ''] ?? field.type ?? 'anything';
}
