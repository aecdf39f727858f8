// A sale written straight into a database, and what a worker needs to decide on it.

import { type Audit, auditEvent } from '../../src/audit/audit.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { EnrolledRequest } from '../../src/confirm/batch.ts';
import { type DecideOptions, decideBatch } from '../../src/confirm/decide/decide-batch.ts';
import type { Verdict } from '../../src/confirm/verdict.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { createLog } from '../../src/log.ts';
import type { PaymentSnapshot } from '../../src/portone/payment.ts';
import { createPortOne } from '../../src/portone/portone.ts';
import { cloneDatabase, type TestDatabase } from './database.ts';
import { until } from './wait.ts';

export const PRICE = 1_000;
const FAR_MS = 60_000;

export const silentLog = createLog('silent');

export function connect(url: string): Database {
  return openDatabase({
    url,
    poolMax: 12,
    transactionTimeoutMs: 8_000,
    statementTimeoutMs: 6_000,
    lockTimeoutMs: 5_000,
    log: silentLog,
  });
}

export interface SaleOptions {
  seats: number;
  orders: number;
  /** Seats an order asks for. */
  quantity?: number;
  holdSeconds?: number;
  /** Statements run on the fresh clone before anything else; how a test removes a guard. */
  without?: string[];
}

/** One event `sale` with one type `ga` and orders `order-1`, `order-2`, ... on a database clone. */
export class Sale {
  private readonly others: Database[] = [];

  private constructor(
    private readonly clone: TestDatabase,
    readonly database: Database,
    readonly eventId: number,
    readonly typeId: number,
  ) {}

  static async open(options: SaleOptions): Promise<Sale> {
    const clone = await cloneDatabase();
    const database = connect(clone.url);
    for (const statement of options.without ?? []) await database.pool.query(statement);
    const { eventId, typeId } = await seed(database, options);
    return new Sale(clone, database, eventId, typeId);
  }

  /** The pool of another process on the same database. */
  another(): Database {
    const database = connect(this.clone.url);
    this.others.push(database);
    return database;
  }

  decide(
    requests: EnrolledRequest[],
    database: Database = this.database,
    clock: Clock = systemClock,
  ): Promise<Verdict[]> {
    const options: DecideOptions = { database, clock, searchWindowMax: 1_000 };
    return decideBatch(options, this.eventId, requests);
  }

  async rows<Row>(sql: string, ...values: unknown[]): Promise<Row[]> {
    return (await this.database.pool.query(sql, values)).rows as Row[];
  }

  async count(sql: string): Promise<number> {
    const [row] = await this.rows<{ count: string }>(`SELECT count(*) FROM ${sql}`);
    return Number(row?.count);
  }

  /** Seats that somebody holds or owns, by the hold's own account. */
  seatStates(): Promise<{ label: string; state: string }[]> {
    return this.rows('SELECT label, state FROM seats ORDER BY rank');
  }

  async orderStatus(merchantUid: string): Promise<string | undefined> {
    const sql = 'SELECT status FROM orders WHERE merchant_uid = $1';
    return (await this.rows<{ status: string }>(sql, merchantUid))[0]?.status;
  }

  /** Backends that wait for a lock which another one has. */
  waiting(): Promise<number> {
    return this.count(
      "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
  }

  async untilWaiting(backends = 1): Promise<void> {
    await until(`${backends} wait for a lock`, async () => (await this.waiting()) >= backends);
  }

  /** As if the holds had been answered, and their time were over. */
  async letHoldsExpire(): Promise<void> {
    await this.rows(`UPDATE holds SET answered_at = now() - interval '10 min',
      answer_by = now() - interval '9 min', expires_at = now() - interval '1 min'
      WHERE state = 'held'`);
  }

  async audit(): Promise<Audit> {
    const audit = await auditEvent({ database: this.database, clock: systemClock }, 'sale');
    if (!audit) throw new Error('no event');
    return audit;
  }

  async close(): Promise<void> {
    await Promise.all([this.database, ...this.others].map((database) => database.close()));
    await this.clone.drop();
  }
}

async function seed(database: Database, { seats, orders, quantity = 1, ...o }: SaleOptions) {
  const { pool } = database;
  const event = await pool.query<{ id: number }>(
    `INSERT INTO events (slug, name, opens_at, hold_seconds)
     VALUES ('sale', 'Sale', '2020-01-01', $1) RETURNING id`,
    [o.holdSeconds ?? 300],
  );
  const eventId = event.rows[0]?.id ?? 0;
  const type = await pool.query<{ id: number }>(
    `INSERT INTO ticket_types (event_id, code, name, price) VALUES ($1, 'ga', 'GA', $2)
     RETURNING id`,
    [eventId, PRICE],
  );
  const typeId = type.rows[0]?.id ?? 0;
  await pool.query(
    `INSERT INTO seats (event_id, ticket_type_id, label, rank)
     SELECT $1::int, $2::int, 'ga-' || n, n FROM generate_series(1, $3::int) n`,
    [eventId, typeId, seats],
  );
  await pool.query(
    `WITH o AS (
       INSERT INTO orders (merchant_uid, event_id, buyer_id, amount, currency, fingerprint)
       SELECT 'order-' || n, $1, 'buyer-' || n, $4::int * $5::int, 'KRW', 'f'
         FROM generate_series(1, $3::int) n RETURNING id)
     INSERT INTO order_items (order_id, ticket_type_id, quantity, unit_price, labels)
     SELECT id, $2, $4, $5, '{}' FROM o`,
    [eventId, typeId, orders, quantity, PRICE],
  );
  return { eventId, typeId };
}

export function request(
  merchantUid: string,
  paymentId: string,
  over: Partial<EnrolledRequest> = {},
): EnrolledRequest {
  const far = Date.now() + FAR_MS;
  return {
    gateway: 'v1',
    paymentId,
    merchantUid,
    amount: null,
    decideBy: far,
    answerBy: far,
    ...over,
  };
}

export function paidPayment(
  merchantUid: string,
  paymentId: string,
  over: Partial<PaymentSnapshot> = {},
): PaymentSnapshot {
  return {
    gateway: 'v1',
    paymentId,
    merchantUid,
    status: 'paid',
    amount: PRICE,
    cancelledAmount: 0,
    currency: 'KRW',
    test: false,
    method: 'card',
    virtualAccount: false,
    depositBy: null,
    cancelPending: false,
    paidAt: null,
    ...over,
  };
}

/** What settling, sweeping and releasing need where no credentials are configured. */
export function withoutGateway(database: Database, clock: Clock = systemClock) {
  const portone = createPortOne({ v1: undefined, v2: undefined, timeoutMs: 1_000, clock });
  return {
    database,
    clock,
    log: silentLog,
    portone,
    rules: { testPaymentsAccepted: true, depositGraceMs: 0 },
  };
}
