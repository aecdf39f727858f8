// The shapes in which an organizer's server speaks of refunds.

import { z } from 'zod';
import { PAGE_MAX, REFUND_STATES } from './view-refund.ts';

const AMOUNT_MAX = 2_147_483_647;
const SEATS_MAX = 500;

const text = (max: number) => z.string().trim().min(1).max(max);

export const refundAccount = z
  .strictObject({
    bank: text(60),
    number: z
      .string()
      .trim()
      .regex(/^\d[\d-]{4,38}\d$/, 'digits and hyphens, 6 to 40'),
    holder: text(60),
    phone: z
      .string()
      .trim()
      .regex(/^\+?[\d-]{6,20}$/, 'digits and hyphens, 6 to 20')
      .optional(),
  })
  .transform(({ phone, ...rest }) => ({ ...rest, phone: phone ?? null }));

/** Money goes back to a card as it came; PortOne and the bank show the reason. */
export const refundReason = text(200);

export const newRefund = z.strictObject({
  paymentId: text(200).optional(),
  amount: z.number().int().min(1).max(AMOUNT_MAX).optional(),
  seats: z
    .array(text(200))
    .min(1)
    .max(SEATS_MAX)
    .refine((labels) => new Set(labels).size === labels.length, 'each seat may be named once')
    .optional(),
  reason: refundReason,
  account: refundAccount.optional(),
  dryRun: z.boolean().optional(),
});

export const byHandNote = z.strictObject({ note: text(500) });

export const refundId = z.coerce.number().int().min(1).max(AMOUNT_MAX);

export const refundQuery = z.strictObject({
  state: z.enum(REFUND_STATES).optional(),
  after: refundId.optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).optional(),
});
