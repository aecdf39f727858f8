// The parts that the API's document is put together from: bodies, parameters, answers by status.

import { REFUSAL_STATUS, type RefusalCode } from '../confirm/verdict.ts';
import { PROBLEM_STATUS, type ProblemCode } from '../http/problem.ts';
import type { answerSchemas } from './openapi-answers.ts';
import type { requestSchemas } from './openapi-requests.ts';
import { PROBLEM_MEANING, VERDICT_MEANING } from './openapi-words.ts';

export type Json = Record<string, unknown>;
export type Paths = Record<string, Record<string, Json>>;
export type Name = keyof typeof requestSchemas | keyof typeof answerSchemas;

export const ORGANIZER = 'Organizer side';

export const bodyFaults: ProblemCode[] = ['invalid_request', 'malformed_body', 'body_too_large'];

export function organizer(operation: { responses: Json; [more: string]: unknown }): Json {
  const { responses, ...rest } = operation;
  const always = problems('unauthorized', 'unavailable', 'internal');
  return {
    tags: [ORGANIZER],
    security: [{ apiKey: [] }],
    ...rest,
    responses: merged(responses, always),
  };
}

interface Response {
  description: string;
  headers?: Json;
  content: Json;
}
type Responses = Record<string, Response>;

/** One status may come as a verdict and as a problem: two content types of one answer. */
export function merged(...all: Json[]): Json {
  const answers: Responses = {};
  for (const [status, next] of all.flatMap((some) => Object.entries(some as Responses))) {
    const before = answers[status];
    answers[status] = before
      ? {
          ...before,
          ...next,
          description: `${before.description}\n\n${next.description}`,
          content: { ...before.content, ...next.content },
        }
      : next;
  }
  return answers;
}

export function inPath(name: string, description: string): Json {
  return { name, in: 'path', required: true, description, schema: { type: 'string' } };
}

export function inQuery(name: string, schema: Json, description: string): Json {
  return { name, in: 'query', required: false, description, schema };
}

export function ref(name: Name): Json {
  return { $ref: `#/components/schemas/${name}` };
}

export function json(name: Name, description: string): Json {
  return { description, content: { 'application/json': { schema: ref(name) } } };
}

export function jsonBody(name: Name): Json {
  return { required: true, content: { 'application/json': { schema: ref(name) } } };
}

export function formOrJson(names: Name[]): Json {
  const schema = { anyOf: names.map(ref) };
  return {
    required: true,
    content: {
      'application/json': { schema },
      'application/x-www-form-urlencoded': { schema },
    },
  };
}

/** One answer a status, each naming the codes that come with it. */
export function problems(...codes: ProblemCode[]): Json {
  return byStatus(codes, PROBLEM_STATUS, (some) => ({
    description: meanings(some, PROBLEM_MEANING),
    content: {
      'application/problem+json': { schema: narrowed('Problem', some) },
    },
  }));
}

export function refusals(
  name: Name = 'Refused',
  meaning: Partial<Record<RefusalCode, string>> = VERDICT_MEANING,
): Json {
  const codes = (Object.keys(REFUSAL_STATUS) as RefusalCode[]).filter((code) => code in meaning);
  return byStatus(codes, REFUSAL_STATUS, (some, status) => ({
    description: meanings(some, meaning),
    ...(status === 503
      ? { headers: { 'Retry-After': { schema: { type: 'string' }, description: 'Seconds.' } } }
      : {}),
    content: { 'application/json': { schema: narrowed(name, some) } },
  }));
}

function byStatus<Code extends string>(
  codes: Code[],
  statusOf: Record<Code, number>,
  answer: (codes: Code[], status: number) => Json,
): Json {
  const statuses = [...new Set(codes.map((code) => statusOf[code]))];
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      answer(
        codes.filter((code) => statusOf[code] === status),
        status,
      ),
    ]),
  );
}

function narrowed(name: Name, codes: string[]): Json {
  return { allOf: [ref(name), { properties: { code: { enum: codes } } }] };
}

function meanings<Code extends string>(codes: Code[], of: Partial<Record<Code, string>>): string {
  return codes.map((code) => `\`${code}\`: ${of[code]}`).join('\n\n');
}

export function verdictTable(): string {
  const rows = Object.entries(VERDICT_MEANING).map(([code, meaning]) => {
    const status = code === 'confirmed' ? 200 : REFUSAL_STATUS[code as RefusalCode];
    return `| \`${code}\` | ${status} | ${meaning} |`;
  });
  return ['| code | HTTP | meaning |', '|---|---|---|', ...rows].join('\n');
}
