// What the database itself refuses, whatever the code does: statement -> SQLSTATE.

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

const CHECK = '23514';
const UNIQUE = '23505';
const FOREIGN = '23503';
const APPEND_ONLY = '23001';
const NOT_NULL = '23502';

const H1 = '00000000-0000-0000-0000-000000000001';
const H2 = '00000000-0000-0000-0000-000000000002';
const H3 = '00000000-0000-0000-0000-000000000003';

/** Event 1 with type 1 and seats 1-5, event 2 with type 2; order 1 holds seat 1, order 2 nothing. */
const SEED = `
INSERT INTO events (id, slug, name, opens_at, hold_seconds, last_position)
  VALUES (1, 'one', 'One', '2020-01-01', 300, 1), (2, 'two', 'Two', '2020-01-01', 300, 0);
INSERT INTO ticket_types (id, event_id, code, name, price)
  VALUES (1, 1, 'ga', 'GA', 1000), (2, 2, 'ga', 'GA', 1000), (3, 1, 'vip', 'VIP', 5000);
INSERT INTO seats (event_id, ticket_type_id, label, rank)
  SELECT 1, 1, 'ga-' || n, n FROM generate_series(1, 5) n;
INSERT INTO orders (id, merchant_uid, event_id, buyer_id, amount, currency, status, fingerprint)
  VALUES (1, 'order-1', 1, 'b1', 1000, 'KRW', 'held', 'f'),
         (2, 'order-2', 1, 'b2', 1000, 'KRW', 'pending', 'f'),
         (3, 'order-3', 2, 'b3', 1000, 'KRW', 'pending', 'f');
INSERT INTO order_items (order_id, ticket_type_id, quantity, unit_price, labels)
  VALUES (1, 1, 1, 1000, '{}');
INSERT INTO holds (id, order_id, event_id, buyer_id, payment_id, gateway, quantity, created_at,
                   expires_at, answer_by)
  VALUES ('${H1}', 1, 1, 'b1', 'pay-1', 'v1', 1, now(), now(), now());
UPDATE seats SET state = 'held', hold_id = '${H1}', moved_by = 'test', moved_why = 'seed',
                 moved_at = now() WHERE id = 1;
INSERT INTO holds (id, order_id, event_id, buyer_id, payment_id, gateway, quantity, state,
                   created_at, expires_at, answer_by, ended_at, ended_why)
  VALUES ('${H2}', 2, 1, 'b2', 'pay-2', 'v1', 1, 'ended', now(), now(), now(), now(), 'expired');
INSERT INTO verdicts (payment_id, gateway, event_id, order_id, code, position, hold_id, decided_at)
  VALUES ('pay-1', 'v1', 1, 1, 'confirmed', 1, '${H1}', now());
INSERT INTO payments (payment_id, gateway, order_id, status, amount, currency, read_at)
  VALUES ('pay-1', 'v1', 1, 'paid', 1000, 'KRW', now());
INSERT INTO payment_steps (order_id, payment_id, step, actor, at)
  VALUES (1, 'pay-1', 'sold', 'settlement', now());
INSERT INTO webhooks (gateway, external_id, body, received_at, next_try_at)
  VALUES ('v2', 'wh-1', '{}', now(), now());`;

function hold(values: Record<string, string>): string {
  return insert('holds', {
    id: `'${H3}'`,
    order_id: '2',
    event_id: '1',
    buyer_id: "'b2'",
    payment_id: "'pay-3'",
    gateway: "'v1'",
    quantity: '1',
    created_at: 'now()',
    expires_at: 'now()',
    answer_by: 'now()',
    ...values,
  });
}

function verdict(values: Record<string, string>): string {
  return insert('verdicts', {
    payment_id: "'pay-9'",
    gateway: "'v1'",
    event_id: '1',
    order_id: '2',
    code: "'sold_out'",
    position: '9',
    decided_at: 'now()',
    ...values,
  });
}

function payment(values: Record<string, string>): string {
  return insert('payments', {
    payment_id: "'pay-9'",
    gateway: "'v1'",
    order_id: '2',
    status: "'paid'",
    amount: '1000',
    currency: "'KRW'",
    read_at: 'now()',
    ...values,
  });
}

function refund(values: Record<string, string>): string {
  return insert('refunds', {
    payment_id: "'pay-1'",
    amount: '1000',
    reason: "'test'",
    next_try_at: 'now()',
    requested_at: 'now()',
    ...values,
  });
}

