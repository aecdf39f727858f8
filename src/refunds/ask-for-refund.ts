// A refund as a release of sold seats asks for it: one wish for one order, answered in words.

import { wordsOf } from './problems.ts';
import { type NewRefund, type WishOptions, wishRefund } from './wish-refund.ts';

/** PortOne and the bank show it; a release's own reason may be longer. */
const REASON_MAX_CHARS = 200;

export function askForRefund(options: WishOptions) {
  return async (wish: NewRefund, actor: string) => {
    const reason = [...wish.reason].slice(0, REASON_MAX_CHARS).join('');
    const wished = await wishRefund(options, { ...wish, reason }, actor);
    if (!wished.ok) return { ok: false, detail: wordsOf(wished)[1] } as const;
    const { id, amount, whole, seats, state } = wished;
    return { ok: true, id, amount, whole, seats, state } as const;
  };
}
