// The bodies of answers in the API's document; a test holds real answers against them.

import { z } from 'zod';
import { REFUSAL_STATUS, type RefusalCode } from '../confirm/verdict.ts';
import { PROBLEM_STATUS, type ProblemCode } from '../http/problem.ts';
import {
  money,
  moneyAnswers,
  orderCase,
  orderRefund,
  refundState,
  step,
} from './openapi-money-answers.ts';
import { reconciliationAnswers } from './openapi-reconciliation-answers.ts';
import { refundAnswers, refundsOfRelease } from './openapi-refund-answers.ts';
import { LAW_MEANING } from './openapi-words.ts';

const whole = z.number().int();
const count = whole.min(0);
const instant = z.iso.datetime().describe('RFC 3339, UTC.');

const seat = z.strictObject({
  label: z.string(),
  ticketType: z.string(),
  section: z.string().optional(),
  row: z.string().optional(),
  number: z.string().optional(),
});

const counts = z.strictObject({ total: count, available: count, held: count, sold: count });

export const confirmedAnswer = z.strictObject({
  code: z.literal('confirmed'),
  position: whole.min(1).describe('Order of decision within the event, without gaps.'),
  seats: z.array(seat),
  holdExpiresAt: instant,
});

export const refusedAnswer = z.strictObject({
  code: z.enum(Object.keys(REFUSAL_STATUS) as [RefusalCode, ...RefusalCode[]]),
  reason: z.string().describe("The buyer's text, in the event's language; V1 shows it."),
  errorMessage: z.string().describe('The same; V2 shows it.'),
  position: whole.min(1).optional(),
  at: instant.optional().describe('`not_open`: opens at. `all_held`: the next hold ends at.'),
  seats: z.array(z.string()).optional().describe('`seat_taken`: the labels that are gone.'),
});

const manualConfirmed = z.union([
  confirmedAnswer.extend({
    paid: z.literal(true),
    paidAt: instant.nullable().describe('By PortOne; null where only the payment was seen.'),
  }),
  confirmedAnswer.extend({
    paid: z.literal(false),
    depositBy: instant.nullable().describe('For a virtual account: until when to pay in.'),
  }),
]);

const manualRefused = refusedAnswer.extend({
  paid: z.boolean().nullable().optional(),
  gateway: z
    .strictObject({
      type: z.string().describe("PortOne's own word, as `PG_PROVIDER`."),
      message: z.string().optional(),
    })
    .optional(),
});

const eventAnswer = z.strictObject({
  slug: z.string(),
  name: z.string(),
  opensAt: instant,
  closesAt: instant.nullable(),
  holdSeconds: whole,
  language: z.enum(['ko', 'en']),
  maxPerOrder: whole.nullable(),
  maxPerBuyer: whole.nullable(),
  check: z
    .strictObject({
      url: z.string(),
      timeoutMs: whole.nullable(),
      onSilence: z.enum(['refuse', 'allow']).nullable(),
    })
    .nullable()
    .describe('Its secret is never shown.'),
  virtualAccounts: z.strictObject({
    policy: z.enum(['forbid', 'allow']).describe('May a buyer pay into a virtual account?'),
    maxWaitSeconds: whole.nullable().describe('The longest that a hold waits for the deposit.'),
  }),
  bypassedPayments: z
    .enum(['seat-if-free', 'refund'])
    .describe('What becomes of a paid payment that never asked for its seats.'),
  seats: counts,
  ticketTypes: z.array(
    z.strictObject({
      code: z.string(),
      name: z.string(),
      price: whole,
      currency: z.string(),
      seats: counts,
    }),
  ),
});

const orderStatus = z.enum(['pending', 'held', 'paid', 'refunded', 'cancelled']);

const amountRegistered = z
  .boolean()
  .optional()
  .describe('PortOne has the amount, and opens no window for another. Absent: it is not told.');

