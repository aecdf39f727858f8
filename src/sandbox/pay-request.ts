/** Reads a PayRequest, from code or from JSON, into a plan with every default filled in. */

import { z } from 'zod';
import { PROVIDERS } from './providers.ts';
import type { Dialect, PayRequest, WebhookVersion } from './types.ts';

const ms = z.number().int().min(0).max(86_400_000);
const httpUrl = z.url({ protocol: /^https?$/ });

/** `merchant_uid` is at most 40 characters on V1; V2 ids are 64 at the strictest PG. */
const V1_MERCHANT_UID_LENGTH = 40;

export const payFields = z.strictObject({
  dialect: z.enum(['v1', 'v2', 'v2-2024-01-01', 'v2-2024-04-25']).default('v1'),
  merchantUid: z.string().min(1).max(64),
  amount: z.number().int().min(0),
  currency: z.string().length(3).default('KRW'),
  orderName: z.string().max(200).default('Seatline order'),
  confirmUrl: httpUrl.nullable().optional().describe('null: charged without a confirm'),
  webhookUrl: httpUrl.nullable().optional().describe('null: no webhook at all'),
  method: z.enum(['card', 'vbank']).default('card'),
  provider: z
    .enum(PROVIDERS)
    .default('nice')
    .describe('inicis: V1 closes its virtual accounts with a pg_api_key only'),
  form: z.boolean().default(false).describe('confirm and webhooks form-encoded'),
  omitAmount: z.boolean().default(false).describe('no amount in the confirm'),
  amountAsText: z.boolean().default(false).describe('the amount as a text in the confirm'),
  test: z.boolean().default(false).describe('through a test channel'),
  paymentId: z.string().min(1).max(64).optional(),
  buyer: z
    .enum([
      'pay',
      'decline',
      'vanish',
      'hang_up',
      'repeat',
      'pay_late',
      'fail_late',
      'fail_then_paid',
    ])
    .default('pay')
    .describe('what the buyer does, or the PG on their behalf, around the confirm'),
  hangUpAfterMs: ms.default(50).describe('with hang_up'),
  lateMs: ms.default(1_000).describe('with pay_late, fail_late, fail_then_paid'),
  pending: z
    .boolean()
    .default(false)
    .describe('with pay_late, fail_late, vanish: approval is awaited, as with PayPal'),
  repeat: z
    .strictObject({
      times: z.number().int().min(1).max(100).default(1),
      when: z.enum(['concurrent', 'after', 'after_paid']).default('concurrent'),
    })
    .prefault({})
    .describe('extra confirms, with buyer: repeat'),
  pgDelayMs: ms.default(0).describe('between the 200 and the decision of the PG'),
  dueInMs: z.number().int().min(0).default(86_400_000).describe('of a virtual account'),
  afterDue: z
    .enum(['accepted', 'refused'])
    .default('accepted')
    .describe('money that comes after the due date'),
  closable: z
    .boolean()
    .default(true)
    .describe('false: the provider can neither close nor change the account'),
  closedAs: z
    .enum(['failed', 'cancelled'])
    .default('failed')
    .describe('what an account that was closed unpaid reads as'),
  cancels: z
    .strictObject({
      how: z.enum(['now', 'later', 'late_failure', 'failed', 'never']).default('now'),
      lateMs: ms.nullable().default(1_000),
      refusals: z.number().int().min(0).max(1_000_000).default(0),
      message: z.string().min(1).max(200).default('[PG] 취소가 거절되었습니다.'),
    })
    .prefault({})
    .describe('what the PG does when money is to go back; never: always refused'),
  customData: z.string().max(10_000).nullable().default(null),
  authLastsMs: ms.default(600_000).describe('how long the token of a manual confirm is good'),
  paidAtAlways: z
    .boolean()
    .default(false)
    .describe('a manual confirm answers paidAt though nothing is paid'),
  webhooks: z
    .strictObject({
      mode: z.enum(['normal', 'lost', 'repeated', 'delayed', 'reordered']).default('normal'),
      delayMs: ms.optional(),
      times: z.number().int().min(1).max(100).default(2),
    })
    .prefault({})
    .describe('how they are delivered'),
});

/** Built once: a schema made for each call costs more than the reading. */
const shape = payFields.refine(
  (plan) => plan.dialect !== 'v1' || plan.merchantUid.length <= V1_MERCHANT_UID_LENGTH,
  { message: `V1 allows ${V1_MERCHANT_UID_LENGTH} characters`, path: ['merchantUid'] },
);

export type PayPlan = Omit<z.infer<typeof shape>, 'dialect' | 'confirmUrl' | 'webhookUrl'> & {
  dialect: Dialect;
  confirmUrl: string | null;
  webhookUrl: string | null;
};

export interface PayDefaults {
  confirmUrl: string | null;
  webhookUrl: string | null;
  webhookVersion: WebhookVersion;
}

/** Throws a ZodError that names what is wrong: a bad request is the tester's mistake. */
export function readPayRequest(request: PayRequest | unknown, defaults: PayDefaults): PayPlan {
  const read = shape.parse(request);
  const dialect = read.dialect === 'v2' ? (`v2-${defaults.webhookVersion}` as const) : read.dialect;
  if (read.form && dialect === 'v2-2024-04-25') {
    const message = '2024-04-25 is JSON only: form does not apply';
    throw new z.ZodError([{ code: 'custom', path: ['form'], message, input: true }]);
  }
  return {
    ...read,
    dialect,
    confirmUrl: read.confirmUrl === undefined ? defaults.confirmUrl : read.confirmUrl,
    webhookUrl: read.webhookUrl === undefined ? defaults.webhookUrl : read.webhookUrl,
  };
}
