// Verdict or void: a 200 only for a live hold, and no hold from any other answer.

import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import type { Log } from '../log.ts';
import { Gatherer } from '../queue/gatherer.ts';
import { endHolds } from '../seats/end-holds.ts';
import type { EnrolledRequest } from './batch.ts';
import { lookUpVerdicts } from './standing.ts';
import { type Confirmed, type RefusalCode, refuse, type Verdict } from './verdict.ts';

const sql = { mark: loadSql('mark_answered'), noVerdict: loadSql('record_no_verdict') };

const BATCH_MAX = 200;
const VOID_TRIES_MAX = 10;
const VOID_RETRY_MS = 500;

export interface Unanswered {
  request: EnrolledRequest;
  eventId: number;
  orderId: number;
  /** What is recorded, and answered, where there is no verdict. */
  code: Extract<RefusalCode, 'timed_out' | 'unavailable'>;
}

interface Answering {
  confirmed: Confirmed;
  paymentId: string;
  checkAt: Date | null;
}

/** The instant of the mark, to take it back by; null where the hold lives no more. */
type MarkedAt = Date | null;

export class VerdictOrVoid {
  private readonly marks: Gatherer<Answering, MarkedAt>;
  private readonly unanswered: Gatherer<Unanswered, Verdict>;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly log: Log,
    waitingMax: number,
    private readonly onVoid: () => void = () => undefined,
  ) {
    this.marks = new Gatherer({
      run: (items) => this.markAll(items),
      batchMax: BATCH_MAX,
      inFlightMax: 2,
      waitingMax,
    });
    this.unanswered = new Gatherer({
      run: (items) => this.settleAll(items),
      batchMax: BATCH_MAX,
      inFlightMax: 2,
      waitingMax,
    });
  }

  /**
   * Must succeed before a 200 is written: once it has, the seat is kept until the gateway was
   * asked, for the charge may have happened.
   * @param checkAt when the payment is to be looked up; null where the caller is known
   * @returns null where the hold has ended; then the answer is a refusal
   */
  mark(confirmed: Confirmed, paymentId: string, checkAt: Date | null = null): Promise<MarkedAt> {
    return this.marks.add({ confirmed, paymentId, checkAt });
  }

  /**
   * Ends the matter of a request that got no verdict in time, in the database: records that there
   * is none unless one is there. Whoever commits first wins.
   */
  settle(unanswered: Unanswered): Promise<Verdict> {
    return this.unanswered.add(unanswered);
  }

  /**
   * Ends a hold whose 200 was surely not written. Tries on in the background while the database
   * is away; the sweep of unanswered holds stands behind it.
   */
  async void(confirmed: Confirmed, paymentId: string, markedAt: MarkedAt = null): Promise<void> {
    this.onVoid();
    for (let tries = 1; tries <= VOID_TRIES_MAX; tries += 1) {
      try {
        await endHolds(this.database.prisma, {
          holds: [{ id: confirmed.holdId, paymentId }],
          now: this.clock.now(),
          actor: 'gateway',
          reason: 'unanswered',
          orderStatus: 'pending',
          onlyUnanswered: true,
          ...(markedAt ? { unwrittenMarkAt: markedAt } : {}),
        });
        return;
      } catch (error) {
        this.log.warn({ paymentId, tries, error: (error as Error).message }, 'hold not voided yet');
        await new Promise((resolve) => setTimeout(resolve, VOID_RETRY_MS * tries));
      }
    }
  }

  private async markAll(items: Answering[]): Promise<MarkedAt[]> {
    const now = this.clock.now();
    const asked = items.map(({ confirmed, paymentId, checkAt }) => ({
      holdId: confirmed.holdId,
      paymentId,
      checkAt,
    }));
    try {
      const rows = await this.database.query<{ holdId: string; paymentId: string }>(
        sql.mark,
        JSON.stringify(asked),
        now,
      );
      const marked = new Set(rows.map((row) => `${row.holdId} ${row.paymentId}`));
      return asked.map((a) => (marked.has(`${a.holdId} ${a.paymentId}`) ? now : null));
    } catch (error) {
      // The mark may have been made all the same; no 200 follows it, so it is taken back.
      for (const item of items) void this.void(item.confirmed, item.paymentId, now);
      throw error;
    }
  }

  private async settleAll(items: Unanswered[]): Promise<Verdict[]> {
    const rows = items.map(({ request, eventId, orderId, code }) => ({
      paymentId: request.paymentId,
      gateway: request.gateway,
      amount: request.amount,
      eventId,
      orderId,
      code,
    }));
    await this.database.query(sql.noVerdict, JSON.stringify(rows), this.clock.now());
    const standing = await lookUpVerdicts(
      this.database,
      items.map((item) => item.request),
    );
    return items.map((item, index) => standing[index] ?? refuse(item.code));
  }
}
