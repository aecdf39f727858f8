/** The steps of a scenario: what the buyer, the gateway, the organizer and a forger do. */

import { z } from 'zod';
import { signWith } from '../signing.ts';
import { attempt, faults } from './attempt.ts';
import { countOrList, expectation, ORDER_STATUS, patience } from './expectation.ts';
import { forwardedFor, known, label, pauseMs, status, text, url, won } from './words.ts';

const AT_ONCE_MAX = 20;
const SEATS_MAX = 500;

// --- the words of more than one step --------------------------------------------------------

/** A name alone stands for the map that has only that: `deposit: mum`. */
const orName = <Shape extends z.ZodType>(key: 'attempt' | 'order', shape: Shape) =>
  z
    .preprocess(
      (said) => (typeof said === 'string' ? { [key]: said } : said),
      shape.nullable().optional(),
    )
    .optional();

const one = { attempt: label.optional().describe('its name; the one made last unless told') };
const ofOrder = { order: label.optional().describe('its name, where there are several') };
const refused = text(60)
  .optional()
  .describe('the refusal that is expected; without it a refusal is a failure');
const refusedAtAll = z
  .literal(true)
  .optional()
  .describe('it must be refused; the gateway gives no reason');
const reason = text(200).optional();
const answered = status
  .optional()
  .describe('the HTTP status it must be answered with; 2xx unless told');

const wish = orName('attempt', known({ ...one, refused: refusedAtAll }));
const wishWithReason = orName('attempt', known({ ...one, refused: refusedAtAll, reason }));

/** One attempt, or a list of them that are made at once. */
const attempts = z
  .preprocess(
    (said) => (said === undefined || Array.isArray(said) ? said : [said]),
    z.array(attempt).min(1).max(AT_ONCE_MAX).optional(),
  )
  .optional();

// --- waiting --------------------------------------------------------------------------------

const WAIT_FOR = 'webhooks, due, the status of an order as in paid, or milliseconds as in 500';

function waitSaid(said: unknown): unknown {
  if (typeof said === 'number') return { ms: said };
  if (typeof said !== 'string') return said;
  return ORDER_STATUS.some((state) => state === said) ? { status: said } : { until: said };
}

const wait = z.preprocess(
  waitSaid,
  known({
    until: z
      .enum(['webhooks', 'due'], WAIT_FOR)
      .optional()
      .describe('webhooks: none is under way; due: the virtual account is'),
    ms: pauseMs.optional(),
    status: z.enum(ORDER_STATUS).optional().describe('of the order'),
    ...ofOrder,
    ...one,
    withinMs: patience,
  }).refine(
    (said) => [said.until, said.ms, said.status].filter((way) => way !== undefined).length === 1,
    `wait for one thing: ${WAIT_FOR}`,
  ),
);

// --- what only some do ----------------------------------------------------------------------

const looseWebhook = known({
  body: z.record(z.string().max(100), z.unknown()),
  url: url.optional().describe("the order's webhook URL unless told"),
  form: z.boolean().optional(),
  signature: z.enum(['good', 'bad', 'stale', 'none']).optional(),
  id: text(100).optional(),
  forwardedFor: forwardedFor
    .optional()
    .describe("its X-Forwarded-For, which a forger may begin; the gateway's unless told"),
  answered: status.optional().describe('the HTTP status it must be answered with'),
});

const forgedConfirm = known({
  ...ofOrder,
  amount: won.optional().describe("the order's own unless told"),
  signature: z.enum(['bad', 'stale', 'none']).optional().describe('V2; none unless told'),
  verdict: text(60).optional().describe('the code it must be answered with'),
  answered: status.optional().describe('the HTTP status it must be answered with'),
});

const account = known({ bank: text(60), number: text(40), holder: text(60) });

const refund = known({
  ...ofOrder,
  amount: won
    .min(1)
    .optional()
    .describe('all that is left, or the price of the seats, unless told'),
  seats: z
    .union(
      [z.number().int().min(1).max(SEATS_MAX), z.array(text(200)).min(1).max(SEATS_MAX)],
      'how many seats, or their labels in a list',
    )
    .optional()
    .describe('how many seats go back, or their labels'),
  account: account.optional().describe("the buyer's, for money of a virtual account"),
  reason,
  answered,
});

const release = known({
  ...ofOrder,
  seats: z.array(text(200)).min(1).max(SEATS_MAX).optional().describe('their labels'),
  overdue: z.literal(true).optional().describe('every hold that is over'),
  allHeld: z.literal(true).optional(),
  refund: z.boolean().optional().describe('sold seats too, once their money is back'),
  reason,
  answered,
});

const reconcile = known({
  found: countOrList(text(60), 'paid_there_not_here')
    .optional()
    .describe('the differences: how many, or their kinds'),
  dryRun: z.boolean().optional(),
  answered,
});

const bare = known({}).nullable().optional();

export const actions = {
  pay: attempts.describe('a buyer pays; a list is paid at once'),
  authenticate: attempts.describe(
    'manual confirm (V2), the half of the buyer: the window gives out a token and charges nothing',
  ),
  charge: orName('attempt', known(one)).describe(
    'manual confirm, the other half: the shop brings the token to Seatline',
  ),
  deposit: orName('attempt', known({ ...one, refused })).describe(
    'the buyer pays into the virtual account',
  ),
  cancel: orName(
    'attempt',
    known({
      ...one,
      amount: won.min(1).optional().describe('all of it unless told'),
      reason,
      refused,
    }),
  ).describe("cancelled in PortOne's console"),
  approve: wish.describe('an attempt that was left open, or failed, is paid after all'),
  fail: wishWithReason.describe('an attempt that was left open fails'),
  dispute: wishWithReason.describe('the cardholder disputes it with the bank (told by V2 only)'),
  resolveDispute: wish.describe('and the dispute is over'),
  resend: wish.describe('the console sends the latest webhook once more'),
  webhook: looseWebhook.optional().describe('a webhook of your own making'),
  forgedConfirm: orName('order', forgedConfirm).describe(
    "a confirm with an invented payment, to the order's own confirmUrl",
  ),
  refund: orName('order', refund).describe('the organizer asks Seatline to give money back'),
  release: orName('order', release).describe('the organizer has Seatline release seats'),
  reconcile: reconcile
    .nullable()
    .optional()
    .describe("the organizer has Seatline compare PortOne's books with its own"),
  signWith: signWith
    .optional()
    .describe('rotates the V2 webhook secret: which sign from now on (PortOne: both for a while)'),
  wait: wait.optional().describe(`for ${WAIT_FOR}`),
  faults: faults.optional().describe("breaks the gateway's API, as PUT /sandbox/faults does"),
  mend: bare.describe('mends every fault'),
  expireTokens: bare.describe('every API token is void'),
  unplug: bare.describe("the gateway's API is away"),
  plugIn: bare.describe('and back'),
  expect: expectation.optional().describe('what must be true by now'),
};

export const STEP_NAMES = Object.keys(actions);

/** A map with one key, or the bare name of a step that needs no more. */
export const step = z.preprocess(
  (said) => (typeof said === 'string' ? { [said]: null } : said),
  known(actions).refine((said) => Object.keys(said).length === 1, {
    message: `one step to a dash: ${STEP_NAMES.join(', ')}`,
  }),
);

export type WaitSaid = z.infer<typeof wait>;
export type ForgedConfirmSaid = z.infer<typeof forgedConfirm>;
export type RefundSaid = z.infer<typeof refund>;
export type ReleaseSaid = z.infer<typeof release>;
export type ReconcileSaid = z.infer<typeof reconcile>;
