// The bodies of answers about money in the API's document: refunds, cases, the ledger, sums.

import { z } from 'zod';
import { CASE_KINDS } from '../payments/cases.ts';

const whole = z.number().int();
const count = whole.min(0);
const instant = z.iso.datetime().describe('RFC 3339, UTC.');
const caseKind = z.enum(CASE_KINDS);

export const refundState = z.enum(['requested', 'done', 'failed', 'needs_person']);

/** As an order shows it. */
export const orderRefund = z.strictObject({
  id: whole,
  state: refundState,
  amount: whole,
  whole: z.boolean().describe('All that is left, whatever that is when it goes back.'),
  seats: z.array(z.string()).describe('That go back with a part of the money.'),
  reason: z.string(),
  requestedBy: z.string(),
  requestedAt: instant,
  doneAt: instant.nullable(),
  byHand: z.boolean().describe('The organizer paid it outside the gateway.'),
  lastError: z.string().nullable(),
});

export const orderCase = z.strictObject({
  id: whole,
  kind: caseKind,
  paymentId: z.string(),
  amount: whole,
  accepted: whole,
  detail: z.string(),
  openedAt: instant,
  closedAt: instant.nullable(),
  closedBy: z.string().nullable(),
  note: z.string().nullable(),
});

export const step = z.strictObject({
  at: instant,
  paymentId: z.string(),
  step: z.string(),
  detail: z.string().nullable(),
  actor: z.string(),
});

export const money = z.strictObject({
  currency: z.string(),
  paid: whole,
  refunded: whole.describe('Through the gateway.'),
  byHand: whole.describe('By the organizer, outside of it.'),
  kept: whole.describe('`paid - refunded - byHand`.'),
  seatsSold: whole.describe('What the seats that are sold now cost.'),
  allowances: whole.describe('Given back with the seats left; below 0: kept with the seats gone.'),
  openCases: z.strictObject({ count, amount: whole }).describe('Refunds too, while they are open.'),
  difference: whole.describe(
    '`kept + allowances - seatsSold - openCases.amount`: what nothing explains.',
  ),
});

const entry = z.strictObject({
  account: z.enum(['money', 'seats', 'allowance']),
  entry: z.enum([
    'paid',
    'cancelled',
    'refunded_by_hand',
    'sold',
    'returned',
    'part_refunded',
    'accepted',
  ]),
  amount: whole,
  currency: z.string(),
  ref: z.string().describe("The payment, or the seat's label."),
});

const listedCase = z.strictObject({
  kind: z.enum([...caseKind.options, 'refund']),
  id: whole.describe("The case's, or for the kind `refund` the refund's: two counts of their own."),
  merchantUid: z.string(),
  paymentId: z.string(),
  currency: z.string(),
  amount: whole,
  since: instant,
  open: z.boolean(),
  what: z.string().describe('What happened, in plain words.'),
  todo: z.string().describe('What the organizer can do.'),
  refund: z.strictObject({ state: refundState, lastError: z.string().nullable() }).nullable(),
  accepted: whole,
  closedAt: instant.nullable(),
  closedBy: z.string().nullable(),
  note: z.string().nullable(),
});

export const moneyAnswers = {
  Cases: z.strictObject({
    cases: z.array(listedCase),
    next: z.string().nullable().describe('`after` of the next page; null at the end.'),
  }),
  CaseClosed: z.strictObject({
    id: whole,
    kind: caseKind,
    merchantUid: z.string(),
    amount: whole,
    accepted: whole.describe('Let stand; below 0 where the seats cost more than went back.'),
    released: z.array(z.string()),
    closedAt: instant,
  }),
  Ledger: z.strictObject({
    merchantUid: z.string(),
    event: z.string(),
    status: z.enum(['pending', 'held', 'paid', 'refunded', 'cancelled']),
    currency: z.string(),
    entries: z.array(entry),
    accounts: z.strictObject({ money: whole, seats: whole, allowance: whole }),
    balance: whole.describe('Zero when money and seats agree.'),
    closed: z.boolean().describe('Nothing is awaited any more.'),
    openCases: count.describe('Refunds too, while they are open.'),
  }),
} satisfies Record<string, z.ZodType>;
