// Gathers single items into batches: the first goes at once, the rest while it is under way.

import { TooManyWaiting } from '../faults/too-many-waiting.ts';

export interface GathererOptions<Item, Result> {
  /** @returns one result an item, in the same order */
  run: (items: Item[]) => Promise<Result[]>;
  batchMax: number;
  /** How many batches may be under way at once; more than one keeps the far side busy. */
  inFlightMax: number;
  /** Items that may wait; beyond it `add` throws TooManyWaiting. */
  waitingMax: number;
}

/** The signal came while the item still waited: it was never part of a batch. */
export class Withdrawn extends Error {
  constructor() {
    super('withdrawn before it left');
    this.name = 'Withdrawn';
  }
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
  state: 'waiting' | 'left' | 'withdrawn';
}

/**
 * Order is kept: items leave in the order in which they came. Idle, a batch is one item and
 * nothing waits; under load batches grow by themselves.
 */
export class Gatherer<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  /** Those of `waiting` that were withdrawn; they hold no place. */
  private withdrawn = 0;
  private inFlight = 0;

  constructor(private readonly options: GathererOptions<Item, Result>) {}

  get waitingCount(): number {
    return this.waiting.length - this.withdrawn;
  }

  get idle(): boolean {
    return this.inFlight === 0 && this.waiting.length === 0;
  }

  /**
   * @param signal once aborted, an item that has not left yet never leaves
   * @throws TooManyWaiting, Withdrawn, or what `run` throws
   */
  add(item: Item, signal?: AbortSignal): Promise<Result> {
    if (this.waitingCount >= this.options.waitingMax) {
      return Promise.reject(new TooManyWaiting(this.options.waitingMax));
    }
    return new Promise((resolve, reject) => {
      const entry: Waiting<Item, Result> = { item, resolve, reject, state: 'waiting' };
      signal?.addEventListener('abort', () => this.withdraw(entry), { once: true });
      this.waiting.push(entry);
      if (signal?.aborted) this.withdraw(entry);
      this.pump();
    });
  }

  private withdraw(entry: Waiting<Item, Result>): void {
    if (entry.state !== 'waiting') return;
    entry.state = 'withdrawn';
    this.withdrawn += 1;
    entry.reject(new Withdrawn());
  }

  private pump(): void {
    while (this.inFlight < this.options.inFlightMax && this.waiting.length > 0) {
      const batch = this.takeBatch();
      if (batch.length > 0) void this.send(batch);
    }
  }

  private takeBatch(): Waiting<Item, Result>[] {
    const batch: Waiting<Item, Result>[] = [];
    let taken = 0;
    for (const entry of this.waiting) {
      if (batch.length >= this.options.batchMax) break;
      taken += 1;
      if (entry.state === 'withdrawn') {
        this.withdrawn -= 1;
        continue;
      }
      entry.state = 'left';
      batch.push(entry);
    }
    this.waiting = this.waiting.slice(taken);
    return batch;
  }

  private async send(batch: Waiting<Item, Result>[]): Promise<void> {
    this.inFlight += 1;
    try {
      const results = await this.options.run(batch.map((entry) => entry.item));
      batch.forEach((entry, index) => {
        entry.resolve(results[index] as Result);
      });
    } catch (error) {
      for (const entry of batch) entry.reject(error);
    } finally {
      this.inFlight -= 1;
      this.pump();
    }
  }
}
