/** Reads a PayRequest, from code or from JSON, into a plan with every default filled in. */

import { z } from 'zod';
import type { Dialect, PayRequest, WebhookVersion } from './types.ts';

const ms = z.number().int().min(0).max(86_400_000);
const httpUrl = z.url({ protocol: /^https?$/ });

/** `merchant_uid` is at most 40 characters on V1; V2 ids are 64 at the strictest PG. */
const V1_MERCHANT_UID_LENGTH = 40;

const fields = z.strictObject({
  dialect: z.enum(['v1', 'v2', 'v2-2024-01-01', 'v2-2024-04-25']).default('v1'),
  merchantUid: z.string().min(1).max(64),
  amount: z.number().int().min(0),
  currency: z.string().length(3).default('KRW'),
  orderName: z.string().max(200).default('Seatline order'),
  confirmUrl: httpUrl.nullable().optional(),
  webhookUrl: httpUrl.nullable().optional(),
  method: z.enum(['card', 'vbank']).default('card'),
  form: z.boolean().default(false),
  omitAmount: z.boolean().default(false),
  amountAsText: z.boolean().default(false),
  test: z.boolean().default(false),
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
    .default('pay'),
  hangUpAfterMs: ms.default(50),
  lateMs: ms.default(1_000),
  pending: z.boolean().default(false),
  repeat: z
    .strictObject({
      times: z.number().int().min(1).max(100).default(1),
      when: z.enum(['concurrent', 'after', 'after_paid']).default('concurrent'),
    })
    .prefault({}),
  pgDelayMs: ms.default(0),
  dueInMs: z.number().int().min(0).default(86_400_000),
  afterDue: z.enum(['accepted', 'refused']).default('accepted'),
  closable: z.boolean().default(true),
  closedAs: z.enum(['failed', 'cancelled']).default('failed'),
  cancels: z
    .strictObject({
      how: z.enum(['now', 'later', 'late_failure', 'never']).default('now'),
      lateMs: ms.nullable().default(1_000),
      refusals: z.number().int().min(0).max(1_000_000).default(0),
      message: z.string().min(1).max(200).default('[PG] 취소가 거절되었습니다.'),
    })
    .prefault({}),
  customData: z.string().max(10_000).nullable().default(null),
  authLastsMs: ms.default(600_000),
  paidAtAlways: z.boolean().default(false),
  webhooks: z
    .strictObject({
      mode: z.enum(['normal', 'lost', 'repeated', 'delayed', 'reordered']).default('normal'),
      delayMs: ms.optional(),
      times: z.number().int().min(1).max(100).default(2),
    })
    .prefault({}),
});

/** Built once: a schema made for each call costs more than the reading. */
const shape = fields.refine(
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
