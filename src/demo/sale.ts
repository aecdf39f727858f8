// The sale itself: every buyer lives through a story; afterwards those who watch take what is left.

import { setTimeout as sleep } from 'node:timers/promises';
import type { SeatCounts } from '../events/events.ts';
import type { Sandbox } from '../sandbox/types.ts';
import type { Affairs } from './affairs.ts';
import { type Ask, type Attempt, asksOf, attemptToPay, heardFrom, untilNamed } from './asking.ts';
import { type Buyer, storyOf } from './buyers.ts';
import { caseOfAfter, caseOfPaying, type MoneyCase, type Played } from './cases.ts';
import { Dice } from './dice.ts';
import type { EventPlan } from './events.ts';
import { nextStep } from './next-step.ts';
import type { Order, Organizer } from './organizer.ts';

const LOOK_EVERY_MS = 400;
/** How long those who watch may go on after everybody else is done. */
const WATCH_LIMIT_MS = 25_000;
const STREAM_OF_PAUSES = 1_000_003;
const STREAM_OF_AFFAIRS = 2_000_003;

export interface Sale {
  asks: Ask[];
  /** The most seats of each event that were held or sold in any look at it. */
  mostTaken: number[];
  tookMs: number;
  /** The money cases, by payment. */
  played: Played;
}

export interface SaleParts {
  sandbox: Sandbox;
  organizer: Organizer;
  affairs: Affairs;
  /** After the opening: who pays later than this wants nothing back, or the sale would never end. */
  affairsUntilMs: number;
  events: EventPlan[];
  buyers: Buyer[];
  /** For each buyer an order for each wish. */
  orders: Order[][];
  seed: number;
  /** When the buyers start counting: the opening, in ms since 1970. */
  opensAtMs: number;
  now: () => number;
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
}

export interface Progress {
  /** Buyers who are done. */
  done: number;
  sold: number;
  held: number;
}

interface Watcher {
  buyer: Buyer;
  attempt: number;
  wish: number;
  returned: number;
}

export function runSale(parts: SaleParts): Promise<Sale> {
  return new RunningSale(parts).run();
}

class RunningSale {
  private readonly asks: Ask[] = [];
  private readonly played = new Map<string, MoneyCase>();
  private readonly watchers: Watcher[][];
  private readonly mostTaken: number[];
  private readonly counts: (SeatCounts | null)[];
  private readonly running = new Set<Promise<void>>();
  /** Money going back, after its buyer is done; those who watch need not wait for the last of it. */
  private readonly affairs = new Set<Promise<void>>();
  private done = 0;
  private failure: unknown = null;

  constructor(private readonly parts: SaleParts) {
    this.watchers = parts.events.map(() => []);
    this.mostTaken = parts.events.map(() => 0);
    this.counts = parts.events.map(() => null);
  }

  async run(): Promise<Sale> {
    for (const buyer of this.parts.buyers) {
      this.start({ buyer, attempt: 0, wish: 0, returned: 0 }, buyer.arrivesAtMs);
    }
    while (this.running.size > 0) await this.look();
    await this.letWatchersIn();
    const { asks, mostTaken, played } = this;
    return { asks, mostTaken, played, tookMs: this.sinceOpening() };
  }

  private start(watcher: Watcher, atMs: number): void {
    const story = this.live(watcher, atMs).finally(() => {
      this.done += 1;
    });
    this.follow(story, this.running);
  }

  private follow(story: Promise<void>, among: Set<Promise<void>>): void {
    const followed = story
      .catch((error: unknown) => {
        this.failure ??= error;
      })
      .finally(() => among.delete(followed));
    among.add(followed);
  }

  private async live({ buyer, ...from }: Watcher, atMs: number): Promise<void> {
    let { attempt, wish, returned } = from;
    let pauseMs = atMs - this.sinceOpening();
    for (;;) {
      await this.pause(pauseMs);
      attempt += 1;
      const { order, outcome } = await this.pay(buyer, attempt, wish);
      const heard = heardFrom(outcome.confirm, outcome);
      this.note(buyer, attempt, order, outcome);
      const untilMs = untilNamed(outcome.confirm, this.parts.now());
      const dice = new Dice(this.parts.seed, STREAM_OF_PAUSES + buyer.index * 64 + attempt);
      const tried = { attempt, wish, heard, state: outcome.state, untilMs, returned };
      const next = nextStep(buyer, tried, dice);
      if (next.do === 'leave') return;
      if (next.do === 'watch') {
        // Whoever watches takes any seat.
        wish = buyer.wishes.length - 1;
        this.watchers[buyer.event]?.push({ buyer, attempt, wish, returned });
        return;
      }
      if (heard === 'all_held') returned += 1;
      ({ pauseMs, wish } = next);
    }
  }