const registeredOrder = z.strictObject({
  merchantUid: z.string(),
  amount: whole.describe('What the buyer is to pay: compared at confirm and at settlement.'),
  currency: z.string(),
  confirmUrl: z.string().describe('Give it to PortOne with this order, and with no other.'),
  webhookUrl: z.string(),
  status: orderStatus,
  amountRegistered,
});

const payment = z.strictObject({
  paymentId: z.string(),
  verdict: z.string().nullable().describe('Null: it never asked.'),
  position: whole.nullable(),
  decidedAt: instant.nullable(),
  status: z
    .enum(['ready', 'pending', 'waiting_deposit', 'paid', 'failed', 'cancelled'])
    .nullable()
    .describe('As PortOne last described it; null: not read back yet.'),
  amount: whole.nullable(),
  cancelledAmount: whole.nullable(),
  method: z.string().nullable(),
  depositBy: instant.nullable().describe("A virtual account's due date."),
  cancelPending: z.boolean().describe('PortOne took a cancellation that it carries out later.'),
  bypassed: z.boolean().describe('Paid without ever having asked for its seats.'),
  flag: z.string().nullable().describe('Why a person should look at it.'),
  refund: z
    .strictObject({ state: refundState, amount: whole, reason: z.string() })
    .nullable()
    .describe('The newest.'),
  refunds: z.array(orderRefund),
});

const orderAnswer = z.strictObject({
  merchantUid: z.string(),
  event: z.string(),
  buyer: z.strictObject({ id: z.string() }),
  amount: whole,
  currency: z.string(),
  status: orderStatus,
  amountRegistered,
  seats: z.array(seat),
  holdExpiresAt: instant.nullable(),
  payments: z.array(payment),
  cases: z.array(orderCase),
  steps: z.array(step).describe('What was done, the oldest first; the last 500.'),
});

const releasedSeat = z.strictObject({
  label: z.string(),
  ticketType: z.string(),
  merchantUid: z.string(),
});

const releasedAnswer = z.strictObject({
  released: count,
  seats: z.array(releasedSeat),
  sold: z
    .array(releasedSeat)
    .describe('Sold seats that were named and stay: without `refund` all, with it the refused.'),
  dryRun: z.boolean(),
  ...refundsOfRelease,
});

const auditAnswer = z.strictObject({
  ...Object.fromEntries(
    Object.entries(LAW_MEANING).map(([law, meaning]) => [law, count.describe(`${meaning}.`)]),
  ),
  clean: z.boolean().describe('True where every count is zero.'),
  money: z.array(money).describe('One a currency.'),
});

const state = z.enum(['ok', 'failed', 'no answer']);

/** By their names in the document. */
export const answerSchemas = {
  Confirmed: confirmedAnswer,
  Refused: refusedAnswer,
  ManualConfirmed: manualConfirmed,
  ManualRefused: manualRefused,
  Problem: z.looseObject({
    type: z.string(),
    title: z.string(),
    status: whole,
    code: z.enum(Object.keys(PROBLEM_STATUS) as [ProblemCode, ...ProblemCode[]]),
    detail: z.string(),
    faults: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
    missing: z.array(z.string()).optional(),
    line: whole.optional(),
    reason: z.string().optional().describe('Of a refund: why it cannot be had, for programs.'),
  }),
  WebhookStored: z.strictObject({ stored: z.literal(true), repeat: z.boolean() }),
  Event: eventAnswer,
  SeatsCreated: z.strictObject({ created: count }),
  OrderCancelled: z.strictObject({ status: z.literal('cancelled'), released: z.array(z.string()) }),
  RegisteredOrders: z.union([registeredOrder, z.array(registeredOrder)]),
  Order: orderAnswer,
  Released: releasedAnswer,
  Audit: auditAnswer,
  ...moneyAnswers,
  ...refundAnswers,
  ...reconciliationAnswers,
  Live: z.strictObject({ status: z.literal('live') }),
  Ready: z.strictObject({
    status: z.enum(['ready', 'not_ready']),
    checks: z.strictObject({
      postgres: state,
      queue: state,
      migrations: state,
      shutdown: z.literal('under way').optional(),
    }),
  }),
} satisfies Record<string, z.ZodType>;
