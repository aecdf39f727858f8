// Who comes, when, and what each of them does: drawn from the seed, nothing else.

import type { Dialect, PayRequest } from '../sandbox/types.ts';
import { Dice } from './dice.ts';
import { type EventPlan, namedSeats } from './events.ts';

/** How long the service keeps a seat for whoever was told yes. */
export const HOLD_SECONDS = 5;

export type Story =
  | 'pays'
  | 'repeats'
  | 'declined'
  | 'vanishes'
  | 'hangs_up'
  | 'pays_late'
  | 'fails_then_pays'
  | 'transfers'
  | 'bypasses';

/** Each story in plain words, for the report. */
export const STORY_MEANING: Record<Story, string> = {
  pays: 'pay at once',
  repeats: 'pay, while the gateway asks twice or thrice',
  declined: 'have the card declined after the yes',
  vanishes: 'close the window after the yes and never pay',
  hangs_up: 'hang up before the answer comes',
  pays_late: 'pay seconds later, some after their hold has ended',
  fails_then_pays: 'fail first and are paid after all',
  transfers: 'pay by bank transfer, later than the hold lasts',
  bypasses: 'strip the confirm call and pay all the same',
};

const STORIES: readonly (readonly [Story, number])[] = [
  ['pays', 64],
  ['repeats', 6],
  ['declined', 10],
  ['vanishes', 8],
  ['hangs_up', 4],
  ['pays_late', 4],
  ['fails_then_pays', 1],
  ['transfers', 2],
  ['bypasses', 1],
];

const DIALECTS: readonly (readonly [Dialect, number])[] = [
  ['v1', 50],
  ['v2-2024-01-01', 15],
  ['v2-2024-04-25', 35],
];

const PARTIES: Record<EventPlan['layout'], readonly (readonly [number, number])[]> = {
  standing: [
    [1, 80],
    [2, 20],
  ],
  rows: [
    [1, 45],
    [2, 35],
    [3, 10],
    [4, 10],
  ],
  bibs: [[1, 100]],
};

export interface Wish {
  quantity: number;
  seats?: string[];
  together?: boolean;
}

export interface Buyer {
  index: number;
  /** Which of the events. */
  event: number;
  /** After the opening; below zero for those who come too early. */
  arrivesAtMs: number;
  dialect: Dialect;
  form: boolean;
  story: Story;
  /** What to try first, and what to be content with where that cannot be had. */
  wishes: [Wish, ...Wish[]];
  /** How often to come back where every seat is being paid for. */
  patience: number;
  /** Whether to come back after a declined card or a broken connection. */
  triesAgain: boolean;
}

/** @param windowMs the last ones come this long after the opening */
export function planBuyers(events: EventPlan[], seed: number, windowMs: number): Buyer[] {
  const buyers: Buyer[] = [];
  events.forEach((event, at) => {
    for (let n = 0; n < event.buyers; n += 1) {
      buyers.push(draw(event, at, buyers.length, seed, windowMs));
    }
  });
  return buyers;
}

/** 16 s for 3,000 buyers; a small sale need not take as long. */
export function arrivalWindowMs(buyers: number): number {
  return Math.min(20_000, 6_000 + (buyers * 10) / 3);
}

function draw(event: EventPlan, at: number, index: number, seed: number, windowMs: number): Buyer {
  const dice = new Dice(seed, index);
  const dialect = dice.pick(DIALECTS);
  return {
    index,
    event: at,
    arrivesAtMs: arrival(dice, event.hot, windowMs),
    dialect,
    // The newest dialect knows JSON only.
    form: dialect !== 'v2-2024-04-25' && dice.happens(0.3),
    story: dice.pick(STORIES),
    wishes: wishesOf(dice, event),
    patience: dice.whole(0, 2),
    triesAgain: dice.happens(0.7),
  };
}

/** An on-sale: a rush in the first seconds, much harder for the hot event, then a tail. */
function arrival(dice: Dice, hot: boolean, windowMs: number): number {
  if (dice.happens(0.01)) return -dice.whole(100, 600);
  const rush = dice.happens(hot ? 0.45 : 0.25);
  for (;;) {
    const ms = dice.exponential(rush ? 1_500 : windowMs / 2.5);
    if (ms <= windowMs) return Math.round(ms);
  }
}

function wishesOf(dice: Dice, event: EventPlan): Buyer['wishes'] {
  const party = dice.pick(PARTIES[event.layout]);
  const quantity = Math.min(party, event.seats);
  const plain: Wish = { quantity };
  if (event.layout !== 'rows') return [plain];
  if (quantity <= 2 && dice.happens(0.2)) {
    // Squared: the front rows are wanted most.
    const seats = namedSeats(event, quantity, dice.roll() ** 2);
    if (seats) return [{ quantity, seats }, plain];
  }
  if (quantity >= 2 && dice.happens(0.3)) return [{ quantity, together: true }, plain];
  return [plain];
}

/** What the gateway is told of one attempt. Whoever comes back has sorted it out, and pays. */
export function attemptOf(buyer: Buyer, attempt: number, seed: number): Partial<PayRequest> {
  const dice = new Dice(seed ^ 0x5eed, buyer.index * 64 + attempt);
  const { dialect, form } = buyer;
  const common = { dialect, form, pgDelayMs: dice.whole(150, 1_200) };
  const story = attempt === 1 ? buyer.story : 'pays';
  return { ...common, ...tell(story, dice) };
}

function tell(story: Story, dice: Dice): Partial<PayRequest> {
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
      return { buyer: 'pay_late', lateMs, pending: dice.happens(0.5) };
    }
    case 'fails_then_pays':
      return { buyer: 'fail_then_paid', lateMs: dice.whole(500, 4_000) };
    case 'transfers':
      // The account may be paid into until after the hold would have ended.
      return { buyer: 'pay_late', method: 'vbank', lateMs: 7_000, dueInMs: 12_000 };
    case 'bypasses':
      return { buyer: 'pay', confirmUrl: null };
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
