/** What a scenario file may say: whom it plays against, what happens in order, what must come of it. */

import { z } from 'zod';
import { expectation } from './expectation.ts';
import { step } from './steps.ts';
import { forwardedFor, known, label, text, url, won } from './words.ts';

const STEPS_MAX = 100;

// --- whom it plays against ------------------------------------------------------------------

const server = known({
  confirmUrl: url.nullable().optional().describe('null: nobody is asked'),
  webhookUrl: url.nullable().optional().describe('null: nobody is told'),
});

const newEvent = known({
  ticketType: text(64).default('ga'),
  price: won.min(1).default(10_000),
  seats: z.number().int().min(1).max(10_000).default(10),
  holdSeconds: z.number().int().min(1).max(86_400).optional(),
  language: z.enum(['ko', 'en']).default('en'),
  maxPerOrder: z.number().int().min(1).max(10_000).optional(),
  maxPerBuyer: z.number().int().min(1).max(10_000).optional(),
  virtualAccounts: known({
    policy: z.enum(['forbid', 'allow']),
    maxWaitSeconds: z.number().int().min(60).max(2_592_000).optional(),
  })
    .optional()
    .describe('without it allowed only where holds last a day or longer'),
  bypassedPayments: z.enum(['seat-if-free', 'refund']).optional(),
});

const seatline = known({
  url,
  apiKeyFromEnv: z
    .string()
    .regex(/^[A-Za-z_]\w{0,99}$/, 'the name of an environment variable, not the key itself')
    .describe('the name of the variable that has the key'),
  event: text(63).optional().describe('the slug of an event that is there'),
  newEvent: newEvent.prefault({}).describe('made for this run, unless event names one'),
});

const order = known({
  merchantUid: text(64).optional(),
  amount: won.optional().describe('with server only: Seatline knows its own prices'),
  // The rest with `seatline` only.
  ticketType: text(64).optional().describe('this and the rest with seatline only'),
  quantity: z.number().int().min(1).max(1_000).optional(),
  seats: z.array(text(200)).min(1).max(1_000).optional(),
  together: z.boolean().optional(),
  buyer: text(200).optional(),
});

const gateway = known({
  timeScale: z
    .number()
    .min(0.001)
    .max(1_000_000)
    .default(1)
    .describe("divides the pauses of this file and those between the gateway's own retries"),
  confirmTimeoutMs: z.number().int().min(1).max(60_000).optional(),
  v1Resend: z
    .boolean()
    .default(false)
    .describe('V1 sends a webhook once, unless resends were asked for by mail'),
  forwardedFor: forwardedFor
    .optional()
    .describe('X-Forwarded-For of each confirm and webhook, as your proxy would write it'),
});

// --- the whole ------------------------------------------------------------------------------

export const scenarioShape = known({
  name: text(120),
  about: text(1_000).describe('a line of prose: what it shows, and why it matters'),
  dialect: z
    .enum(['v1', 'v2', 'v2-2024-01-01', 'v2-2024-04-25'])
    .default('v1')
    .describe('of attempts that name none; v2 is the newest'),
  server: server.optional().describe('a server of your own, instead of a Seatline'),
  seatline: seatline.optional().describe('where orders are registered and looked at'),
  order: order.optional().describe('the one order; may be left out with seatline'),
  orders: z.record(label, order).optional().describe('or several, by names'),
  gateway: gateway.prefault({}).describe('how the sandbox itself is set'),
  steps: z.array(step).min(1).max(STEPS_MAX),
  expect: expectation,
});

export type Scenario = z.infer<typeof scenarioShape>;
export type Step = Scenario['steps'][number];
export type OrderSaid = z.infer<typeof order>;
export type SeatlineSaid = z.infer<typeof seatline>;
export type GatewaySaid = z.infer<typeof gateway>;
