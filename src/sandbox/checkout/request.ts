/** What the checkout page may ask for: bounded, and none of the engine's finer faults. */

import { z } from 'zod';
import type { Dialect, NotOpened } from '../types.ts';

const URL_CHARS_MAX = 2_000;
const LATE_MAX_MS = 3_600_000;

const webAddress = z.url({ protocol: /^https?$/ }).max(URL_CHARS_MAX);

const DIALECTS = ['v1', 'v2-2024-01-01', 'v2-2024-04-25'] as const;

export const checkoutRequest = z.strictObject({
  /** `manual`: V2 with manual confirm, whose token the shop's server brings. */
  dialect: z.enum([...DIALECTS, 'manual']),
  merchantUid: z.string().trim().min(1).max(64),
  amount: z.number().int().min(0).max(2_000_000_000),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default('KRW'),
  orderName: z.string().max(200).optional(),
  confirmUrl: webAddress.optional(),
  webhookUrl: webAddress.optional(),
  redirectUrl: webAddress.optional(),
  method: z.enum(['card', 'vbank']),
  buyer: z.enum(['pay', 'decline', 'vanish', 'hang_up', 'pay_late']),
  lateMs: z.number().int().min(0).max(LATE_MAX_MS).optional(),
  test: z.boolean().optional(),
});

export type CheckoutRequest = z.infer<typeof checkoutRequest>;

export interface Ended {
  dialect: Dialect;
  paymentId: string;
  merchantUid: string;
  /** Paid, or the virtual account was issued: PortOne calls both a success. */
  success: boolean;
  /** What the buyer is told when it is not. */
  message: string | null;
  notOpened: NotOpened | null;
  refused: boolean;
  /** Of a manual confirm. */
  paymentToken: string | null;
}

/** Where the buyer's browser goes back to, with what PortOne hangs on it in the dialect's words. */
export function returnUrlOf(redirectUrl: string, ended: Ended): string {
  const url = new URL(redirectUrl);
  const set = (name: string, value: string) => url.searchParams.set(name, value);
  const message = ended.message ?? '';
  if (ended.dialect === 'v1') {
    set('imp_uid', ended.paymentId);
    set('merchant_uid', ended.merchantUid);
    set('imp_success', String(ended.success));
    if (!ended.success) set('error_msg', message);
    return url.href;
  }
  set('paymentId', ended.merchantUid);
  set('transactionType', 'PAYMENT');
  set('txId', ended.paymentId);
  if (ended.paymentToken !== null) set('paymentToken', ended.paymentToken);
  if (ended.success) return url.href;
  set('code', codeOf(ended));
  set('message', message);
  return url.href;
}

function codeOf({ notOpened, refused }: Ended): string {
  if (notOpened === 'already_paid') return 'PaymentAlreadyPaid';
  if (notOpened === 'amount_not_as_registered') return 'AmountNotEqualToPredefined';
  return refused ? 'ConfirmProcessFailed' : 'FAILURE_TYPE_PG';
}
