// One whole demonstration: sets the stage, runs the sale, gathers the evidence, leaves nothing.

import { randomBytes } from 'node:crypto';
import { merchantEnv } from '../sandbox/merchant-env.ts';
import { startSandbox } from '../sandbox/server.ts';
import type { Sandbox } from '../sandbox/types.ts';
import { Affairs } from './affairs.ts';
import { arrivalWindowMs, type Buyer, planBuyers } from './buyers.ts';
import { type ChildService, startChildService } from './child-service.ts';
import { Deals } from './deals.ts';
import { Desk } from './desk.ts';
import { type EventPlan, planEvents } from './events.ts';
import { ANSWER_LIMIT_MS, type Evidence, type Figures, figuresOf } from './figures.ts';
import type { DemoOptions } from './options.ts';
import { type Order, Organizer } from './organizer.ts';
import { openPlace, type Place } from './place.ts';
import { readRecords } from './record.ts';
import { comeToRest, type Rest } from './rest.ts';
import { type Progress, runSale, type Sale } from './sale.ts';

const PREPARATION_MS = 1_200;
const PREPARATION_PER_BUYER_MS = 0.4;
/** Those who come too early come this long before the opening. */
const EARLIEST_MS = 600;
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
      personLines: service.personLines(),
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
    // Holds last 5 s here: a payment that nobody knows is found out, twice, well before that.
    PAYMENT_CHECK_AFTER_MS: '2000',
    // Accounts are due within seconds here, and their deposits told at once.
    DEPOSIT_GRACE_MS: '1000',
    // Every ten minutes is for sales that last longer than this one.
    RECONCILE_INTERVAL_MS: '10000',
    RECONCILE_SETTLE_MS: '2000',
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
  const windowMs = arrivalWindowMs(options.buyers);
  const buyers = planBuyers(events, options.seed, windowMs);
  const organizer = new Organizer(service.url, cast.apiKey);
  const { orders, opensAtMs } = await prepare(events, buyers, organizer, stage.now);
  stage.say(
    `The sale opens: ${options.buyers} buyers, ${options.seats} seats, ` +
      `${events.length} event${events.length === 1 ? '' : 's'} (seed ${options.seed}).`,
  );
  await openConnections(sandbox, service.url);
  const { now, signal, onProgress } = stage;
  const shared = { sandbox, organizer, events, deals: new Deals(), now, signal };
  const desk = new Desk(shared);
  desk.sitDown();
  const sale = await runSale({
    ...shared,
    affairs: new Affairs(shared),
    affairsUntilMs: windowMs / 2,
    buyers,
    orders,
    seed: options.seed,
    opensAtMs,
    onProgress,
  });
  stage.say('The sale is over; all comes to rest, then PortOne is compared, then the audit...');
  const { databaseUrl } = place;
  const rest = await comeToRest({ ...shared, desk, orders: orders.flat(), databaseUrl });
  const evidence = await gather(events, sale, rest, place, sandbox, organizer);
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

async function gather(
  events: EventPlan[],
  sale: Sale,
  rest: Rest,
  place: Place,
  sandbox: Sandbox,
  organizer: Organizer,
): Promise<Evidence> {
  const audits = await Promise.all(events.map((event) => organizer.audit(event.slug)));
  const counts = await Promise.all(events.map((event) => organizer.seats(event.slug)));
  const closed = await Promise.all(events.map((event) => organizer.cases(event.slug, false)));
  const records = await readRecords(place.databaseUrl);
  const { payments } = sandbox.books();
  return { events, sale, audits, counts, closed: closed.flat(), ...records, payments, ...rest };
}
