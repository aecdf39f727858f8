// What buyers do, and what becomes of their money afterwards: the words, and how the gateway is told.

import type { Dialect, PayRequest } from '../sandbox/types.ts';
import type { Dice } from './dice.ts';

export type Story =
  | 'pays'
  | 'repeats'
  | 'declined'
  | 'vanishes'
  | 'hangs_up'
  | 'pays_late'
  | 'fails_then_pays'
  | 'unheard'
  | 'bypasses'
  | 'bypasses_unheard'
  | 'forges'
  | 'by_hand'
  | 'transfers'
  | 'transfers_late'
  | 'never_transfers';

/** Each story in plain words, for the report. */
export const STORY_MEANING: Record<Story, string> = {
  pays: 'pay at once',
  repeats: 'pay, while the gateway asks twice or thrice',
  declined: 'have the card declined after the yes',
  vanishes: 'close the window after the yes and never pay',
  hangs_up: 'hang up before the answer comes',
  pays_late: 'pay seconds later, some after their hold has ended',
  fails_then_pays: 'fail first and are paid after all',
  unheard: 'pay, and every webhook about it is lost',
  bypasses: 'strip the confirm call and pay all the same',
  bypasses_unheard: 'strip the confirm call, and every webhook is lost as well',
  forges: 'forge a confirm call for a payment that PortOne does not know',
  by_hand: "be charged by the organizer's own call (manual confirm)",
  transfers: 'pay into a virtual account, later than the hold lasts',
  transfers_late: 'pay into a virtual account when its time is over',
  never_transfers: 'be given a virtual account and never pay into it',
};

/** What becomes of a payment that was sold its seats. */
export type After =
  | 'keeps'
  | 'cancelled'
  | 'part_cancelled'
  | 'refunded'
  | 'part_refunded'
  | 'disputes'
  | 'wins_dispute';

export const STORIES: readonly (readonly [Story, number])[] = [
  ['pays', 59],
  ['repeats', 6],
  ['declined', 9],
  ['vanishes', 7],
  ['hangs_up', 4],
  ['pays_late', 3],
  ['fails_then_pays', 1],
  ['unheard', 1],
  ['bypasses', 1.5],
  ['bypasses_unheard', 0.5],
  ['forges', 1],
  ['by_hand', 3.5],
  ['transfers', 1.5],
  ['transfers_late', 1],
  ['never_transfers', 1],
];

export const AFTERS: readonly (readonly [After, number])[] = [
  ['keeps', 95],
  ['cancelled', 1],
  ['part_cancelled', 1],
  ['refunded', 1],
  ['part_refunded', 1],
  ['disputes', 0.5],
  ['wins_dispute', 0.5],
];

/**
 * Played by the first who come to each event, so that no case depends on luck; a small event has
 * room for some of them only, and each event begins elsewhere in the list.
 */
export const LEADS: readonly (readonly [Story, After])[] = [
  ['pays', 'part_cancelled'],
  ['pays', 'refunded'],
  ['bypasses', 'keeps'],
  ['forges', 'keeps'],
  ['transfers', 'refunded'],
  ['unheard', 'keeps'],
  ['by_hand', 'wins_dispute'],
  ['pays', 'part_refunded'],
  ['transfers_late', 'keeps'],
  ['bypasses_unheard', 'keeps'],
  ['unheard', 'cancelled'],
  ['pays', 'disputes'],
  ['pays', 'cancelled'],
  ['never_transfers', 'keeps'],
  ['fails_then_pays', 'keeps'],
  ['transfers', 'keeps'],
  ['by_hand', 'keeps'],
  ['pays_late', 'keeps'],
];

/** Only what the gateway tells of, and tells at once, has an end that can be waited for. */
export function mayHaveAfter(story: Story): boolean {
  return story === 'pays' || story === 'by_hand';
}

