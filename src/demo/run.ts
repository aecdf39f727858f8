// One whole demonstration: sets the stage, runs the sale, gathers the evidence, leaves nothing.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { merchantEnv } from '../sandbox/merchant-env.ts';
import { startSandbox } from '../sandbox/server.ts';
import type { Sandbox } from '../sandbox/types.ts';
import { arrivalWindowMs, type Buyer, planBuyers } from './buyers.ts';
import { type ChildService, startChildService } from './child-service.ts';
import { type EventPlan, planEvents } from './events.ts';
import { ANSWER_LIMIT_MS, type Evidence, type Figures, figuresOf } from './figures.ts';
import { compareMoney, type Money, ordersPaidFor } from './money.ts';
import type { DemoOptions } from './options.ts';
import { type Order, Organizer } from './organizer.ts';
import { openPlace, type Place } from './place.ts';
import { readMoves } from './record.ts';
import { type Progress, runSale, type Sale } from './sale.ts';

const PREPARATION_MS = 1_200;
const PREPARATION_PER_BUYER_MS = 0.4;
/** Those who come too early come this long before the opening. */
const EARLIEST_MS = 600;
const SETTLE_LIMIT_MS = 30_000;
const SETTLE_LOOK_MS = 400;
/** The gateway sends a webhook again after a minute; here after a second. */
const TIME_SCALE = 60;
/**
 * The gateway's connections to the service, kept open and used again, as a gateway that serves many
 * shops does. Node takes up one new connection in each turn of its event loop, so that hundreds at
 * once would wait for seconds before the service hears of them.
 */
export const CONNECTIONS = 256;

export interface Stage {
  say: (line: string) => void;
  onProgress: (progress: Progress) => void;
  signal: AbortSignal;
  now: () => number;
  env: NodeJS.ProcessEnv;
}

export interface Demonstrated {
  figures: Figures;
  /** What the charts are drawn from. */
  evidence: Evidence;
  opensAtMs: number;
  buyers: Buyer[];
}

export async function demonstrate(options: DemoOptions, stage: Stage): Promise<Demonstrated> {
  const startedAt = stage.now();
  stage.say('Starting Postgres, the service and a sandbox gateway...');
  const place = await openPlace(stage.env, stage.say);
  const closers: (() => Promise<void>)[] = [() => place.leave()];
  try {
    const sandbox = await startSandbox({
      seed: options.seed,
      confirmTimeoutMs: ANSWER_LIMIT_MS,
      timeScale: TIME_SCALE,
      // V1 sends a webhook again only where the merchant has asked for it; this one has.
      v1Resend: true,
      maxSockets: CONNECTIONS,
    });
    closers.push(() => sandbox.close());
    stage.signal.throwIfAborted();
    const apiKey = randomBytes(16).toString('hex');
    const service = await startChildService(serviceEnv(place, sandbox, apiKey));
    closers.push(() => service.stop());
    sandbox.configure({ webhookUrl: `${service.url}/webhook` });
    const play = perform(options, stage, { place, sandbox, service, apiKey });
    play.catch(() => undefined);
    const { evidence, opensAtMs, buyers } = await Promise.race([play, service.died]);
    const figures = figuresOf(evidence, {
      seed: options.seed,
      carrier: place.carrier,
      errorLines: service.errorLines(),
      warningLines: service.warningLines(),
      durationMs: Math.round(stage.now() - startedAt),
      report: options.report,
    });
    for (const line of service.errors()) stage.say(`The service logged an error: ${line}`);
    return { figures, evidence, opensAtMs, buyers };
  } finally {
    for (const close of closers.reverse()) {
      await close().catch((error: Error) => stage.say(`While leaving: ${error.message}`));
    }
  }
}

function serviceEnv(place: Place, sandbox: Sandbox, apiKey: string): Record<string, string> {
  return {
    ...place.env,
    ...merchantEnv(sandbox),
    NODE_ENV: 'test',
    ROLE: 'all',
    HOST: '127.0.0.1',
    // Any free one; the service says which.
    PORT: '0',
    API_KEY: apiKey,
    CONFIRM_SECRET: randomBytes(16).toString('hex'),
  };
}

