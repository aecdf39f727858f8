// A whole Seatline for a test: the real service on real parts, with the sandbox gateway beside it.

import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import type { Audit } from '../../src/audit/audit.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { merchantEnv } from '../../src/sandbox/merchant-env.ts';
import { startSandbox } from '../../src/sandbox/server.ts';
import type { Sandbox } from '../../src/sandbox/types.ts';
import { type Service, startService } from '../../src/service.ts';
import { cloneDatabase, type TestDatabase } from './database.ts';
import { freePort } from './port.ts';

export type CarrierName = 'redis' | 'postgres';
/** Every flow is run on both. */
export const CARRIERS: CarrierName[] = ['redis', 'postgres'];

/** Longer than a busy machine stands still; a test of a time limit says which it is about. */
const PATIENT = {
  CONFIRM_TIMEOUT_MS: '9000',
  TRANSACTION_TIMEOUT_MS: '8000',
  STATEMENT_TIMEOUT_MS: '7000',
  LOCK_TIMEOUT_MS: '6000',
};
/** The deadline that operators have who set none, and nearly all of it for the database. */
export const SHIPPED_DEADLINE = {
  CONFIRM_TIMEOUT_MS: '4000',
  TRANSACTION_TIMEOUT_MS: '3900',
  STATEMENT_TIMEOUT_MS: '3800',
  LOCK_TIMEOUT_MS: '3000',
};

const API_KEY = 'test-api-key-0123456789';
const CONFIRM_SECRET = 'test-confirm-secret-0123456789';

export interface WorldOptions {
  carrier: CarrierName;
  env?: Record<string, string>;
  clock?: Clock;
  /** False: no credentials, so nobody can be asked about a payment. */
  gateway?: boolean;
}

export interface HttpResult {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted on, not built upon
  body: any;
  headers: Headers;
}

export interface OrderView {
  merchantUid: string;
  amount: number;
  currency: string;
  confirmUrl: string;
  webhookUrl: string;
  status: string;
}

export interface Item {
  ticketType: string;
  quantity: number;
  seats?: string[];
  together?: boolean;
}

export class World {
  private names = 0;

  constructor(
    readonly service: Service,
    readonly sandbox: Sandbox,
    readonly database: TestDatabase,
    /** The environment that another process of the same installation would be started with. */
    readonly env: Record<string, string>,
  ) {}

  get url(): string {
    return (this.service.url ?? '').replace('localhost', '127.0.0.1');
  }

  /** Unique within the world. */
  name(prefix: string): string {
    this.names += 1;
    return `${prefix}-${this.names}`;
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<HttpResult> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${API_KEY}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      redirect: 'manual',
    });
    return resultOf(response);
  }

  /** An open event with one ticket type `ga` at 10,000 won and `seats` seats of it. */
  async event(seats: number, extra: Record<string, unknown> = {}): Promise<string> {
    const slug = this.name('event');
    const created = await this.call('POST', '/api/events', {
      slug,
      name: slug,
      opensAt: '2020-01-01T00:00:00Z',
      language: 'en',
      ticketTypes: [{ code: 'ga', name: 'General', price: 10_000 }],
      ...extra,
    });
    expectStatus(created, 201);
    if (seats > 0) {
      expectStatus(
        await this.call('POST', `/api/events/${slug}/seats`, { ticketType: 'ga', count: seats }),
        201,
      );
    }
    return slug;
  }

  async orders(
    event: string,
    count: number,
    items: Item[] = [{ ticketType: 'ga', quantity: 1 }],
  ): Promise<OrderView[]> {
    const wanted = Array.from({ length: count }, () => ({
      merchantUid: this.name(`${event}-order`),
      event,
      buyer: { id: this.name('buyer') },
      items,
    }));
    const views: OrderView[] = [];
    for (let from = 0; from < wanted.length; from += 1_000) {
      const created = await this.call('POST', '/api/orders', wanted.slice(from, from + 1_000));
      expectStatus(created, 201);
      views.push(...created.body);
    }
    return views;
  }

  async order(event: string, items?: Item[]): Promise<OrderView> {
    const [order] = await this.orders(event, 1, items);
    if (!order) throw new Error('no order');
    return order;
  }

  /** Asks as V1 does; `paymentId` is made unless given. */
  async confirm(
    order: OrderView,
    paymentId = this.name('imp'),
    amount: unknown = order.amount,
  ): Promise<HttpResult> {
    const response = await fetch(this.local(order.confirmUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ imp_uid: paymentId, merchant_uid: order.merchantUid, amount }),
      redirect: 'manual',
    });
    return resultOf(response);
  }

  /** `localhost` may resolve to an address on which nobody listens. */
  local(url: string): string {
    return url.replace('//localhost', '//127.0.0.1');
  }

  async audit(event: string): Promise<Audit> {
    return (await this.call('GET', `/api/events/${event}/audit`)).body;
  }

  async seats(
    event: string,
  ): Promise<{ total: number; available: number; held: number; sold: number }> {
    return (await this.call('GET', `/api/events/${event}`)).body.seats;
  }

  /** Straight to the database, for what no API tells. */
  sql<Row>(text: string, ...parameters: unknown[]): Promise<Row[]> {
    return this.service.dependencies.database.query<Row>(text, ...parameters);
  }

  /** Kept for a look if the test failed; dropped otherwise by the caller's afterAll. */
  async close(): Promise<void> {
    await this.sandbox.close();
    await this.service.close();
    await this.database.drop();
  }
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const database = await cloneDatabase();
  // It may be unplugged, and finds its port free when it is plugged in again.
  const sandbox = await startSandbox({ seed: 7, port: await freePort() });
  const env: Record<string, string> = {
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
    DATABASE_URL: database.url,
    API_KEY,
    CONFIRM_SECRET,
    ...PATIENT,
    // Most tests confirm under payment ids that no gateway knows, as a forger would.
    PAYMENT_CHECK_AFTER_MS: '600000',
    RECONCILE_INTERVAL_MS: '0',
    // The sandbox carries out at once what it carries out at all.
    PORTONE_DOUBT_MS: '1000',
    // Accounts of tests are due within seconds.
    DEPOSIT_GRACE_MS: '0',
    QUEUE_PREFIX: `t${randomBytes(5).toString('hex')}`,
    ...(options.carrier === 'redis' ? { REDIS_URL: inject('redisUrl') } : {}),
    ...(options.gateway === false ? {} : merchantEnv(sandbox)),
    ...(options.env ?? {}),
  };
  const config = readConfig(env);
  const service = await startService({
    config,
    databaseUrl: options.env?.DATABASE_URL ?? database.url,
    apiKey: API_KEY,
    confirmSecret: CONFIRM_SECRET,
    log: createLog(config.logLevel),
    clock: options.clock ?? systemClock,
  });
  const world = new World(service, sandbox, database, env);
  sandbox.configure({ webhookUrl: `${world.url}/webhook` });
  return world;
}

async function resultOf(response: Response): Promise<HttpResult> {
  const text = await response.text();
  const json = (response.headers.get('content-type') ?? '').includes('json');
  return {
    status: response.status,
    body: json ? JSON.parse(text) : text,
    headers: response.headers,
  };
}

function expectStatus(result: HttpResult, status: number): void {
  if (result.status !== status) {
    throw new Error(`expected ${status}, got ${result.status}: ${JSON.stringify(result.body)}`);
  }
}
