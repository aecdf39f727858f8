// The API's document (OpenAPI 3.1), made from the schemas and the closed lists of the code itself.

import { z } from 'zod';
import { REFUSAL_STATUS, type RefusalCode } from '../confirm/verdict.ts';
import { PROBLEM_STATUS, type ProblemCode } from '../http/problem.ts';
import { answerSchemas } from './openapi-answers.ts';
import { requestSchemas } from './openapi-requests.ts';
import { PROBLEM_MEANING, VERDICT_MEANING } from './openapi-words.ts';

type Json = Record<string, unknown>;
type Name = keyof typeof requestSchemas | keyof typeof answerSchemas;

const GATEWAY = 'Gateway side';
const ORGANIZER = 'Organizer side';
const OPERATORS = 'For operators';

export interface OpenApiDocument {
  openapi: string;
  paths: Record<string, Record<string, Json>>;
  [more: string]: unknown;
}

export function openApiDocument(): OpenApiDocument {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Seatline',
      version: '1',
      summary: 'The confirm_url that sells every seat once: PortOne asks, Seatline answers.',
      description: 'HTTP 200 from `POST /confirm` means: charge. Anything else means: do not.',
    },
    servers: [{ url: '.' }],
    tags: [
      { name: GATEWAY, description: 'Called by PortOne.' },
      { name: ORGANIZER, description: "Called by the organizer's own server, with the API key." },
      { name: OPERATORS, description: 'Called by operators and their machines.' },
    ],
    paths: { ...gatewayPaths(), ...eventPaths(), ...orderPaths(), ...operatorPaths() },
    components: {
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'API_KEY' } },
      schemas: { ...schemasFrom(requestSchemas, 'input'), ...schemasFrom(answerSchemas, 'output') },
    },
  };
}

// --- the paths ------------------------------------------------------------------------------

function gatewayPaths(): Record<string, Record<string, Json>> {
  const signature = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => ({
    name,
    in: 'header',
    schema: { type: 'string' },
    description: 'Standard Webhooks; V2 only.',
  }));
  const token = {
    name: 'token',
    in: 'query',
    schema: { type: 'string' },
    description: "Proof that the organizer's server made this URL; part of `confirmUrl`.",
  };
  const dialects: Name[] = ['ConfirmV1', 'ConfirmV2Early', 'ConfirmV2'];
  const notices: Name[] = ['WebhookV1', 'WebhookV2Early', 'WebhookV2'];
  return {
    '/confirm': {
      post: {
        tags: [GATEWAY],
        summary: 'May this buyer be charged?',
        description: `Every verdict, one code each:\n\n${verdictTable()}`,
        parameters: [token, ...signature],
        requestBody: formOrJson(dialects),
        responses: {
          200: json('Confirmed', VERDICT_MEANING.confirmed),
          ...refusals(),
          ...problems('method_not_allowed', 'internal'),
        },
      },
    },
    '/webhook': {
      post: {
        tags: [GATEWAY],
        summary: 'Something happened to a payment',
        description: 'Answered 200 once it is stored, also for repeats and unknown types.',
        parameters: signature,
        requestBody: formOrJson(notices),
        responses: {
          200: json('WebhookStored', 'Stored.'),
          ...problems(
            'malformed_body',
            'unauthorized',
            'body_too_large',
            'unavailable',
            'internal',
          ),
        },
      },
    },
  };
}

function eventPaths(): Record<string, Record<string, Json>> {
  const slug = inPath('slug', 'The event.');
  return {
    '/api/events': {
      post: organizer({
        summary: 'Create an event',
        requestBody: jsonBody('NewEvent'),
        responses: { 201: json('Event', 'Created.'), ...problems('conflict', ...bodyFaults) },
      }),
    },
    '/api/events/{slug}': {
      get: organizer({
        summary: 'Look at an event and its counts of seats',
        parameters: [slug],
        responses: { 200: json('Event', 'The event.'), ...problems('not_found') },
      }),
    },
    '/api/events/{slug}/seats': {
      post: organizer({
        summary: 'Add seats, all or none',
        parameters: [slug],
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: ref('NewSeats') },
            'text/csv': {
              schema: { type: 'string' },
              example: 'ticketType,section,row,number\nvip,A,1,1\nvip,A,1,2\n',
            },
          },
        },
        responses: {
          201: json('SeatsCreated', 'Created.'),
          ...problems('not_found', 'conflict', ...bodyFaults),
        },
      }),
    },
    '/api/events/{slug}/release': {
      post: organizer({
        summary: 'Give held seats back to the sale',
        parameters: [slug],
        requestBody: jsonBody('Release'),
        responses: { 200: json('Released', 'Done.'), ...problems('not_found', ...bodyFaults) },
      }),
    },
    '/api/events/{slug}/audit': {
      get: organizer({
        summary: "Every law's count of violations, now",
        parameters: [slug],
        responses: { 200: json('Audit', 'All zero when well.'), ...problems('not_found') },
      }),
    },
  };
}