interface Cast {
  place: Place;
  sandbox: Sandbox;
  service: ChildService;
  apiKey: string;
}

async function perform(options: DemoOptions, stage: Stage, cast: Cast) {
  const { sandbox, service, place } = cast;
  const events = planEvents(options);
  const buyers = planBuyers(events, options.seed, arrivalWindowMs(options.buyers));
  const organizer = new Organizer(service.url, cast.apiKey);
  const { orders, opensAtMs } = await prepare(events, buyers, organizer, stage.now);
  stage.say(
    `The sale opens: ${options.buyers} buyers, ${options.seats} seats, ` +
      `${events.length} event${events.length === 1 ? '' : 's'} (seed ${options.seed}).`,
  );
  await openConnections(sandbox, service.url);
  const sale = await runSale({
    sandbox,
    organizer,
    events,
    buyers,
    orders,
    seed: options.seed,
    opensAtMs,
    now: stage.now,
    signal: stage.signal,
    onProgress: stage.onProgress,
  });
  stage.say('The sale is over; settling what is under way, then the audit...');
  const money = await settle(events, orders.flat(), cast, organizer, stage);
  const evidence = await gather(events, sale, money, place, sandbox, organizer);
  return { evidence, opensAtMs, buyers };
}

/** A gateway is not met for the first time in the second in which a sale opens. */
async function openConnections(sandbox: Sandbox, url: string): Promise<void> {
  const call = { url: `${url}/health/live`, body: {} };
  await Promise.all(Array.from({ length: CONNECTIONS }, () => sandbox.sendWebhook(call)));
}

/** Events, seats and orders are there before the sale opens, however slow the machine is. */
async function prepare(
  events: EventPlan[],
  buyers: Buyer[],
  organizer: Organizer,
  now: () => number,
): Promise<{ orders: Order[][]; opensAtMs: number }> {
  const planned = now() + PREPARATION_MS + buyers.length * PREPARATION_PER_BUYER_MS;
  for (const event of events) await organizer.createEvent(event, new Date(planned));
  const orders = await organizer.createOrders(events, buyers);
  return { orders, opensAtMs: Math.max(planned, now() + EARLIEST_MS) };
}

/** Waits until every hold is sold or ended, and money and seats agree, or the time is over. */
async function settle(
  events: EventPlan[],
  orders: Order[],
  { sandbox }: Cast,
  organizer: Organizer,
  stage: Stage,
): Promise<Money> {
  const giveUpAt = stage.now() + SETTLE_LIMIT_MS;
  const quantities = new Map(orders.map((order) => [order.merchantUid, order.quantity]));
  await Promise.race([sandbox.idle(), sleep(SETTLE_LIMIT_MS, undefined, { ref: false })]);
  for (;;) {
    const counts = await Promise.all(events.map((event) => organizer.seats(event.slug)));
    const late = stage.now() > giveUpAt;
    if (late || counts.every((count) => count.held === 0)) {
      const { payments } = sandbox.books();
      const paidFor = await organizer.orders(ordersPaidFor(payments));
      const soldSeats = counts.reduce((sum, count) => sum + count.sold, 0);
      const money = compareMoney({ payments, orders: paidFor, quantities, soldSeats });
      if (money.agrees || late) return money;
    }
    await sleep(SETTLE_LOOK_MS, undefined, { signal: stage.signal });
  }
}

async function gather(
  events: EventPlan[],
  sale: Sale,
  money: Money,
  place: Place,
  sandbox: Sandbox,
  organizer: Organizer,
): Promise<Evidence> {
  const audits = await Promise.all(events.map((event) => organizer.audit(event.slug)));
  const counts = await Promise.all(events.map((event) => organizer.seats(event.slug)));
  const moves = await readMoves(place.databaseUrl);
  return { events, sale, audits, counts, moves, payments: sandbox.books().payments, money };
}
