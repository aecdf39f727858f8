// The bodies of answers about refunds in the API's document.

import { z } from 'zod';
import { GATEWAYS } from '../portone/gateway.ts';
import { refundState } from './openapi-money-answers.ts';

const whole = z.number().int();
const count = whole.min(0);
const instant = z.iso.datetime().describe('RFC 3339, UTC.');
const labels = z.array(z.string());

const refund = z.strictObject({
  id: whole,
  event: z.string(),
  merchantUid: z.string(),
  paymentId: z.string(),
  gateway: z.enum(GATEWAYS),
  amount: whole,
  currency: z.string(),
  whole: z.boolean().describe('All that is left of the payment, whatever that is by then.'),
  seats: labels.describe('That go back with a part; a whole refund frees all of the order.'),
  reason: z.string(),
  requestedBy: z.string().describe('`settlement`, `reconciliation`, ..., or `organizer:...`.'),
  state: refundState,
  tries: count,
  refusals: count.describe('How often PortOne answered no; silence is not counted.'),
  lastError: z.string().nullable().describe("`needs_account`: the buyer's account is awaited."),
  nextTryAt: instant.nullable().describe('Null where it is not tried by itself.'),
  requestedAt: instant,
  doneAt: instant.nullable(),
  byHand: z.boolean().describe('The organizer paid it outside PortOne.'),
  note: z.string().nullable(),
  account: z
    .strictObject({ bank: z.string(), ends: z.string().describe('The last four digits.') })
    .nullable()
    .describe('Wiped once the money is back, or will not go back.'),
});

const wished = z.strictObject({
  id: whole.nullable().describe('Null: a dry run.'),
  state: z.enum(['requested', 'needs_person', 'done', 'dry_run']),
  repeat: z.boolean().describe('The same was asked for before, and this is what became of it.'),
  paymentId: z.string(),
  amount: whole,
  whole: z.boolean(),
  seats: labels.describe('That go back once the money is back.'),
});

const asked = z.strictObject({
  id: whole.nullable(),
  merchantUid: z.string(),
  amount: whole,
  whole: z.boolean(),
  seats: labels,
  state: z.string(),
});

/** What a release of sold seats adds to its answer. */
export const refundsOfRelease = {
  refunds: z.array(asked).optional().describe('With `refund`: those that were asked for.'),
  refused: z
    .array(z.strictObject({ merchantUid: z.string(), seats: labels, detail: z.string() }))
    .optional()
    .describe('With `refund`: those that could not be had, and why.'),
};

export const refundAnswers = {
  Refund: refund,
  Refunds: z.strictObject({
    refunds: z.array(refund),
    after: whole.nullable().describe('`after` of the next page; null at the end.'),
  }),
  RefundAsked: wished,
} satisfies Record<string, z.ZodType>;
