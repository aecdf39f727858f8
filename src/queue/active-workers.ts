// Keeps a worker open for each queue that has something to do, and for no other.

import type { Worker } from 'bullmq';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Carrier } from './carrier.ts';

export interface ActiveWorkersOptions {
  carrier: Carrier;
  clock: Clock;
  log: Log;
  /** Messages on this channel name queues that have something to do. */
  channel: string;
  open: (queueName: string) => Worker;
  /** A queue that was silent for so long, and is empty, loses its worker. */
  idleMs: number;
}

/** Messages may be lost; the list of active queues is read this often as well. */
const LIST_EVERY_MS = 1_000;
/** The duties that are always open count against the carrier's limit too. */
const DUTIES = 2;
/** So many of the longest silent queues are looked at to make room for one. */
const GIVE_WAY_MAX = 4;

interface Open {
  worker: Worker;
  noticedAt: number;
}

export class ActiveWorkers {
  private readonly workers = new Map<string, Open>();
  private ticker: NodeJS.Timeout | undefined;
  private unsubscribe: (() => Promise<void>) | undefined;
  private listing = false;
  private makingRoom = false;

  constructor(private readonly options: ActiveWorkersOptions) {}

  get openCount(): number {
    return this.workers.size;
  }

  async start(): Promise<void> {
    const { carrier, channel } = this.options;
    this.unsubscribe = await carrier.subscribe(channel, (name) => this.notice(name));
    await this.list();
    this.ticker = setInterval(() => void this.list(), LIST_EVERY_MS);
    this.ticker.unref();
  }

  /** Waits for the batches under way. */
  async stop(): Promise<void> {
    clearInterval(this.ticker);
    await this.unsubscribe?.().catch(() => undefined);
    await Promise.allSettled([...this.workers.values()].map(({ worker }) => worker.close()));
    this.workers.clear();
  }

  private notice(name: string): void {
    const now = this.options.clock.now().getTime();
    const known = this.workers.get(name);
    if (known) known.noticedAt = now;
    else if (this.workers.size < this.workersMax) this.openWorker(name, now);
    // Else the list, read every second, brings it up again as soon as a place is free.
    else void this.makeRoom();
  }

  private get workersMax(): number {
    return Math.max(1, this.options.carrier.workersMax - DUTIES);
  }

  private openWorker(name: string, now: number): void {
    this.workers.set(name, { worker: this.options.open(name), noticedAt: now });
  }

  private async list(): Promise<void> {
    if (this.listing) return;
    this.listing = true;
    try {
      for (const name of await this.options.carrier.listActive()) {
        if (!this.workers.has(name)) this.notice(name);
      }
      await this.closeIdle();
    } catch (error) {
      this.options.log.warn({ error: (error as Error).message }, 'active queues not listed');
    } finally {
      this.listing = false;
    }
  }

  /** All places are taken: whoever has nothing to do now gives way to whoever has. */
  private async makeRoom(): Promise<void> {
    if (this.makingRoom) return;
    this.makingRoom = true;
    try {
      const longestSilent = [...this.workers].sort(([, a], [, b]) => a.noticedAt - b.noticedAt);
      for (const [name, open] of longestSilent.slice(0, GIVE_WAY_MAX)) {
        if (!(await this.hasWork(name))) await this.close(name, open);
      }
    } catch (error) {
      this.options.log.warn({ error: (error as Error).message }, 'no room for another queue');
    } finally {
      this.makingRoom = false;
    }
  }

  private async closeIdle(): Promise<void> {
    const before = this.options.clock.now().getTime() - this.options.idleMs;
    for (const [name, open] of this.workers) {
      if (open.noticedAt > before || (await this.hasWork(name))) continue;
      // Noticed while it was looked at: somebody has just asked for it.
      if (open.noticedAt <= before) await this.close(name, open);
    }
  }

  private async close(name: string, open: Open): Promise<void> {
    this.workers.delete(name);
    await this.options.carrier.forgetActive(name);
    await open.worker.close();
    // A job may have come between the look and the forgetting.
    if (!this.workers.has(name) && (await this.hasWork(name))) {
      await this.options.carrier.noteActive(name);
      this.notice(name);
    }
  }

  private async hasWork(name: string): Promise<boolean> {
    const queue = this.options.carrier.openQueue(name);
    try {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed');
      return Object.values(counts).some((count) => count > 0);
    } finally {
      await queue.close();
    }
  }
}