function orderPaths(): Record<string, Record<string, Json>> {
  return {
    '/api/orders': {
      post: organizer({
        summary: 'Register one order, or up to 1,000 (all or none)',
        description: 'Repeating an identical order returns it; array in, array out.',
        requestBody: jsonBody('NewOrders'),
        responses: {
          201: json('RegisteredOrders', 'Registered.'),
          ...problems('not_found', 'conflict', ...bodyFaults),
        },
      }),
    },
    '/api/orders/{merchantUid}': {
      get: organizer({
        summary: 'Look at an order, its seats and its payments',
        parameters: [inPath('merchantUid', 'The order.')],
        responses: { 200: json('Order', 'The order.'), ...problems('not_found') },
      }),
    },
    '/api/orders/{merchantUid}/cancel': {
      post: organizer({
        summary: 'Call an order off that is not paid: its seats go back',
        description: 'A payment that comes all the same is refunded.',
        parameters: [inPath('merchantUid', 'The order.')],
        responses: {
          200: json('OrderCancelled', 'Cancelled.'),
          ...problems('not_found', 'conflict'),
        },
      }),
    },
  };
}

function operatorPaths(): Record<string, Record<string, Json>> {
  const operator = (summary: string, responses: Json, more: Json = {}) => ({
    get: { tags: [OPERATORS], summary, ...more, responses },
  });
  const content = (type: string) => ({ [type]: { schema: { type: 'string' } } });
  const file = { parameters: [inPath('file', 'A file of the page.')] };
  return {
    '/health/live': operator('Is the process alive?', { 200: json('Live', 'It is.') }),
    '/health/ready': operator('Can it work? Postgres, queue, migrations', {
      200: json('Ready', 'It can.'),
      503: json('Ready', 'It cannot now, or it is stopping: send nobody here.'),
    }),
    '/metrics': operator('Figures for Prometheus', {
      200: { description: 'Text format.', content: content('text/plain') },
    }),
    '/openapi.json': operator('This document', {
      200: { description: 'OpenAPI 3.1.', content: { 'application/json': {} } },
    }),
    '/docs': operator('This document as a page', {
      200: { description: 'The page.', content: content('text/html') },
    }),
    '/docs/{file}': operator(
      'What the page is made of',
      { 200: { description: 'The file.' }, ...problems('not_found') },
      file,
    ),
  };
}

// --- the parts of a path --------------------------------------------------------------------

const bodyFaults: ProblemCode[] = ['invalid_request', 'malformed_body', 'body_too_large'];

function organizer(operation: { responses: Json; [more: string]: unknown }): Json {
  const { responses, ...rest } = operation;
  const always = problems('unauthorized', 'unavailable', 'internal');
  return {
    tags: [ORGANIZER],
    security: [{ apiKey: [] }],
    ...rest,
    responses: { ...responses, ...always },
  };
}

function inPath(name: string, description: string): Json {
  return { name, in: 'path', required: true, description, schema: { type: 'string' } };
}

function ref(name: Name): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function json(name: Name, description: string): Json {
  return { description, content: { 'application/json': { schema: ref(name) } } };
}

function jsonBody(name: Name): Json {
  return { required: true, content: { 'application/json': { schema: ref(name) } } };
}

function formOrJson(names: Name[]): Json {
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
function problems(...codes: ProblemCode[]): Json {
  return byStatus(codes, PROBLEM_STATUS, (some) => ({
    description: meanings(some, PROBLEM_MEANING),
    content: {
      'application/problem+json': { schema: narrowed('Problem', some) },
    },
  }));
}

function refusals(): Json {
  const codes = Object.keys(REFUSAL_STATUS) as RefusalCode[];
  return byStatus(codes, REFUSAL_STATUS, (some, status) => ({
    description: meanings(some, VERDICT_MEANING),
    ...(status === 503
      ? { headers: { 'Retry-After': { schema: { type: 'string' }, description: 'Seconds.' } } }
      : {}),
    content: { 'application/json': { schema: narrowed('Refused', some) } },
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

function meanings<Code extends string>(codes: Code[], of: Record<Code, string>): string {
  return codes.map((code) => `\`${code}\`: ${of[code]}`).join('\n\n');
}

function verdictTable(): string {
  const rows = Object.entries(VERDICT_MEANING).map(([code, meaning]) => {
    const status = code === 'confirmed' ? 200 : REFUSAL_STATUS[code as RefusalCode];
    return `| \`${code}\` | ${status} | ${meaning} |`;
  });
  return ['| code | HTTP | meaning |', '|---|---|---|', ...rows].join('\n');
}

function schemasFrom(schemas: Record<string, z.ZodType>, io: 'input' | 'output'): Json {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { $schema: _, ...plain } = z.toJSONSchema(schema, {
        io,
        override: ({ jsonSchema }) => {
          // zod spells every leap year out; the format says the same.
          if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
        },
      });
      return [name, plain];
    }),
  );
}
