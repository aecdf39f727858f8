// The buyer's account as it is kept: while it is needed, and shown by its last digits only.

import type { RefundAccount } from '../portone/payment.ts';

export interface AccountColumns {
  accountBank: string | null;
  accountNumber: string | null;
  accountHolder: string | null;
  accountPhone: string | null;
}

/** Once the money is back, or will not go back. */
export const WIPED: AccountColumns = {
  accountBank: null,
  accountNumber: null,
  accountHolder: null,
  accountPhone: null,
};

export function columnsOf({ bank, number, holder, phone }: RefundAccount): AccountColumns {
  return { accountBank: bank, accountNumber: number, accountHolder: holder, accountPhone: phone };
}

const SHOWN_DIGITS = 4;

export interface ShownAccount {
  bank: string;
  /** The last digits. */
  ends: string;
}

export function shown(columns: AccountColumns): ShownAccount | null {
  const { accountBank: bank, accountNumber: number } = columns;
  if (bank === null || number === null) return null;
  return { bank, ends: number.replace(/\D/g, '').slice(-SHOWN_DIGITS) };
}
