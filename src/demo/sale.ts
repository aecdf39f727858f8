// The sale itself: every buyer lives through a story; afterwards those who watch take what is left.

import { setTimeout as sleep } from 'node:timers/promises';
import type { SeatCounts } from '../events/events.ts';
import type { ConfirmAnswer, PayOutcome, Sandbox } from '../sandbox/types.ts';
import { attemptOf, type Buyer } from './buyers.ts';
import { Dice } from './dice.ts';
import type { EventPlan } from './events.ts';
import { type Heard, nextStep } from './next-step.ts';
import type { Order, Organizer } from './organizer.ts';

const LOOK_EVERY_MS = 400;
/** How long those who watch may go on after everybody else is done. */
const WATCH_LIMIT_MS = 25_000;
const STREAM_OF_PAUSES = 1_000_003;

/** One confirm call as the gateway saw it. Moments are ms after the opening. */
export interface Ask {
  event: number;
  paymentId: string;
  merchantUid: string;
  askedAtMs: number;
  /** Until the gateway had a connection for the call; as far as can be told from outside. */
  waitedMs: number;
  latencyMs: number;
  heard: Heard;
  /** Why no answer came, as the network said it. */
  error: string | null;
  /** Hung up by the gateway, so that nobody can say what the answer would have been. */
  hungUp: boolean;
}

export interface Sale {
  asks: Ask[];
  /** The most seats of each event that were held or sold in any look at it. */
  mostTaken: number[];
  tookMs: number;
}

export interface SaleParts {
  sandbox: Sandbox;
  organizer: Organizer;
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
  private readonly watchers: Watcher[][];
  private readonly mostTaken: number[];
  private readonly counts: (SeatCounts | null)[];
  private readonly running = new Set<Promise<void>>();
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
    const { asks, mostTaken } = this;
    return { asks, mostTaken, tookMs: this.sinceOpening() };
  }

  private start(watcher: Watcher, atMs: number): void {
    const story = this.live(watcher, atMs)
      .catch((error: unknown) => {
        this.failure ??= error;
      })
      .finally(() => {
        this.running.delete(story);
        this.done += 1;
      });
    this.running.add(story);
  }

  private async live({ buyer, ...from }: Watcher, atMs: number): Promise<void> {
    let { attempt, wish, returned } = from;
    let pauseMs = atMs - this.sinceOpening();
    for (;;) {
      await this.pause(pauseMs);
      attempt += 1;
      const outcome = await this.pay(buyer, attempt, wish);
      const heard = heardFrom(outcome.confirm, outcome);
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

  private async pay(buyer: Buyer, attempt: number, wish: number): Promise<PayOutcome> {
    const { sandbox, orders, seed } = this.parts;
    const order = orders[buyer.index]?.[wish];
    if (!order) throw new RangeError(`buyer ${buyer.index} has no order ${wish}`);
    const { merchantUid, amount, confirmUrl } = order;
    const askedAtMs = this.sinceOpening();
    const request = { merchantUid, amount, confirmUrl, ...attemptOf(buyer, attempt, seed) };
    const outcome = await sandbox.pay(request);
    const waitedMs = waitOf(outcome, this.sinceOpening() - askedAtMs, request.pgDelayMs ?? 0);
    for (const answer of outcome.confirms) {
      this.asks.push({
        event: buyer.event,
        paymentId: outcome.paymentId,
        merchantUid,
        // Repeats come a little later than the first; nobody needs to know by how much.
        askedAtMs,
        waitedMs,
        latencyMs: answer.latencyMs,
        heard: heardFrom(answer, outcome),
        error: answer.error,
        hungUp: answer.aborted,
      });
    }
    return outcome;
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
        return (counts?.held ?? 0) > 0 || this.running.size > 0;
      });
      if (!open.includes(true)) return;
    }
    await Promise.all(this.running);
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

/** What is left of an attempt's time when the answers and the card company have had theirs. */
function waitOf(outcome: PayOutcome, tookMs: number, pgDelayMs: number): number {
  const answeredMs = outcome.confirms.reduce((sum, answer) => sum + answer.latencyMs, 0);
  const charged = outcome.confirm.status === 200 ? pgDelayMs : 0;
  return Math.max(0, tookMs - answeredMs - charged);
}

function heardFrom(answer: ConfirmAnswer, outcome: PayOutcome): Heard {
  if (outcome.notOpened !== null) return 'window_shut';
  if (!answer.asked) return 'not_asked';
  if (answer.status === null) return 'no_answer';
  const code = fieldOf(answer.body, 'code');
  return typeof code === 'string' ? (code as Heard) : 'no_answer';
}

function untilNamed(answer: ConfirmAnswer, now: number): number | null {
  const at = fieldOf(answer.body, 'at');
  return typeof at === 'string' ? Math.max(0, Date.parse(at) - now) : null;
}

function fieldOf(body: unknown, field: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, field) : undefined;
}
