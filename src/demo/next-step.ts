// What a buyer does after an attempt: be done, come back, or watch for seats that come back. Pure.

import type { RefusalCode } from '../confirm/verdict.ts';
import type { PaymentState } from '../sandbox/types.ts';
import type { Buyer } from './buyers.ts';
import type { Dice } from './dice.ts';

export type Heard = 'confirmed' | RefusalCode | 'no_answer' | 'not_asked' | 'window_shut';

export interface Attempted {
  /** From 1. */
  attempt: number;
  /** Which of the buyer's wishes was tried. */
  wish: number;
  heard: Heard;
  state: PaymentState;
  /** From now until the moment the refusal named, if it named one. */
  untilMs: number | null;
  /** How often this buyer has come back because every seat was held. */
  returned: number;
}

export type NextStep =
  | { do: 'leave' }
  | { do: 'come_back'; pauseMs: number; wish: number }
  | { do: 'watch' };

const ATTEMPTS_MAX = 6;
/** Nobody waits longer than this in front of a page that says "try again". */
const WAIT_MAX_MS = 4_000;

export function nextStep(buyer: Buyer, tried: Attempted, dice: Dice): NextStep {
  if (tried.state === 'paid' || tried.attempt >= ATTEMPTS_MAX) return { do: 'leave' };
  const { wish } = tried;
  const comeBack = (pauseMs: number): NextStep => ({ do: 'come_back', pauseMs, wish });
  switch (tried.heard) {
    case 'confirmed':
    case 'no_answer': {
      const failed = tried.state === 'failed' && buyer.story !== 'fails_then_pays';
      return failed && buyer.triesAgain ? comeBack(dice.whole(400, 2_000)) : { do: 'leave' };
    }
    case 'not_open':
      return comeBack((tried.untilMs ?? 0) + dice.whole(20, 500));
    case 'overloaded':
    case 'timed_out':
    case 'unavailable':
      // Longer each time, or those who come back would keep it busy.
      return comeBack(tried.attempt * dice.whole(1_000, 2_500));
    case 'seat_taken':
    case 'no_adjacent_seats': {
      const next = wish + 1;
      if (next >= buyer.wishes.length) return { do: 'watch' };
      return { do: 'come_back', pauseMs: dice.whole(300, 1_500), wish: next };
    }
    case 'all_held':
      if (tried.returned >= buyer.patience) return { do: 'watch' };
      return comeBack(Math.min(tried.untilMs ?? 0, WAIT_MAX_MS) + dice.whole(200, 1_800));
    case 'sold_out':
    case 'hold_ended':
      return { do: 'watch' };
    default:
      return { do: 'leave' };
  }
}