  private async pay(
    buyer: Buyer,
    attempt: number,
    wish: number,
  ): Promise<{ order: Order; outcome: Attempt }> {
    const order = this.parts.orders[buyer.index]?.[wish];
    if (!order) throw new RangeError(`buyer ${buyer.index} has no order ${wish}`);
    const askedAtMs = this.sinceOpening();
    const outcome = await attemptToPay(this.parts, buyer, order, attempt);
    const about = { event: buyer.event, merchantUid: order.merchantUid, askedAtMs };
    this.asks.push(...asksOf(outcome, about, this.sinceOpening() - askedAtMs));
    return { order, outcome };
  }

  /** Whether this attempt is one of the money cases, and whether more becomes of it. */
  private note(buyer: Buyer, attempt: number, order: Order, outcome: Attempt): void {
    const { paymentId, confirm, state } = outcome;
    const wasConfirmed = confirm.asked && confirm.status === 200;
    const event = this.parts.events[buyer.event];
    const paying = event ? caseOfPaying(storyOf(buyer, attempt), event) : null;
    if (paying && (wasConfirmed || state === 'paid')) this.played.set(paymentId, paying);
    const after = caseOfAfter(buyer);
    const mayBeSold = state === 'paid' || (wasConfirmed && paying === 'deposited');
    const isTooLate = !buyer.leads && this.sinceOpening() > this.parts.affairsUntilMs;
    if (!after || !mayBeSold || isTooLate) return;
    this.follow(this.affair(buyer, order, paymentId, after), this.affairs);
  }

  private async affair(buyer: Buyer, order: Order, paymentId: string, after: MoneyCase) {
    const dice = new Dice(this.parts.seed, STREAM_OF_AFFAIRS + buyer.index);
    const happened = await this.parts.affairs.live({ buyer, order, paymentId, dice });
    if (happened) this.played.set(paymentId, after);
  }

  /** Looks at every event as the organizer would, and lets the caller know. */
  private async look(): Promise<void> {
    await this.pause(LOOK_EVERY_MS);
    if (this.failure !== null) throw this.failure;
    const { events, organizer, onProgress } = this.parts;
    await Promise.all(
      events.map(async (event, index) => {
        const counts = await organizer.seats(event.slug);
        this.counts[index] = counts;
        this.mostTaken[index] = Math.max(this.mostTaken[index] ?? 0, counts.held + counts.sold);
      }),
    );
    const sum = (key: 'sold' | 'held') => this.counts.reduce((n, c) => n + (c?.[key] ?? 0), 0);
    onProgress({
      done: Math.min(this.done, this.parts.buyers.length),
      sold: sum('sold'),
      held: sum('held'),
    });
  }

  /** For every seat that comes back somebody who watched the page tries again. */
  private async letWatchersIn(): Promise<void> {
    const giveUpAt = this.parts.now() + WATCH_LIMIT_MS;
    while (this.parts.now() < giveUpAt) {
      await this.look();
      const idle = this.running.size === 0;
      const open = this.counts.map((counts, event) => {
        const available = counts?.available ?? 0;
        // Those called before are asking now: the next look tells what they left.
        if (idle) this.callWatchers(event, available);
        return (counts?.held ?? 0) > 0 || this.running.size > 0 || this.affairs.size > 0;
      });
      if (!open.includes(true)) return;
    }
    await Promise.all([...this.running, ...this.affairs]);
  }

  /** Small parties first: a single seat is of no use to a family. */
  private callWatchers(event: number, available: number): void {
    const waiting = this.watchers[event] ?? [];
    waiting.sort((a, b) => partyOf(a) - partyOf(b));
    let left = available;
    while (waiting[0] && partyOf(waiting[0]) <= left) {
      const watcher = waiting.shift() as Watcher;
      left -= partyOf(watcher);
      this.start(watcher, this.sinceOpening());
    }
  }

  private sinceOpening(): number {
    return this.parts.now() - this.parts.opensAtMs;
  }

  private pause(ms: number): Promise<void> {
    return sleep(Math.max(0, ms), undefined, { signal: this.parts.signal });
  }
}

function partyOf({ buyer, wish }: Pick<Watcher, 'buyer' | 'wish'>): number {
  return buyer.wishes[wish]?.quantity ?? 1;
}
