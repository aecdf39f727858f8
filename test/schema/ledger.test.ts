// The ledger of an order: whatever happened to its money and its seats, squared by the right word.

import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadSql } from '../../src/db/sql.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

const H1 = '00000000-0000-0000-0000-000000000001';
const PAID = 7_000;

/** One order for two seats at 1,000 (in two items of one type) and one at 5,000, held. */
const SEED = `
INSERT INTO events (id, slug, name, opens_at, hold_seconds) VALUES (1, 'one', 'One', '2020-01-01', 300);
INSERT INTO ticket_types (id, event_id, code, name, price)
  VALUES (1, 1, 'ga', 'GA', 1000), (2, 1, 'vip', 'VIP', 9999);
INSERT INTO seats (event_id, ticket_type_id, label, rank)
  VALUES (1, 1, 'ga-1', 1), (1, 1, 'ga-2', 2), (1, 1, 'ga-3', 3), (1, 2, 'vip-1', 1);
INSERT INTO orders (id, merchant_uid, event_id, buyer_id, amount, currency, status, fingerprint)
  VALUES (1, 'order-1', 1, 'b1', ${PAID}, 'KRW', 'held', 'f');
INSERT INTO order_items (order_id, ticket_type_id, quantity, unit_price, labels)
  VALUES (1, 1, 1, 1000, '{}'), (1, 1, 1, 1000, '{}'), (1, 2, 1, 5000, '{}');
INSERT INTO holds (id, order_id, event_id, buyer_id, payment_id, gateway, quantity, created_at,
                   expires_at, answer_by)
  VALUES ('${H1}', 1, 1, 'b1', 'pay-1', 'v1', 3, now(), now(), now());
UPDATE seats SET state = 'held', hold_id = '${H1}', moved_by = 't', moved_why = 't', moved_at = now()
 WHERE label IN ('ga-1', 'ga-2', 'vip-1');`;

type Step = (client: pg.Client) => Promise<unknown>;

const paid: Step = (client) =>
  client.query(
    `INSERT INTO payments (payment_id, gateway, order_id, status, amount, currency, read_at)
     VALUES ('pay-1', 'v1', 1, 'paid', $1, 'KRW', now())`,
    [PAID],
  );
const sold: Step = (client) =>
  client.query(loadSql('sell_hold'), [1, 'pay-1', new Date(), 'settlement', 'paid']);
const back =
  (...labels: string[]): Step =>
  (client) =>
    client.query(loadSql('return_seats'), [H1, labels, new Date(), 'settlement', 'refunded']);
const cancelled =
  (amount: number): Step =>
  (client) =>
    client.query(
      `UPDATE payments SET cancelled_amount = $1,
            status = CASE WHEN amount = $1 THEN 'cancelled' ELSE 'paid' END`,
      [amount],
    );
const refund =
  (values: { amount: number; whole?: boolean; seats?: string[]; hand?: boolean }): Step =>
  (client) =>
    client.query(
      `INSERT INTO refunds (payment_id, amount, whole, seats, reason, state, done_at, by_hand,
                          requested_at, next_try_at)
     VALUES ('pay-1', $1, $2, $3, 'x', 'done', now(), $4, now(), now())`,
      [values.amount, values.whole ?? false, values.seats ?? [], values.hand ?? false],
    );
/** Closed by the organizer: PortOne knows no such payment. */
const notThere =
  (stands: number): Step =>
  (client) =>
    client.query(
      `WITH never AS (UPDATE payments SET status = 'failed' WHERE payment_id = 'pay-1')
       INSERT INTO cases (event_id, order_id, payment_id, kind, amount, accepted, detail, opened_at,
                          closed_at, closed_by)
       VALUES (1, 1, 'pay-1', 'unknown_payment', $1, $2, 'x', now(), now(), 'organizer:x')`,
      [PAID, stands],
    );
const accepted =
  (amount: number): Step =>
  (client) =>
    client.query(
      `INSERT INTO cases (event_id, order_id, payment_id, kind, amount, accepted, detail, opened_at,
                        closed_at, closed_by, note)
     VALUES (1, 1, 'pay-1', 'partial_cancel', abs($1::int), $1, 'x', now(), now(), 'organizer', 'x')`,
      [amount],
    );
const ALL = back('ga-1', 'ga-2', 'vip-1');

