// The bodies of requests in the API's document: the very schemas by which the routes parse them.

import { z } from 'zod';
import { closeCaseBody } from '../audit/schema.ts';
import { manualBody } from '../confirm/manual/schema.ts';
import { newEvent, newSeats } from '../events/schema.ts';
import { newOrder, newOrders } from '../orders/schema.ts';
import { reconcileBody } from '../reconciliation/schema.ts';
import { byHandNote, newRefund, refundAccount } from '../refunds/schema.ts';
import { releaseBody } from '../release/schema.ts';

const id = z.string().trim().min(1).max(200);
const AMOUNT_MAX = 2_147_483_647;
const amount = z
  .union([z.number().int().min(0).max(AMOUNT_MAX), z.string().regex(/^\d{1,10}(\.0+)?$/)])
  .describe('A number, or the same as text.');

/** As src/confirm/request.ts reads them; a test proves that the two agree. */
export const confirmDialects = {
  ConfirmV1: z
    .looseObject({
      imp_uid: id.describe('The payment.'),
      merchant_uid: id.describe('The order.'),
      amount: amount.nullish(),
    })
    .describe('V1. `amount` may be missing; it is checked at settlement then.'),
  ConfirmV2Early: z
    .looseObject({
      payment_id: id.describe('The order.'),
      tx_id: id.describe('The payment.'),
      total_amount: amount,
    })
    .describe('V2, webhook version 2024-01-01.'),
  ConfirmV2: z
    .looseObject({
      type: z.literal('Transaction.Confirm'),
      timestamp: z.string(),
      data: z.looseObject({
        paymentId: id.describe('The order.'),
        transactionId: id.describe('The payment.'),
        totalAmount: amount,
      }),
    })
    .describe('V2, webhook version 2024-04-25; must be signed where a secret is configured.'),
};

const webhooks = {
  WebhookV1: z
    .looseObject({
      imp_uid: id,
      merchant_uid: id,
      status: z.string().optional(),
      cancellation_id: z.string().nullish(),
    })
    .describe('V1. The claimed `status` is not believed: the payment is read back.'),
  WebhookV2Early: z
    .looseObject({ payment_id: id, tx_id: id, status: z.string().optional() })
    .describe('V2, version 2024-01-01.'),
  WebhookV2: z
    .looseObject({ type: z.string(), timestamp: z.string().optional(), data: z.looseObject({}) })
    .describe('V2, version 2024-04-25. Unknown types are stored and ignored.'),
};

/** By their names in the document. */
export const requestSchemas = {
  ...confirmDialects,
  ...webhooks,
  NewEvent: newEvent,
  NewSeats: newSeats,
  NewOrder: newOrder,
  NewOrders: newOrders,
  Release: releaseBody,
  NewRefund: newRefund,
  RefundAccount: refundAccount,
  PaidByHand: byHandNote,
  ManualConfirm: manualBody,
  Reconcile: reconcileBody,
  CloseCase: closeCaseBody,
} satisfies Record<string, z.ZodType>;
