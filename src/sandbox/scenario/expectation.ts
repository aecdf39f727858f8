/** What a scenario may expect to come of it: at the gateway, at Seatline, and in the books of both. */

import { z } from 'zod';
import { known, label, status, text, won } from './words.ts';

const PATIENCE_MAX_MS = 600_000;
const LIST_MAX = 100;

export const ORDER_STATUS = ['pending', 'held', 'paid', 'refunded', 'cancelled'] as const;
const NO_STATUS = ['timed_out', 'hung_up', 'no_answer', 'not_asked'] as const;
const REFUND_STATES = ['requested', 'done', 'failed', 'needs_person'] as const;

export const patience = z
  .number()
  .int()
  .min(0)
  .max(PATIENCE_MAX_MS)
  .default(10_000)
  .describe('how long it may take to come true');

/** How many there must be, or which. */
export const countOrList = <Word extends z.ZodType>(word: Word, example: string) =>
  z.union(
    [z.number().int().min(0).max(LIST_MAX), z.array(word).max(LIST_MAX)],
    `how many, or which, as in [${example}]`,
  );

const refunds = countOrList(z.enum(REFUND_STATES), 'done, needs_person')
  .optional()
  .describe('how many, or their states, oldest first');
const cases = countOrList(text(60), 'partial_cancel')
  .optional()
  .describe('those that are open: how many, or their kinds, oldest first');

const attemptExpected = known({
  confirm: z
    .union([status, z.enum(NO_STATUS)], `an HTTP status, or ${NO_STATUS.join(', ')}`)
    .optional()
    .describe(`HTTP status of the confirm's answer, or ${NO_STATUS.join(', ')}`),
  verdict: text(60).optional().describe("the code of the confirm's answer"),
  state: z.enum(['ready', 'paid', 'failed', 'cancelled']).optional(),
  kept: won.optional().describe('money that was paid and did not go back'),
  cancelled: won.optional().describe('money that went back'),
  notOpened: z
    .enum(['already_paid', 'amount_not_as_registered'])
    .optional()
    .describe('why the payment window did not open at all'),
  webhooks: z
    .array(text(60))
    .max(LIST_MAX)
    .optional()
    .describe('the words of those that were delivered, in the order of their sending'),
});

const orderExpected = known({
  status: z.enum(ORDER_STATUS).optional(),
  seats: z.number().int().min(0).max(1_000).optional().describe('how many it holds or has'),
  refunds,
  cases,
});

const seatCount = z.number().int().min(0).optional();

export const expectation = known({
  attempt: attemptExpected.optional().describe('the attempt made last'),
  attempts: z.record(label, attemptExpected).optional().describe('attempts by their names'),
  order: orderExpected.optional().describe('the one order'),
  orders: z.record(label, orderExpected).optional().describe('orders by their names'),
  event: known({
    available: seatCount,
    held: seatCount,
    sold: seatCount,
    refunds,
    cases,
  })
    .optional()
    .describe('its seats, and the refunds and cases of all of its orders'),
  money: known({
    paid: won.optional().describe('charged, all attempts together'),
    cancelled: won.optional().describe('gone back'),
    kept: won.optional().describe('paid less cancelled'),
  })
    .optional()
    .describe("the gateway's books about all orders of the scenario: nobody else may be charged"),
  audit: z.literal('clean').optional().describe("every law holds, by the event's audit"),
  withinMs: patience,
}).refine(
  (said) => Object.keys(said).length > 1,
  'expect something: attempt, order, event, money, audit',
);

export type Expectation = z.infer<typeof expectation>;
export type AttemptExpected = z.infer<typeof attemptExpected>;
export type OrderExpected = z.infer<typeof orderExpected>;
