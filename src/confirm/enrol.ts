// Enrolment: requests enter their event's queue in batches, in the order in which they came.

import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { Clock } from '../clock.ts';
import type { Carrier } from '../queue/carrier.ts';
import { Gatherer } from '../queue/gatherer.ts';
import type { BatchJob, EnrolledRequest } from './batch.ts';
import { Pace } from './pace.ts';
import { ACTIVE_CHANNEL, confirmQueueName } from './queue-name.ts';
import type { Replies } from './replies.ts';
import type { Verdict } from './verdict.ts';

/**
 * Two batches under way: one is being decided while the next already waits in the queue, so the
 * worker never idles; more would only make batches smaller and the database's work greater.
 */
const BATCHES_IN_FLIGHT_MAX = 2;
const ANNOUNCE_EVERY_MS = 1_000;
const LIMIT_EVERY_MS = 10_000;
/** Lanes unused for so long are closed; opening one again costs a round trip. */
const LANE_IDLE_MS = 60_000;

export interface EnrolmentOptions {
  carrier: Carrier;
  replies: Replies;
  clock: Clock;
  batchMax: number;
  waitingMax: number;
  onBatch?: (size: number) => void;
}

interface Lane {
  gatherer: Gatherer<EnrolledRequest, Verdict>;
  pace: Pace;
  queue: Queue;
  /** The queue's limits are set in the carrier, which may have lost them since. */
  ready: Promise<unknown> | undefined;
  limitedAt: number;
  announcedAt: number;
  usedAt: number;
}

export class Enrolment {
  private readonly lanes = new Map<number, Lane>();
  private readonly sweeper: NodeJS.Timeout;

  constructor(private readonly options: EnrolmentOptions) {
    options.carrier.onChange((up) => {
      if (up) for (const lane of this.lanes.values()) lane.ready = undefined;
    });
    this.sweeper = setInterval(() => this.closeIdleLanes(), LANE_IDLE_MS);
    this.sweeper.unref();
  }

  /** How long a request that entered now would wait for its verdict, as far as is known. */
  expectedWaitMs(eventId: number): number {
    const lane = this.lanes.get(eventId);
    return lane ? lane.pace.expectedWaitMs(lane.gatherer.waitingCount) : 0;
  }

  get waitingCount(): number {
    let sum = 0;
    for (const lane of this.lanes.values()) sum += lane.gatherer.waitingCount;
    return sum;
  }

  /**
   * @throws Withdrawn if the signal came before the request left, NoReply if no verdict came,
   * TooManyWaiting, or the carrier's own error
   */
  enrol(eventId: number, request: EnrolledRequest, signal: AbortSignal): Promise<Verdict> {
    const lane = this.lanes.get(eventId) ?? this.openLane(eventId);
    lane.usedAt = this.options.clock.now().getTime();
    return lane.gatherer.add(request, signal);
  }

  async close(): Promise<void> {
    clearInterval(this.sweeper);
    await Promise.allSettled([...this.lanes.values()].map((lane) => lane.queue.close()));
  }

  private openLane(eventId: number): Lane {
    const queue = this.options.carrier.openQueue(confirmQueueName(eventId), {
      defaultJobOptions: {
        attempts: 1,
        removeOnComplete: true,
        removeOnFail: { age: 3600, count: 100 },
      },
      streams: { events: { maxLen: 100 } },
    });
    const lane: Lane = {
      queue,
      pace: new Pace(this.options.batchMax),
      ready: undefined,
      limitedAt: 0,
      announcedAt: 0,
      usedAt: 0,
      gatherer: new Gatherer({
        batchMax: this.options.batchMax,
        inFlightMax: BATCHES_IN_FLIGHT_MAX,
        waitingMax: this.options.waitingMax,
        run: (requests) => this.send(lane, eventId, requests),
      }),
    };
    this.lanes.set(eventId, lane);
    return lane;
  }

  private async send(lane: Lane, eventId: number, requests: EnrolledRequest[]): Promise<Verdict[]> {
    const { replies, clock } = this.options;
    const batchId = randomUUID();
    const enrolledAt = clock.now().getTime();
    const until = Math.max(...requests.map((r) => r.decideBy));
    const job: BatchJob = { batchId, eventId, replyTo: replies.channel, enrolledAt, requests };
    const verdicts = replies.expect(batchId, requests, until);
    // It may fail before it is waited for, while the queue still takes the job.
    verdicts.catch(() => undefined);
    this.options.onBatch?.(requests.length);
    try {
      // One event, one batch at a time, whatever the number of workers: this is what makes
      // first come, first served simple.
      await this.limit(lane, enrolledAt);
      await Promise.all([lane.queue.add('batch', job), this.announce(lane, eventId, enrolledAt)]);
    } catch (error) {
      lane.ready = undefined;
      replies.giveUp(batchId);
      throw error;
    }
    const given = await verdicts;
    lane.pace.note(enrolledAt, clock.now().getTime());
    return given;
  }

  /** The limit lives in the carrier, which may lose it in silence: it is set again in passing. */
  private async limit(lane: Lane, now: number): Promise<void> {
    if (!lane.ready || now - lane.limitedAt > LIMIT_EVERY_MS) {
      lane.limitedAt = now;
      lane.ready = lane.queue.setGlobalConcurrency(1);
    }
    await lane.ready;
  }

  /** Workers learn at once of an event that has something to do. */
  private async announce(lane: Lane, eventId: number, now: number): Promise<void> {
    if (now - lane.announcedAt < ANNOUNCE_EVERY_MS) return;
    lane.announcedAt = now;
    const name = confirmQueueName(eventId);
    try {
      await this.options.carrier.noteActive(name);
      await this.options.carrier.publish(ACTIVE_CHANNEL, [name]);
    } catch (error) {
      lane.announcedAt = 0;
      throw error;
    }
  }

  private closeIdleLanes(): void {
    const before = this.options.clock.now().getTime() - LANE_IDLE_MS;
    for (const [eventId, lane] of this.lanes) {
      if (lane.usedAt > before || !lane.gatherer.idle) continue;
      this.lanes.delete(eventId);
      void lane.queue.close().catch(() => undefined);
    }
  }
}
