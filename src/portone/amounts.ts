// What may be asked to go back: an odd amount is our own mistake, and V1 takes 0 for "everything".

import type { CancelRequest } from './payment.ts';

export function checkAmount({ amount }: CancelRequest): void {
  if (amount === null) return;
  if (!Number.isSafeInteger(amount) || amount <= 0) {
    throw new RangeError('an amount to cancel is a whole number above 0');
  }
}

export const leftOf = ({ payment }: CancelRequest): number =>
  payment.amount - payment.cancelledAmount;
