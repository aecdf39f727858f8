// Who comes, when, and what each of them does: drawn from the seed, nothing else.

import type { Dialect, PayRequest } from '../sandbox/types.ts';
import { Dice } from './dice.ts';
import { type EventPlan, namedSeats } from './events.ts';
import {
  AFTERS,
  type After,
  dialectFor,
  LEADS,
  mayHaveAfter,
  STORIES,
  type Story,
  tell,
} from './stories.ts';

/** How long the service keeps a seat for whoever was told yes. */
export const HOLD_SECONDS = 5;

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
  /** What becomes of the payment once it has its seats. */
  after: After;
  /** Plays on, however often the seats are refused, and however late it is. */
  leads: boolean;
  /** What to try first, and what to be content with where that cannot be had. */
  wishes: [Wish, ...Wish[]];
  /** How often to come back where every seat is being paid for. */
  patience: number;
  /** Whether to come back after a declined card or a broken connection. */
  triesAgain: boolean;
}

/** A leading part needs a seat or two, and the others want some as well. */
const SEATS_A_LEAD = 4;
const BUYERS_A_LEAD = 3;
/** Each event's leads begin so far on in the list. */
const LEADS_APART = 6;
/** Before the rush: whoever leads is seated. */
const LEADS_ARRIVE_MS = 150;

/** @param windowMs the last ones come this long after the opening */
export function planBuyers(events: EventPlan[], seed: number, windowMs: number): Buyer[] {
  const buyers: Buyer[] = [];
  events.forEach((event, at) => {
    const { seats, buyers: count } = event;
    const leads = Math.floor(Math.min(seats / SEATS_A_LEAD, count / BUYERS_A_LEAD, LEADS.length));
    for (let n = 0; n < count; n += 1) {
      const lead = n < leads ? LEADS[(n + at * LEADS_APART) % LEADS.length] : undefined;
      buyers.push(draw({ event, at, index: buyers.length, lead }, seed, windowMs));
    }
  });
  return buyers;
}

/** 16 s for 3,000 buyers; a small sale need not take as long. */
export function arrivalWindowMs(buyers: number): number {
  return Math.min(20_000, 6_000 + (buyers * 10) / 3);
}

interface Part {
  event: EventPlan;
  at: number;
  index: number;
  lead: (typeof LEADS)[number] | undefined;
}

function draw({ event, at, index, lead }: Part, seed: number, windowMs: number): Buyer {
  const dice = new Dice(seed, index);
  const drawn = dice.pick(DIALECTS);
  const story = lead?.[0] ?? dice.pick(STORIES);
  const after = lead?.[1] ?? (mayHaveAfter(story) ? dice.pick(AFTERS) : 'keeps');
  const dialect = dialectFor(story, after, drawn);
  return {
    index,
    event: at,
    arrivesAtMs: lead ? dice.whole(10, LEADS_ARRIVE_MS) : arrival(dice, event.hot, windowMs),
    dialect,
    // The newest dialect knows JSON only.
    form: dialect !== 'v2-2024-04-25' && dice.happens(0.3),
    story,
    after,
    leads: lead !== undefined,
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
  return { ...common, ...tell(storyOf(buyer, attempt), buyer.after, dice) };
}

export function storyOf({ story, leads }: Buyer, attempt: number): Story {
  return attempt === 1 || leads ? story : 'pays';
}
