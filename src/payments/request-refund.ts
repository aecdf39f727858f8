// Puts on record that money must go back; carrying it out is the refund worker's.

import type { Transaction } from '../db/database.ts';
import type { RefundAccount } from '../portone/payment.ts';

export interface RefundWish {
  paymentId: string;
  /** Won; for a whole refund what is left now. */
  amount: number;
  /** All that is left, whatever that is when it goes back. */
  whole: boolean;
  /** With a part of the money: the seats that go back once it is there. */
  seats?: string[];
  reason: string;
  /** `settlement`, `reconciliation`, or `organizer:...`. */
  requestedBy: string;
  account?: RefundAccount | null;
  note?: string | null;
  now: Date;
}

/** @returns its id; null where a refund of this payment is open already */
export async function requestRefund(tx: Transaction, wish: RefundWish): Promise<number | null> {
  const { now, account, ...rest } = wish;
  const [made] = await tx.refund.createManyAndReturn({
    data: {
      ...rest,
      seats: wish.seats ?? [],
      note: wish.note ?? null,
      requestedAt: now,
      nextTryAt: now,
      ...(account
        ? {
            accountBank: account.bank,
            accountNumber: account.number,
            accountHolder: account.holder,
            accountPhone: account.phone,
          }
        : {}),
    },
    skipDuplicates: true,
    select: { id: true },
  });
  return made?.id ?? null;
}
