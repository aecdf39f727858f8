// The API's document (OpenAPI 3.1), made from the schemas and the closed lists of the code itself.

import { z } from 'zod';
import { answerSchemas } from './openapi-answers.ts';
import { manualPaths } from './openapi-manual.ts';
import { moneyPaths } from './openapi-money.ts';
import {
  bodyFaults,
  formOrJson,
  inPath,
  type Json,
  json,
  jsonBody,
  type Name,
  ORGANIZER,
  organizer,
  type Paths,
  problems,
  ref,
  refusals,
  verdictTable,
} from './openapi-parts.ts';
import { reconciliationPaths } from './openapi-reconciliation.ts';
import { refundPaths } from './openapi-refunds.ts';
import { requestSchemas } from './openapi-requests.ts';
import { VERDICT_MEANING } from './openapi-words.ts';

const GATEWAY = 'Gateway side';
const OPERATORS = 'For operators';

export interface OpenApiDocument {
  openapi: string;
  paths: Paths;
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
    paths: {
      ...gatewayPaths(),
      ...eventPaths(),
      ...orderPaths(),
      ...manualPaths(),
      ...refundPaths(),
      ...moneyPaths(),
      ...reconciliationPaths(),
      ...operatorPaths(),
    },
    components: {
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'API_KEY' } },
      schemas: { ...schemasFrom(requestSchemas, 'input'), ...schemasFrom(answerSchemas, 'output') },
    },
  };
}

// --- the paths ------------------------------------------------------------------------------

function gatewayPaths(): Paths {
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
        description:
          'Answered 200 once it is stored, also for repeats and unknown types. A confirm request that ' +
          'comes here is refused (422), so that nobody is charged for a seat that nobody set aside.',
        parameters: signature,
        requestBody: formOrJson(notices),
        responses: {
          200: json('WebhookStored', 'Stored.'),
          ...problems(
            'malformed_body',
            'unauthorized',
            'forbidden',
            'body_too_large',
            'invalid_request',
            'unavailable',
            'internal',
          ),
        },
      },
    },
  };
}

function eventPaths(): Paths {
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
        summary: 'Give held seats back to the sale; and sold ones, once their money is back',
        parameters: [slug],
        requestBody: jsonBody('Release'),
        responses: { 200: json('Released', 'Done.'), ...problems('not_found', ...bodyFaults) },
      }),
    },
  };
}

function orderPaths(): Paths {
  return {
    '/api/orders': {
      post: organizer({
        summary: 'Register one order, or up to 1,000 (all or none)',
        description: `Repeating an identical order returns it; array in, array out. With
\`PORTONE_PREREGISTER=on\` PortOne is told the amounts first, which may take 4 s.`,
        requestBody: jsonBody('NewOrders'),
        responses: {
          201: json('RegisteredOrders', 'Registered.'),
          ...problems('not_found', 'conflict', ...bodyFaults),
        },
      }),
    },
    '/api/orders/{merchantUid}': {
      get: organizer({
        summary: 'Look at an order: seats, payments, refunds, cases, and what was done',
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

function operatorPaths(): Paths {
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

// --- the schemas --------------------------------------------------------------------------

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
