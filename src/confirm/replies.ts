// Waits for verdicts: one channel for the whole process, and the database where a reply is lost.

import { setInterval } from 'node:timers';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import type { Log } from '../log.ts';
import type { Carrier } from '../queue/carrier.ts';
import type { BatchReply, EnrolledRequest } from './batch.ts';
import { lookUpVerdicts } from './standing.ts';
import type { Verdict } from './verdict.ts';

/** A reply this late is looked for in the database; messages may be lost, verdicts may not. */
const OVERDUE_MS = 400;
const LOOK_EVERY_MS = 250;

export class NoReply extends Error {
  constructor() {
    super('no verdict within the time there was');
    this.name = 'NoReply';
  }
}

class CarrierLost extends Error {
  constructor() {
    super('the queue was lost while a verdict was awaited');
    this.name = 'CarrierLost';
  }
}

interface Expected {
  requests: EnrolledRequest[];
  verdicts: Map<number, Verdict>;
  since: number;
  resolve: (verdicts: Verdict[]) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

export class Replies {
  private readonly expected = new Map<string, Expected>();
  private looking = false;
  private ticker: NodeJS.Timeout | undefined;
  private unsubscribe: (() => Promise<void>) | undefined;

  constructor(
    readonly channel: string,
    private readonly database: Database,
    private readonly carrier: Carrier,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  async open(): Promise<void> {
    this.unsubscribe = await this.carrier.subscribe(this.channel, (text) => {
      this.hearText(text);
    });
    // A caller need not wait for a reply that can hardly come; the database settles the matter.
    this.carrier.onChange((up) => {
      if (!up)
        for (const batchId of [...this.expected.keys()]) this.giveUp(batchId, new CarrierLost());
    });
    this.ticker = setInterval(() => void this.lookForOverdue(), LOOK_EVERY_MS);
    this.ticker.unref();
  }

  /**
   * @param until ms since 1970
   * @throws NoReply once `until` has passed
   */
  expect(batchId: string, requests: EnrolledRequest[], until: number): Promise<Verdict[]> {
    const since = this.clock.now().getTime();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.giveUp(batchId), Math.max(0, until - since));
      const verdicts = new Map<number, Verdict>();
      this.expected.set(batchId, { requests, verdicts, since, resolve, reject, timer });
    });
  }

  giveUp(batchId: string, why: Error = new NoReply()): void {
    const waiting = this.expected.get(batchId);
    if (!waiting) return;
    this.drop(batchId, waiting);
    waiting.reject(why);
  }

  async close(): Promise<void> {
    clearInterval(this.ticker);
    for (const batchId of [...this.expected.keys()]) this.giveUp(batchId);
    await this.unsubscribe?.().catch(() => undefined);
  }

  private hearText(text: string): void {
    try {
      this.hear(JSON.parse(text) as BatchReply);
    } catch (error) {
      this.log.warn({ error: (error as Error).message }, 'a reply could not be read');
    }
  }

  private hear(reply: BatchReply): void {
    const waiting = this.expected.get(reply.batchId);
    if (!waiting) return;
    for (const [index, verdict] of reply.verdicts) waiting.verdicts.set(index, verdict);
    if (waiting.verdicts.size < waiting.requests.length) return;
    this.drop(reply.batchId, waiting);
    waiting.resolve(waiting.requests.map((_, index) => waiting.verdicts.get(index) as Verdict));
  }

  private drop(batchId: string, waiting: Expected): void {
    clearTimeout(waiting.timer);
    this.expected.delete(batchId);
  }

  private async lookForOverdue(): Promise<void> {
    if (this.looking) return;
    const since = this.clock.now().getTime() - OVERDUE_MS;
    const overdue = [...this.expected].filter(([, waiting]) => waiting.since <= since);
    if (overdue.length === 0) return;
    this.looking = true;
    try {
      for (const [batchId, waiting] of overdue) {
        const verdicts = await lookUpVerdicts(this.database, waiting.requests);
        const found = verdicts.flatMap((v, i): [number, Verdict][] => (v ? [[i, v]] : []));
        if (found.length > 0) this.hear({ batchId, verdicts: found });
      }
    } catch (error) {
      this.log.warn({ error: (error as Error).message }, 'could not look for overdue verdicts');
    } finally {
      this.looking = false;
    }
  }
}