/** What happened, and the sum of each account afterwards: money, seats, allowance. */
const SQUARE: [string, Step[], [number, number, number]][] = [
  ['nothing was paid and nothing sold', [], [0, 0, 0]],
  ['paid and sold', [paid, sold], [7_000, -7_000, 0]],
  ['paid, sold, cancelled in full', [paid, sold, cancelled(7_000), ALL], [0, 0, 0]],
  ['paid late without seats, cancelled in full', [paid, cancelled(7_000)], [0, 0, 0]],
  [
    'one seat given back with its price',
    [paid, sold, cancelled(1_000), refund({ amount: 1_000, seats: ['ga-1'] }), back('ga-1')],
    [6_000, -6_000, 0],
  ],
  [
    'a seat given back less a fee',
    [paid, sold, cancelled(4_500), refund({ amount: 4_500, seats: ['vip-1'] }), back('vip-1')],
    [2_500, -2_000, -500],
  ],
  [
    'all seats given back less a fee',
    [
      paid,
      sold,
      cancelled(6_000),
      refund({ amount: 6_000, seats: ['ga-1', 'ga-2', 'vip-1'] }),
      ALL,
    ],
    [1_000, 0, -1_000],
  ],
  [
    'a part of the money for no seat',
    [paid, sold, cancelled(700), refund({ amount: 700 })],
    [6_300, -7_000, 700],
  ],
  [
    'two parts, then all the rest',
    [
      paid,
      sold,
      refund({ amount: 700 }),
      refund({ amount: 1_000, seats: ['ga-1'] }),
      back('ga-1'),
      cancelled(7_000),
      back('ga-2', 'vip-1'),
      refund({ amount: 5_300, whole: true }),
    ],
    [0, 0, 0],
  ],
  [
    'all of it by hand',
    [paid, sold, refund({ amount: 7_000, whole: true, hand: true }), ALL],
    [0, 0, 0],
  ],
  [
    'a part for no seat, then all the rest by hand',
    [
      paid,
      sold,
      cancelled(700),
      refund({ amount: 700 }),
      refund({ amount: 6_300, whole: true, hand: true }),
      ALL,
    ],
    [0, 0, 0],
  ],
  [
    'a seat given back by hand',
    [paid, sold, refund({ amount: 1_000, seats: ['ga-2'], hand: true }), back('ga-2')],
    [6_000, -6_000, 0],
  ],
  [
    'a part cancelled in the console, let stand',
    [paid, sold, cancelled(2_000), accepted(2_000)],
    [5_000, -7_000, 2_000],
  ],
  [
    'a part cancelled in the console, a dearer seat taken back',
    [paid, sold, cancelled(2_000), back('vip-1'), accepted(2_000 - 5_000)],
    [5_000, -2_000, -3_000],
  ],
  [
    'a part cancelled in the console and let stand, then all the rest by hand',
    [
      paid,
      sold,
      cancelled(2_000),
      accepted(2_000),
      refund({ amount: 5_000, whole: true, hand: true }),
      ALL,
    ],
    [0, 0, 0],
  ],
  [
    'a part cancelled in the console and let stand, then all the rest',
    [paid, sold, cancelled(2_000), accepted(2_000), cancelled(7_000), ALL],
    [0, 0, 0],
  ],
  [
    'unknown to PortOne, and the seats given away',
    [paid, sold, notThere(7_000)],
    [0, -7_000, 7_000],
  ],
  ['unknown to PortOne, and the seats taken back', [paid, sold, notThere(0), ALL], [0, 0, 0]],
];

/** What nobody has said a word about: the ledger shows by how much. */
const ASTRAY: [string, Step[], number][] = [
  ['paid and not seated', [paid], 7_000],
  ['sold and not paid', [sold], -7_000],
  ['cancelled in part, and nobody knows why', [paid, sold, cancelled(2_000)], -2_000],
  ['cancelled in full, and the seats stand', [paid, sold, cancelled(7_000)], -7_000],
  ['a seat back, and no money for it', [paid, sold, back('vip-1')], 5_000],
  [
    'given back by hand, and the seats stand',
    [paid, sold, refund({ amount: 7_000, whole: true, hand: true })],
    -7_000,
  ],
  [
    'given back twice',
    [paid, sold, cancelled(7_000), refund({ amount: 7_000, whole: true, hand: true }), ALL],
    -7_000,
  ],
  ['a refund of a part that never was made', [paid, sold, refund({ amount: 700 })], 700],
];

let clone: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  clone = await cloneDatabase();
  client = new pg.Client({ connectionString: clone.url });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await clone?.drop();
});
beforeEach(async () => {
  await client.query('BEGIN');
  await client.query(SEED);
});
afterEach(() => client.query('ROLLBACK'));

async function sums(): Promise<{ balance: number; accounts: number[] }> {
  const { rows } = await client.query<{ account: string; sum: number }>(
    'SELECT account, sum(amount)::int AS sum FROM order_ledger WHERE order_id = 1 GROUP BY account',
  );
  const of = (account: string) => rows.find((row) => row.account === account)?.sum ?? 0;
  const accounts = [of('money'), of('seats'), of('allowance')];
  return { accounts, balance: accounts.reduce((sum, one) => sum + one, 0) };
}

describe('an order is square after', () => {
  test.each(SQUARE)('%s', async (_what, steps, accounts) => {
    for (const step of steps) await step(client);
    await client.query('SET CONSTRAINTS ALL IMMEDIATE');
    expect(await sums()).toEqual({ balance: 0, accounts });
  });
});

describe('an order is not square after', () => {
  test.each(ASTRAY)('%s', async (_what, steps, balance) => {
    for (const step of steps) await step(client);
    expect(await sums()).toMatchObject({ balance });
  });
});

test('an account that was closed before anybody paid into it never had any money', async () => {
  await paid(client);
  await client.query("UPDATE payments SET status = 'cancelled', cancelled_amount = 0");
  expect(await sums()).toEqual({ balance: 0, accounts: [0, 0, 0] });
});

test('each seat is told by its label, and each entry by the event and the currency', async () => {
  for (const step of [paid, sold, back('ga-2')]) await step(client);
  const { rows } = await client.query(
    `SELECT event_id, currency, account, entry, amount, ref FROM order_ledger WHERE order_id = 1
      ORDER BY entry DESC, ref`,
  );
  const entry = (account: string, name: string, amount: number, ref: string) => {
    return { event_id: 1, currency: 'KRW', account, entry: name, amount, ref };
  };
  expect(rows).toEqual([
    entry('seats', 'sold', -1_000, 'ga-1'),
    entry('seats', 'sold', -1_000, 'ga-2'),
    entry('seats', 'sold', -5_000, 'vip-1'),
    entry('seats', 'returned', 1_000, 'ga-2'),
    entry('money', 'paid', 7_000, 'pay-1'),
  ]);
});
