// The manual confirm of V2: the one call that charges the buyer, sent once.

import { z } from 'zod';
import type { HttpAnswer } from './http.ts';
import { GatewayUnreachable, type ManualConfirm, type ManualConfirmResult } from './payment.ts';
import { errorOf } from './v2-payment.ts';

const confirmedBody = z.object({ paidAt: z.string().nullish() });

export function confirmBodyOf(request: ManualConfirm): Record<string, unknown> {
  const { paymentToken, paymentId, currency, amount, testAllowed } = request;
  return {
    paymentToken,
    // PortOne compares what is told here, and refuses what differs.
    ...(paymentId === null ? {} : { txId: paymentId }),
    currency,
    totalAmount: amount,
    ...(testAllowed ? {} : { isTest: false }),
  };
}

export function confirmResultFrom(answer: HttpAnswer): ManualConfirmResult {
  if (answer.status === 200) {
    const parsed = confirmedBody.safeParse(answer.body);
    if (!parsed.success) throw new GatewayUnreachable('PortOne confirmed in an unknown shape');
    const paidAt = parsed.data.paidAt ?? null;
    // For a virtual account this call only issues the account.
    return paidAt === null ? { outcome: 'accepted' } : { outcome: 'paid', paidAt };
  }
  const { type, message } = errorOf(answer);
  if (type === 'ALREADY_PAID') return { outcome: 'already_paid' };
  return { outcome: 'refused', type, message };
}