/** Some things are said in one dialect only: the newest has disputes, and forgeries are unsigned. */
export function dialectFor(story: Story, after: After, drawn: Dialect): Dialect {
  if (story === 'by_hand' || after === 'disputes' || after === 'wins_dispute') {
    return 'v2-2024-04-25';
  }
  return story === 'forges' && drawn === 'v2-2024-04-25' ? 'v1' : drawn;
}

/** What the gateway is told. */
export function tell(story: Story, after: After, dice: Dice): Partial<PayRequest> {
  const request = told(story, dice);
  // Told normally, for somebody waits to see it happen.
  if (after !== 'keeps' && story === 'pays') delete request.webhooks;
  const byApi = after === 'refunded' || after === 'part_refunded' || after === 'keeps';
  return byApi ? { ...request, cancels: cancelsOf(dice) } : request;
}

function told(story: Story, dice: Dice): Partial<PayRequest> {
  switch (story) {
    case 'pays':
      return { buyer: 'pay', webhooks: webhooksOf(dice) };
    case 'repeats': {
      const when = dice.pick([
        ['concurrent', 4],
        ['after', 3],
        ['after_paid', 3],
      ] as const);
      return { buyer: 'repeat', repeat: { times: dice.whole(1, 2), when } };
    }
    case 'declined':
      return { buyer: 'decline' };
    case 'vanishes':
      return { buyer: 'vanish' };
    case 'hangs_up':
      return { buyer: 'hang_up', hangUpAfterMs: dice.whole(1, 60) };
    case 'pays_late': {
      // Half of them while their seats are held, half when they are free again, or gone.
      const lateMs = dice.happens(0.5) ? dice.whole(1_000, 3_500) : dice.whole(6_500, 9_500);
      return { buyer: 'pay_late', lateMs, pending: dice.happens(0.3) };
    }
    case 'fails_then_pays':
      return { buyer: 'fail_then_paid', lateMs: dice.whole(500, 4_000) };
    case 'unheard':
      return { buyer: 'pay', webhooks: { mode: 'lost' } };
    case 'bypasses':
      return { buyer: 'pay', confirmUrl: null };
    case 'bypasses_unheard':
      return { buyer: 'pay', confirmUrl: null, webhooks: { mode: 'lost' } };
    case 'by_hand':
      return { buyer: dice.happens(0.1) ? 'decline' : 'pay' };
    case 'forges':
      return {};
    default:
      return transfer(story, dice);
  }
}

function transfer(
  story: 'transfers' | 'transfers_late' | 'never_transfers',
  dice: Dice,
): Partial<PayRequest> {
  const account = { method: 'vbank', closable: dice.happens(0.5) } as const;
  switch (story) {
    case 'transfers':
      // The account may be paid into until after the hold would have ended.
      return { ...account, buyer: 'pay_late', lateMs: 6_000, dueInMs: 10_000 };
    case 'transfers_late':
      // Where the provider can close it no money comes; this one cannot.
      return { ...account, buyer: 'pay_late', lateMs: 9_000, dueInMs: 6_000, closable: false };
    case 'never_transfers':
      return { ...account, buyer: 'pay', dueInMs: 7_000 };
  }
}

/** Webhooks get lost, doubled, late and out of order; whoever paid in time has a seat all the same. */
function webhooksOf(dice: Dice): PayRequest['webhooks'] {
  const mode = dice.pick([
    ['normal', 84],
    ['lost', 4],
    ['repeated', 6],
    ['delayed', 4],
    ['reordered', 2],
  ] as const);
  return mode === 'delayed' ? { mode, delayMs: dice.whole(500, 6_000) } : { mode };
}

/** Most providers give money back at once; some later, some only when asked again. */
function cancelsOf(dice: Dice): PayRequest['cancels'] {
  const how = dice.pick([
    ['now', 90],
    ['later', 6],
    ['refused', 4],
  ] as const);
  return how === 'refused' ? { refusals: 1 } : { how, lateMs: dice.whole(300, 1_000) };
}
