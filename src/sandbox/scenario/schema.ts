/** What a scenario file may say: whom it plays against, what happens in order, what must come of it. */

import { z } from 'zod';
import { expectation } from './expectation.ts';
import { step } from './steps.ts';
import { known, label, text, url, won } from './words.ts';

const STEPS_MAX = 100;

// --- whom it plays against ------------------------------------------------------------------

const server = known({
  confirmUrl: url.nullable().optional(),
  webhookUrl: url.nullable().optional(),
});

const newEvent = known({
  ticketType: text(64).default('ga'),
  price: won.min(1).default(10_000),
  seats: z.number().int().min(1).max(10_000).default(10),
  holdSeconds: z.number().int().min(1).max(86_400).optional(),
  language: z.enum(['ko', 'en']).default('en'),
  maxPerOrder: z.number().int().min(1).max(10_000).optional(),
  maxPerBuyer: z.number().int().min(1).max(10_000).optional(),
  /** Without it Seatline allows accounts only where holds last a day or longer. */
  virtualAccounts: known({
    policy: z.enum(['forbid', 'allow']),
    maxWaitSeconds: z.number().int().min(60).max(2_592_000).optional(),
  }).optional(),
  bypassedPayments: z.enum(['seat-if-free', 'refund']).optional(),
});

const seatline = known({
  url,
  apiKeyFromEnv: z
    .string()
    .regex(/^[A-Za-z_]\w{0,99}$/, 'the name of an environment variable, not the key itself'),
  /** The slug of an event that is there. */
  event: text(63).optional(),
  /** Made for this run, unless `event` names one. */
  newEvent: newEvent.prefault({}),
});

const order = known({
  merchantUid: text(64).optional(),
  /** With `server` only: Seatline knows its own prices. */
  amount: won.optional(),
  // The rest with `seatline` only.
  ticketType: text(64).optional(),
  quantity: z.number().int().min(1).max(1_000).optional(),
  seats: z.array(text(200)).min(1).max(1_000).optional(),
  together: z.boolean().optional(),
  buyer: text(200).optional(),
});

const gateway = known({
  /** Divides the pauses of this file and those between the gateway's own retries. */
  timeScale: z.number().min(0.001).max(1_000_000).default(1),
  confirmTimeoutMs: z.number().int().min(1).max(60_000).optional(),
  /** V1 sends a webhook once unless resends were asked for by mail. */
  v1Resend: z.boolean().default(false),
});

// --- the whole ------------------------------------------------------------------------------

export const scenarioShape = known({
  name: text(120),
  /** A line of prose: what it shows, and why it matters. */
  about: text(1_000),
  dialect: z.enum(['v1', 'v2', 'v2-2024-01-01', 'v2-2024-04-25']).default('v1'),
  server: server.optional(),
  seatline: seatline.optional(),
  order: order.optional(),
  orders: z.record(label, order).optional(),
  gateway: gateway.prefault({}),
  steps: z.array(step).min(1).max(STEPS_MAX),
  expect: expectation,
});

export type Scenario = z.infer<typeof scenarioShape>;
export type Step = Scenario['steps'][number];
export type OrderSaid = z.infer<typeof order>;
export type SeatlineSaid = z.infer<typeof seatline>;
export type GatewaySaid = z.infer<typeof gateway>;
