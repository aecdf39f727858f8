/** What a scenario file may say: whom it plays against, what happens in order, what must come of it. */

import { z } from 'zod';
import { attempt, faults } from './attempt.ts';
import { known, label, pauseMs, status, text, url, won } from './words.ts';

const STEPS_MAX = 100;
const AT_ONCE_MAX = 20;
const PATIENCE_MAX_MS = 600_000;

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

// --- what must come of it -------------------------------------------------------------------

const ORDER_STATUS = ['pending', 'held', 'paid', 'refunded', 'cancelled'] as const;
const NO_STATUS = ['timed_out', 'hung_up', 'no_answer', 'not_asked'] as const;

const attemptExpected = known({
  confirm: z
    .union([status, z.enum(NO_STATUS)], `an HTTP status, or ${NO_STATUS.join(', ')}`)
    .optional(),
  /** The `code` of the confirm's answer. */
  verdict: text(60).optional(),
  state: z.enum(['ready', 'paid', 'failed', 'cancelled']).optional(),
  kept: won.optional(),
  cancelled: won.optional(),
  /** Why the payment window did not open at all. */
  notOpened: z.enum(['already_paid', 'amount_not_as_registered']).optional(),
  /** The words of those that were delivered, in the order of their sending. */
  webhooks: z.array(text(60)).max(100).optional(),
});

const orderExpected = known({
  status: z.enum(ORDER_STATUS).optional(),
  seats: z.number().int().min(0).max(1_000).optional(),
});

const seatCount = z.number().int().min(0).optional();

const expectation = known({
  attempt: attemptExpected.optional(),
  attempts: z.record(label, attemptExpected).optional(),
  order: orderExpected.optional(),
  orders: z.record(label, orderExpected).optional(),
  event: known({ available: seatCount, held: seatCount, sold: seatCount }).optional(),
  /** How long it may take to come true. */
  withinMs: z.number().int().min(0).max(PATIENCE_MAX_MS).default(10_000),
}).refine((said) => Object.keys(said).length > 1, 'expect something: attempt, order, event');

// --- what happens ---------------------------------------------------------------------------

const one = { attempt: label.optional() };
/** The refusal that is expected; without it a refusal is a failure. */
const refused = text(60).optional();
/** The same, where the gateway gives no reason. */
const refusedAtAll = z.literal(true).optional();
const wish = known({ ...one, refused: refusedAtAll })
  .nullable()
  .optional();
const wishWithReason = known({ ...one, refused: refusedAtAll, reason: text(200).optional() })
  .nullable()
  .optional();

const wait = z.preprocess(
  (said) => (typeof said === 'string' ? { until: said } : said),
  known({
    until: z.enum(['webhooks', 'due'], 'webhooks, due, {ms: 500} or {status: paid}').optional(),
    ms: pauseMs.optional(),
    status: z.enum(ORDER_STATUS).optional(),
    order: label.optional(),
    attempt: label.optional(),
    withinMs: z.number().int().min(0).max(PATIENCE_MAX_MS).default(10_000),
  }).refine(
    (said) => [said.until, said.ms, said.status].filter((way) => way !== undefined).length === 1,
    'wait for one thing: webhooks, due, {ms: 500} or {status: paid}',
  ),
);

const looseWebhook = known({
  body: z.record(z.string().max(100), z.unknown()),
  url: url.optional(),
  form: z.boolean().optional(),
  signature: z.enum(['good', 'bad', 'stale', 'none']).optional(),
  id: text(100).optional(),
  /** The status that it must be answered with. */
  answered: status.optional(),
});

const bare = known({}).nullable().optional();

/** One attempt, or a list of them that are made at once. */
const attempts = z
  .preprocess(
    (said) => (said === undefined || Array.isArray(said) ? said : [said]),
    z.array(attempt).min(1).max(AT_ONCE_MAX).optional(),
  )
  .optional();

const actions = {
  pay: attempts,
  /** Manual confirm of V2, the buyer's half: the window gives out a token, and charges nothing. */
  authenticate: attempts,
  /** Manual confirm, the other half: the organizer's server brings the token to Seatline. */
  charge: known(one).nullable().optional(),
  deposit: known({ ...one, refused })
    .nullable()
    .optional(),
  cancel: known({ ...one, refused, amount: won.min(1).optional(), reason: text(200).optional() })
    .nullable()
    .optional(),
  /** An attempt that was left open, or failed, is paid after all. */
  approve: wish,
  /** An attempt that was left open fails. */
  fail: wishWithReason,
  dispute: wishWithReason,
  resolveDispute: wish,
  /** The console sends the latest webhook once more. */
  resend: wish,
  webhook: looseWebhook.optional(),
  wait: wait.optional(),
  faults: faults.optional(),
  mend: bare,
  expireTokens: bare,
  unplug: bare,
  plugIn: bare,
  expect: expectation.optional(),
};

export const STEP_NAMES = Object.keys(actions);

/** A map with one key, or the bare name of a step that needs no more. */
const step = z.preprocess(
  (said) => (typeof said === 'string' ? { [said]: null } : said),
  known(actions).refine((said) => Object.keys(said).length === 1, {
    message: `one step to a dash: ${STEP_NAMES.join(', ')}`,
  }),
);

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
export type WaitSaid = z.infer<typeof wait>;
export type Expectation = z.infer<typeof expectation>;
export type AttemptExpected = z.infer<typeof attemptExpected>;
export type OrderExpected = z.infer<typeof orderExpected>;