function openCase(values: Record<string, string>): string {
  return insert('cases', {
    event_id: '1',
    order_id: '1',
    payment_id: "'pay-1'",
    kind: "'dispute'",
    detail: "'test'",
    opened_at: 'now()',
    ...values,
  });
}

function event(values: Record<string, string>): string {
  const base = { slug: "'nine'", name: "'N'", opens_at: 'now()', hold_seconds: '60' };
  return insert('events', { ...base, ...values });
}

function insert(table: string, values: Record<string, string>): string {
  const columns = Object.keys(values).map((column) => `"${column}"`);
  return `INSERT INTO ${table} (${columns}) VALUES (${Object.values(values)})`;
}

const TAKE = `state = 'held', moved_by = 't', moved_why = 't', moved_at = now()`;
const FREE = `state = 'available', hold_id = NULL, moved_by = 't', moved_why = 't', moved_at = now()`;
const END = `state = 'ended', ended_at = now(), ended_why = 'test'`;

const REFUSED: [what: string, sqlstate: string, statement: string][] = [
  // One seat, one holder.
  ['a seat held by nobody', CHECK, `UPDATE seats SET ${TAKE} WHERE id = 2`],
  ['a free seat with a hold', CHECK, `UPDATE seats SET hold_id = '${H1}' WHERE id = 2`],
  ['a seat of an unknown state', CHECK, `UPDATE seats SET state = 'lost' WHERE id = 2`],
  [
    'a seat held without saying by whom it was moved',
    CHECK,
    `UPDATE seats SET state = 'held', hold_id = '${H1}' WHERE id = 2`,
  ],
  [
    'a seat held by an ended hold',
    FOREIGN,
    `UPDATE seats SET ${TAKE}, hold_id = '${H2}' WHERE id = 2`,
  ],
  [
    'a seat held by no known hold',
    FOREIGN,
    `UPDATE seats SET ${TAKE}, hold_id = '${H3}' WHERE id = 2`,
  ],
  [
    'a seat sold while its hold is only held',
    FOREIGN,
    `UPDATE seats SET state = 'sold' WHERE id = 1`,
  ],
  [
    'a hold sold while its seat is only held',
    FOREIGN,
    `UPDATE holds SET state = 'sold' WHERE id = '${H1}'`,
  ],
  ['a hold ended while a seat refers to it', FOREIGN, `UPDATE holds SET ${END} WHERE id = '${H1}'`],
  ['a hold deleted while a seat refers to it', FOREIGN, 'DELETE FROM verdicts; DELETE FROM holds'],
  ['a seat deleted', APPEND_ONLY, 'DELETE FROM seats WHERE id = 5'],
  ['a seat of another event than its type', FOREIGN, 'UPDATE seats SET event_id = 2 WHERE id = 2'],
  [
    'two seats with one label',
    UNIQUE,
    insert('seats', { event_id: '1', ticket_type_id: '1', label: "'ga-1'", rank: '9' }),
  ],
  [
    'two seats of one rank',
    UNIQUE,
    insert('seats', { event_id: '1', ticket_type_id: '1', label: "'x'", rank: '1' }),
  ],
  [
    'a rank of nought',
    CHECK,
    insert('seats', { event_id: '1', ticket_type_id: '1', label: "'x'", rank: '0' }),
  ],
  [
    'a seat that starts out held',
    CHECK,
    insert('seats', {
      event_id: '1',
      ticket_type_id: '1',
      label: "'x'",
      rank: '9',
      state: "'held'",
    }),
  ],
  // Holds.
  ['two live holds of one order', UNIQUE, hold({ order_id: '1' })],
  ['a hold in another event than its order', FOREIGN, hold({ event_id: '2' })],
  ['a hold of an unknown state', CHECK, hold({ state: "'gone'" })],
  ['a hold of no seats', CHECK, hold({ quantity: '0' })],
  ['a hold of an unknown gateway', CHECK, hold({ gateway: "'v3'" })],
  ['a hold ended at no time', CHECK, hold({ state: "'ended'", ended_why: "'x'" })],
  ['a hold ended for no reason', CHECK, hold({ state: "'ended'", ended_at: 'now()' })],
  ['a live hold that has ended', CHECK, hold({ ended_at: 'now()', ended_why: "'x'" })],
  ['a hold that comes to life again', CHECK, `UPDATE holds SET state = 'held' WHERE id = '${H2}'`],
  // Verdicts.
  ['two verdicts of one payment', UNIQUE, verdict({ payment_id: "'pay-1'" })],
  ['two verdicts at one position', UNIQUE, verdict({ position: '1' })],
  ['a position of nought', CHECK, verdict({ position: '0' })],
  ['a confirmation without a hold', CHECK, verdict({ code: "'confirmed'" })],
  ['a refusal with a hold', CHECK, verdict({ hold_id: `'${H1}'` })],
  [
    'a confirmation without a position',
    CHECK,
    verdict({ code: "'confirmed'", hold_id: `'${H1}'`, position: 'NULL' }),
  ],
  ['a verdict in another event than its order', FOREIGN, verdict({ event_id: '2' })],
  ['a verdict of an unknown gateway', CHECK, verdict({ gateway: "'v3'" })],
  // Money.
  ['an order for nothing', CHECK, `UPDATE orders SET amount = 0 WHERE id = 2`],
  ['an order for less than nothing', CHECK, `UPDATE orders SET amount = -1 WHERE id = 2`],
  ['an order of an unknown status', CHECK, `UPDATE orders SET status = 'lost' WHERE id = 2`],
  ['an item of no seats', CHECK, 'UPDATE order_items SET quantity = 0'],
  ['an item at a negative price', CHECK, 'UPDATE order_items SET unit_price = -1'],
  ['an item with too few labels', CHECK, `UPDATE order_items SET quantity = 2, labels = '{a}'`],
  ['a free ticket type', CHECK, 'UPDATE ticket_types SET price = 0 WHERE id = 1'],
  ['a currency that is none', CHECK, `UPDATE ticket_types SET currency = 'won' WHERE id = 1`],
  ['fewer seats than none', CHECK, 'UPDATE ticket_types SET available = -1 WHERE id = 1'],
  ['a payment below nought', CHECK, payment({ amount: '-1' })],
  ['more cancelled than paid', CHECK, payment({ cancelled_amount: '1001' })],
  ['less cancelled than nothing', CHECK, payment({ cancelled_amount: '-1' })],
  ['a payment of an unknown status', CHECK, payment({ status: "'maybe'" })],
  ['a payment of an unknown gateway', CHECK, payment({ gateway: "'v3'" })],
  ['a payment of no order', FOREIGN, payment({ order_id: '99' })],
  ['a refund of nothing', CHECK, refund({ amount: '0' })],
  ['a refund of no payment', FOREIGN, refund({ payment_id: "'pay-9'" })],
  ['two open refunds of one payment', UNIQUE, `${refund({})}; ${refund({})}`],
  ['a refund done at no time', CHECK, refund({ state: "'done'" })],
  ['a refund of an unknown state', CHECK, refund({ state: "'lost'" })],
  ['money that is owed and fails', CHECK, refund({ state: "'failed'" })],
  ['a whole refund that names seats', CHECK, refund({ seats: "'{ga-1}'" })],
  ['half a bank account', CHECK, refund({ account_bank: "'x'", account_number: "'1'" })],
  [
    'a bank account kept after the money is back',
    CHECK,
    refund({
      state: "'done'",
      done_at: 'now()',
      account_bank: "'x'",
      account_number: "'1'",
      account_holder: "'x'",
    }),
  ],
  // Cases.
  ['a case of an unknown kind', CHECK, openCase({ kind: "'odd'" })],
  ['a case about less than nothing', CHECK, openCase({ amount: '-1' })],
  ['a case that nobody closed', CHECK, openCase({ closed_at: 'now()' })],
  ['a case that was closed at no time', CHECK, openCase({ closed_by: "'x'" })],
  ['an open case that was accepted', CHECK, openCase({ accepted: '5' })],
  ['a case in another event than its order', FOREIGN, openCase({ event_id: '2' })],
  ['a case of no payment', FOREIGN, openCase({ payment_id: "'pay-9'" })],
  ['two open cases of a kind', UNIQUE, `${openCase({})}; ${openCase({})}`],
  // Events.
  ['two events of one name', UNIQUE, event({ slug: "'one'" })],
  ['a slug with capitals', CHECK, event({ slug: "'One'" })],
  ['holds of no time', CHECK, event({ hold_seconds: '0' })],
  ['a policy on virtual accounts that is none', CHECK, event({ virtual_accounts: "'maybe'" })],
  ['a wait for a deposit of no time', CHECK, event({ virtual_account_max_seconds: '0' })],
  ['a policy on bypassed payments that is none', CHECK, event({ bypassed_payments: "'keep'" })],
  ['an unknown language', CHECK, event({ language: "'fr'" })],
  ['a limit of nought an order', CHECK, event({ max_per_order: '0' })],
  ['a limit of nought a buyer', CHECK, event({ max_per_buyer: '0' })],
  ['a sale that closes before it opens', CHECK, event({ closes_at: "now() - interval '1 day'" })],
  ['a position below nought', CHECK, event({ last_position: '-1' })],
  ['a check without a secret', CHECK, event({ check_url: "'http://x'" })],
  ['a check that knows no answer to silence', CHECK, event({ check_on_silence: "'shrug'" })],
  ['an event without an opening', NOT_NULL, event({ opens_at: 'NULL' })],
  [
    'two types of one code',
    UNIQUE,
    insert('ticket_types', { event_id: '1', code: "'ga'", name: "'x'", price: '1' }),
  ],
  ['two orders of one name', UNIQUE, `UPDATE orders SET merchant_uid = 'order-1' WHERE id = 2`],
  // The inbox and the record.
  [
    'one webhook stored twice',
    UNIQUE,
    `INSERT INTO webhooks (gateway, external_id, body, received_at, next_try_at)
     VALUES ('v2', 'wh-1', '{}', now(), now())`,
  ],
  ['a webhook done at no time', CHECK, `UPDATE webhooks SET state = 'done'`],
  ['a webhook of an unknown state', CHECK, `UPDATE webhooks SET state = 'lost'`],
  ['a webhook of an unknown kind', CHECK, `UPDATE webhooks SET kind = 'odd'`],
  [
    'a reconciliation that ends before it begins',
    CHECK,
    `INSERT INTO reconciliations (from_at, to_at, asked_by, dry_run, started_at)
     VALUES (now(), now() - interval '1 s', 't', true, now())`,
  ],
  ['a step changed', APPEND_ONLY, `UPDATE payment_steps SET step = 'nothing'`],
  ['a step deleted', APPEND_ONLY, 'DELETE FROM payment_steps'],
  ['the steps emptied', APPEND_ONLY, 'TRUNCATE payment_steps'],
  ['a move changed', APPEND_ONLY, `UPDATE moves SET reason = 'nothing happened'`],
  ['a move deleted', APPEND_ONLY, 'DELETE FROM moves'],
  ['the record emptied', APPEND_ONLY, 'TRUNCATE moves'],
  ['the house emptied', APPEND_ONLY, 'TRUNCATE seats'],
];

