// The bodies of answers about reconciliations in the API's document.

import { z } from 'zod';
import { GATEWAYS } from '../portone/gateway.ts';

const whole = z.number().int();
const count = whole.min(0);
const instant = z.iso.datetime().describe('RFC 3339, UTC.');
const status = z.enum(['ready', 'pending', 'waiting_deposit', 'paid', 'failed', 'cancelled']);

const account = z.strictObject({
  status,
  amount: whole,
  cancelledAmount: whole,
  currency: z.string(),
  cancelPending: z.boolean(),
});

const finding = z.strictObject({
  kind: z.enum([
    'paid_there_not_here',
    'paid_here_not_there',
    'amount_differs',
    'status_differs',
    'unknown_there',
  ]),
  event: z.string(),
  merchantUid: z.string(),
  paymentId: z.string(),
  gateway: z.enum(GATEWAYS),
  portone: account.nullable().describe('Null: PortOne knows no such payment.'),
  ours: account.nullable().describe('Null: nothing was on record here.'),
  hold: z.enum(['held', 'sold']).nullable(),
  repair: z.enum(['none', 'settled', 'case_open', 'accepted', 'left_to_expiry', 'failed']),
  outcome: z.string().nullable().describe('With `settled`: what settling it came to.'),
  left: z.boolean().describe('Whether the difference stands after the run.'),
  text: z.string().describe('The same in plain words.'),
});

const sums = z.strictObject({ paid: whole, cancelled: whole, kept: whole });

const report = z.strictObject({
  id: whole,
  event: z.string().nullable().describe('Null: every event.'),
  from: instant,
  to: instant,
  askedBy: z.string(),
  dryRun: z.boolean(),
  startedAt: instant,
  finishedAt: instant.nullable(),
  compared: count,
  foreign: count.describe('Payments of the window that are for no order here.'),
  notAsked: count.describe('Payments of a PortOne version without credentials.'),
  findings: z.array(finding).max(1_000),
  more: count.describe('Findings beyond those listed.'),
  left: count.describe('Differences that stand after the run.'),
  casesClosed: count.describe('Cases closed because both sides agree again.'),
  totals: z
    .array(
      z.strictObject({
        event: z.string(),
        currency: z.string(),
        portone: sums,
        ours: sums,
        agree: z.boolean(),
      }),
    )
    .describe('Of the payments that were compared, after the repairs.'),
  complete: z.boolean().describe('Both sides were read to the end.'),
  agree: z.boolean().describe('And nothing is left.'),
  error: z.string().nullable(),
});

export const reconciliationAnswers = {
  Reconciliation: report,
  Reconciliations: z.array(report),
};
