// What an operator watches: verdicts by code, latency, waits, batches, holds, late voids.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import { VERDICT_CODES, type Verdict } from '../confirm/verdict.ts';
import type { Database } from '../db/database.ts';
import { type GatewayMetrics, gatewayMetrics } from './gateway-metrics.ts';
import { watchDatabase } from './waiting-metrics.ts';

export interface Metrics extends GatewayMetrics {
  registry: Registry;
  answered(verdict: Verdict, latencyMs: number): void;
  enrolled(batchSize: number): void;
  decided(facts: { queuedMs: number; tookMs: number }): void;
  voided(): void;
  settled(outcome: string): void;
  swept(result: { unanswered: number; released: number; paid: number; kept: number }): void;
  /** Read at each scrape. */
  watchWaiting(count: () => number): void;
}

/** From a local round trip to the whole deadline, in seconds. */
const LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5];

export function createMetrics(database: Database, clock: Clock): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `seatline_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[], labelNames: string[] = []) =>
    new Histogram({ name: `seatline_${name}`, help, buckets, labelNames, registers });

  const verdicts = counter('verdicts_total', 'Answers to confirm requests, by code', ['code']);
  for (const code of VERDICT_CODES) verdicts.inc({ code }, 0);
  const latency = histogram(
    'verdict_seconds',
    'From the arrival of a confirm request to its answer',
    LATENCY_BUCKETS,
  );
  const batchSize = histogram('batch_size', 'Requests in one job', [1, 2, 4, 8, 16, 32, 64, 128]);
  const queueWait = histogram(
    'queue_wait_seconds',
    'From enrolment to the start of a batch',
    LATENCY_BUCKETS,
  );
  const batchTime = histogram('batch_seconds', 'Time to decide one batch', LATENCY_BUCKETS);
  const timeOuts = counter('timeouts_total', 'Confirm requests that got no verdict in time');
  const lateVoids = counter('late_voids_total', 'Holds voided because no 200 was written');
  const settled = counter('settlements_total', 'Webhooks settled, by outcome', ['outcome']);
  const ended = counter('expired_holds_total', 'Overdue holds by what became of them', ['fate']);
  watchDatabase(database, clock, registers);

  return {
    registry,
    answered: (verdict, latencyMs) => {
      verdicts.inc({ code: verdict.code });
      latency.observe(latencyMs / 1000);
      if (verdict.code === 'timed_out') timeOuts.inc();
    },
    enrolled: (size) => batchSize.observe(size),
    decided: ({ queuedMs, tookMs }) => {
      queueWait.observe(Math.max(0, queuedMs) / 1000);
      batchTime.observe(tookMs / 1000);
    },
    voided: () => lateVoids.inc(),
    settled: (outcome) => settled.inc({ outcome }),
    swept: ({ unanswered, released, paid, kept }) => {
      for (const [fate, n] of Object.entries({ unanswered, released, paid, kept })) {
        ended.inc({ fate }, n);
      }
    },
    ...gatewayMetrics(registers),
    watchWaiting: (count) => {
      new Gauge({
        name: 'seatline_waiting_requests',
        help: 'Confirm requests in this process that wait to be enrolled',
        registers,
        collect() {
          this.set(count());
        },
      });
    },
  };
}