let clone: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  clone = await cloneDatabase();
  client = new pg.Client({ connectionString: clone.url });
  await client.connect();
  await client.query(SEED);
});
afterAll(async () => {
  await client?.end();
  await clone?.drop();
});

/** @returns the SQLSTATE with which the database refused it by the commit at the latest */
async function refusal(statement: string): Promise<string | undefined> {
  await client.query('BEGIN');
  try {
    await client.query(statement);
    await client.query('SET CONSTRAINTS ALL IMMEDIATE');
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.query('ROLLBACK');
  }
}

describe('the database refuses', () => {
  test.each(REFUSED)('%s (%s)', async (_what, sqlstate, statement) => {
    expect(await refusal(statement)).toBe(sqlstate);
  });

  test('nothing that is legal: each base row of the table above would be taken', async () => {
    const done = refund({ state: "'done'", done_at: 'now()' });
    const failed = { state: "'failed'", requested_by: "'organizer:api'" };
    const legal = [
      hold({}),
      verdict({}),
      payment({}),
      payment({ status: "'pending'" }),
      refund({}),
      `${done}; ${done}; ${refund({})}`,
      refund({ ...failed, whole: 'false', seats: "'{ga-1}'" }),
      refund({ account_bank: "'x'", account_number: "'1'", account_holder: "'x'" }),
      openCase({}),
      `${openCase({ closed_at: 'now()', closed_by: "'x'", accepted: '-5' })}; ${openCase({})}`,
      `${openCase({})}; ${openCase({ kind: "'partial_cancel'" })}`,
      event({}),
      event({ virtual_account_max_seconds: '60' }),
    ];
    for (const statement of legal) expect(await refusal(statement), statement).toBeUndefined();
  });

  test('CONTROL without its key, a seat may belong to a hold that has ended', async () => {
    const statement = `ALTER TABLE seats DROP CONSTRAINT seats_hold_id_state_fkey;
      UPDATE holds SET ${END} WHERE id = '${H1}'`;
    expect(await refusal(statement)).toBeUndefined();
  });

  test('the key between seat and hold waits for the commit, so that either may change first', async () => {
    const seatFirst = `UPDATE seats SET ${FREE} WHERE id = 1;
      UPDATE holds SET ${END} WHERE id = '${H1}'`;
    const holdFirst = `UPDATE holds SET ${END} WHERE id = '${H1}';
      UPDATE seats SET ${FREE} WHERE id = 1`;
    expect(await refusal(seatFirst)).toBeUndefined();
    expect(await refusal(holdFirst)).toBeUndefined();
  });
});

