// What the organizer's server sends when a buyer's browser came back with a payment token.

import { z } from 'zod';

const AMOUNT_MAX = 2_147_483_647;

export const manualBody = z.strictObject({
  paymentToken: z.string().min(1).max(2_000),
  /** The attempt, as the browser names it; without it PortOne is asked for it. */
  txId: z.string().trim().min(1).max(200).optional(),
  /** What the browser says was paid; only ever compared. */
  amount: z.number().int().min(0).max(AMOUNT_MAX).optional(),
  /** The browser's answer has it; PortOne's own word is what counts. */
  isTest: z.boolean().optional(),
});

/** The order's own id, V2 `paymentId`. */
export const merchantUidPart = z.string().trim().min(1).max(200);