describe('the trigger on seats', () => {
  async function moves(statement: string) {
    await client.query('BEGIN');
    try {
      await client.query(hold({ quantity: '3' }));
      const last = await client.query('SELECT coalesce(max(id), 0) AS id FROM moves');
      await client.query(statement);
      const rows = await client.query(
        `SELECT seat_id AS seat, from_state AS was, to_state AS is, from_hold, to_hold, actor,
                reason FROM moves WHERE id > $1 ORDER BY seat_id`,
        [last.rows[0].id],
      );
      const types = await client.query(
        `SELECT id, available, (SELECT count(*)::int FROM seats s
                WHERE s.ticket_type_id = t.id AND s.state = 'available') AS counted
           FROM ticket_types t ORDER BY id`,
      );
      return { moves: rows.rows, types: types.rows };
    } finally {
      await client.query('ROLLBACK');
    }
  }
  const by = `moved_by = 'me', moved_why = 'because', moved_at = now()`;

  test('records one move a seat of a statement that takes three', async () => {
    const result = await moves(
      `UPDATE seats SET state = 'held', hold_id = '${H3}', ${by} WHERE id IN (2, 3, 4)`,
    );
    expect(result.moves.map((m) => m.seat)).toEqual([2, 3, 4]);
    expect(result.moves[0]).toMatchObject({
      was: 'available',
      is: 'held',
      from_hold: null,
      to_hold: H3,
      actor: 'me',
      reason: 'because',
    });
    expect(result.types[0]).toEqual({ id: 1, available: 1, counted: 1 });
  });

  test('records nothing for a seat that changed no hands', async () => {
    const result = await moves(`UPDATE seats SET section = 'A' WHERE id IN (1, 2)`);
    expect(result.moves).toEqual([]);
    expect(result.types[0]).toEqual({ id: 1, available: 4, counted: 4 });
  });

  test('records a seat that goes from one hold straight to another', async () => {
    const result = await moves(`UPDATE seats SET hold_id = '${H3}', ${by} WHERE id = 1`);
    expect(result.moves).toMatchObject([{ from_hold: H1, to_hold: H3, was: 'held', is: 'held' }]);
    expect(result.types[0]).toEqual({ id: 1, available: 4, counted: 4 });
  });

  test('counts seats that come back and seats that go in one statement', async () => {
    const result = await moves(
      `UPDATE seats SET state = CASE id WHEN 1 THEN 'available' ELSE 'held' END,
         hold_id = CASE id WHEN 1 THEN NULL ELSE '${H3}'::uuid END, ${by} WHERE id IN (1, 2, 3)`,
    );
    expect(result.moves).toHaveLength(3);
    expect(result.types[0]).toEqual({ id: 1, available: 3, counted: 3 });
  });

  test('counts new seats of two types', async () => {
    const result = await moves(
      `INSERT INTO seats (event_id, ticket_type_id, label, rank)
       VALUES (1, 1, 'n1', 10), (1, 3, 'v1', 1), (1, 3, 'v2', 2)`,
    );
    expect(result.types.map((t) => t.available)).toEqual([5, 0, 2]);
    expect(result.types.map((t) => t.counted)).toEqual([5, 0, 2]);
  });

  // A seat that is freed keeps the words of its last move unless new ones are given.
  test('refuses a seat that is given back without a word', async () => {
    const sql = `UPDATE seats SET state = 'available', hold_id = NULL, moved_by = NULL WHERE id = 1`;
    expect(await refusal(sql)).toBe(NOT_NULL);
  });
});

test('CONTROL without the trigger nothing is recorded and the count is wrong', async () => {
  await client.query('BEGIN');
  await client.query('ALTER TABLE seats DISABLE TRIGGER seats_moved');
  await client.query(hold({}));
  const before = await client.query('SELECT count(*) FROM moves');
  await client.query(`UPDATE seats SET ${TAKE}, hold_id = '${H3}' WHERE id = 2`);
  const after = await client.query('SELECT count(*) FROM moves');
  const type = await client.query('SELECT available FROM ticket_types WHERE id = 1');
  await client.query('ROLLBACK');
  expect(after.rows).toEqual(before.rows);
  expect(type.rows[0].available).toBe(4);
});
