// A house that was in the middle of a sale is upgraded: what the release before left open is settled.

import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { migrate, readMigrations } from '../../src/db/migrate.ts';
import { merchantEnv } from '../../src/sandbox/merchant-env.ts';
import { startSandbox } from '../../src/sandbox/server.ts';
import type { PayRequest, Sandbox } from '../../src/sandbox/types.ts';
import { seen } from '../support/buyer.ts';
import { databaseUrl, onServer } from '../support/global-setup.ts';
import { until } from '../support/wait.ts';
import { type OrderView, openWorld, type World } from '../support/world.ts';

/** Before money was kept in cases, parts and a ledger. */
const RELEASE_BEFORE = ['20261123000000_init', '20261123000001_guards'];
const EVENT = 'concert';
const PRICE = 10_000;

const name = `seatline_test_${randomBytes(6).toString('hex')}`;
let sandbox: Sandbox;
let client: pg.Client;
let world: World;

/** As the release before wrote it; instants are seconds from now. */
interface Left {
  order: string;
  hold?: { state: 'held' | 'sold'; expiresIn: number; answered?: boolean; gateway?: 'v1' | 'v2' };
  payment?: { status: string; cancelled?: number };
  refund?: 'requested' | 'needs_person';
  webhook?: true;
  paid?: Partial<PayRequest>;
}

const LEFT: Left[] = [
  { order: 'sold', hold: { state: 'sold', expiresIn: 60 }, payment: { status: 'paid' }, paid: {} },
  // Its hold was of an attempt on V2 when the one on V1 was paid.
  {
    order: 'sold-across',
    hold: { state: 'sold', expiresIn: 60, gateway: 'v2' },
    payment: { status: 'paid' },
    paid: {},
  },
  { order: 'paid-unheard', hold: { state: 'held', expiresIn: -1, answered: true }, paid: {} },
  {
    order: 'webhook-waits',
    hold: { state: 'held', expiresIn: 600, answered: true },
    paid: {},
    webhook: true,
  },
  { order: 'never-answered', hold: { state: 'held', expiresIn: 600 } },
  { order: 'abandoned', hold: { state: 'held', expiresIn: -1, answered: true } },
  {
    order: 'cancelled-in-part',
    hold: { state: 'sold', expiresIn: 60 },
    payment: { status: 'paid', cancelled: 4_000 },
    paid: {},
  },
  { order: 'owed', payment: { status: 'paid' }, refund: 'requested', paid: {} },
  { order: 'owed-and-stuck', payment: { status: 'paid' }, refund: 'needs_person', paid: {} },
  {
    order: 'account',
    hold: { state: 'held', expiresIn: -1, answered: true },
    payment: { status: 'waiting_deposit' },
    paid: { method: 'vbank' },
  },
];

const run = async (sql: string, ...values: unknown[]) => (await client.query(sql, values)).rows[0];

async function leave(left: Left, seat: number): Promise<string> {
  const paymentId = left.paid ? await pay(left.order, left.paid) : `imp_${left.order}`;
  if (left.payment?.cancelled) sandbox.cancelInConsole(paymentId, left.payment.cancelled);
  const orderId = await leaveOrder(left);
  if (left.hold) await leaveHold(left.order, left.hold, { orderId, paymentId, seat });
  if (left.payment) {
    await run(
      `INSERT INTO payments (payment_id, gateway, order_id, status, amount, cancelled_amount, currency, read_at)
       VALUES ($1, 'v1', $2, $3, ${PRICE}, $4, 'KRW', now())`,
      paymentId,
      orderId,
      left.payment.status,
      left.payment.cancelled ?? 0,
    );
  }
  if (left.refund) {
    await run(
      `INSERT INTO refunds (payment_id, amount, reason, state, tries, next_try_at, requested_at, last_error)
       VALUES ($1, ${PRICE}, 'no_seats_left', $2, 3, now(), now(), 'no answer')`,
      paymentId,
      left.refund,
    );
  }
  if (left.webhook) {
    await run(
      `INSERT INTO webhooks (gateway, payment_id, merchant_uid, body, received_at, next_try_at)
       VALUES ('v1', $1, $2, '{}', now(), now())`,
      paymentId,
      left.order,
    );
  }
  return paymentId;
}

const STATUS = { held: 'held', sold: 'paid' };

async function leaveOrder({ order, hold }: Left): Promise<number> {
  const { id } = await run(
    `INSERT INTO orders (merchant_uid, event_id, buyer_id, amount, currency, status, fingerprint)
     VALUES ($1, 1, $1, ${PRICE}, 'KRW', $2, $1) RETURNING id`,
    order,
    hold ? STATUS[hold.state] : 'pending',
  );
  await run(
    `INSERT INTO order_items (order_id, ticket_type_id, quantity, unit_price, labels)
     VALUES ($1, 1, 1, ${PRICE}, '{}')`,
    id,
  );
  return id;
}

async function leaveHold(
  buyer: string,
  { state, expiresIn, answered = state === 'sold', gateway = 'v1' }: NonNullable<Left['hold']>,
  { orderId, paymentId, seat }: { orderId: number; paymentId: string; seat: number },
): Promise<void> {
  const id = randomUUID();
  await client.query('BEGIN');
  await run(
    `INSERT INTO holds (id, order_id, event_id, buyer_id, payment_id, gateway, quantity, created_at,
       expires_at, answer_by, answered_at)
     VALUES ($1, $2, 1, $3, $4, $7, 1, now() - interval '5 min', now() + $5 * interval '1 s',
       now() - interval '4 min', CASE WHEN $6 THEN now() - interval '4 min' END)`,
    id,
    orderId,
    buyer,
    paymentId,
    expiresIn,
    answered,
    gateway,
  );
  const move = `UPDATE seats SET state = $1, hold_id = $2, moved_by = 'worker', moved_why = 'before',
    moved_at = now() WHERE rank = $3`;
  await run(move, 'held', id, seat);
  if (state === 'sold') {
    await run("UPDATE holds SET state = 'sold' WHERE id = $1", id);
    await run(move, 'sold', id, seat);
  }
  await run('UPDATE events SET last_position = last_position + 1 WHERE id = 1');
  await run(
    `INSERT INTO verdicts (payment_id, gateway, event_id, order_id, code, amount, position, hold_id,
       decided_at)
     SELECT $1, 'v1', 1, $2, 'confirmed', ${PRICE}, last_position, $3, now() - interval '5 min'
       FROM events WHERE id = 1`,
    paymentId,
    orderId,
    id,
  );
  await client.query('COMMIT');
}

async function pay(merchantUid: string, how: Partial<PayRequest>): Promise<string> {
  const silent = { confirmUrl: null, webhookUrl: null };
  return (await sandbox.pay({ merchantUid, amount: PRICE, ...silent, ...how })).paymentId;
}

const payments = new Map<string, string>();

beforeAll(async () => {
  await onServer(inject('postgresUrl'), (c) => c.query(`CREATE DATABASE ${name}`));
  const url = databaseUrl(inject('postgresUrl'), name);
  await migrate(
    url,
    readMigrations().filter((m) => RELEASE_BEFORE.includes(m.name)),
  );
  sandbox = await startSandbox({ seed: 11 });
  client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `INSERT INTO events (slug, name, opens_at, hold_seconds)
     VALUES ('${EVENT}', 'Concert', now() - interval '1 h', 300)`,
  );
  await client.query(
    `INSERT INTO ticket_types (event_id, code, name, price) VALUES (1, 'ga', 'General', ${PRICE})`,
  );
  await client.query(
    `INSERT INTO seats (event_id, ticket_type_id, label, rank)
     SELECT 1, 1, 'ga-' || n, n FROM generate_series(1, ${LEFT.length}) n`,
  );
  for (const [i, left] of LEFT.entries()) payments.set(left.order, await leave(left, i + 1));
  const env = { ...merchantEnv(sandbox), DATABASE_URL: url, SWEEP_INTERVAL_MS: '100' };
  world = await openWorld({ carrier: 'postgres', env });
});
afterAll(async () => {
  await world?.close();
  await client?.end();
  await sandbox?.close();
  await onServer(inject('postgresUrl'), (c) =>
    c.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  );
});

const order = (merchantUid: string) => ({ merchantUid }) as OrderView;
const becomes = (merchantUid: string, status: string) =>
  until(`${merchantUid} is ${status}`, async () => {
    return (await seen(world, order(merchantUid))).status === status;
  });
const refundOf = async (merchantUid: string) =>
  (await seen(world, order(merchantUid))).payments[0]?.refund;

test('what was sold stays sold, what was paid unheard is sold, and nobody else keeps a seat', async () => {
  await becomes('paid-unheard', 'paid');
  await becomes('webhook-waits', 'paid');
  await becomes('never-answered', 'pending');
  await becomes('abandoned', 'pending');
  expect((await seen(world, order('sold'))).status).toBe('paid');
});

test('a sale is asked about on the version of its payment', async () => {
  const held = await run(
    'SELECT gateway FROM holds WHERE payment_id = $1',
    payments.get('sold-across'),
  );
  expect(held).toEqual({ gateway: 'v1' });
});

test('money that was owed goes back; what was stuck is so still, and can be tried again', async () => {
  await until('the refund is done', async () => (await refundOf('owed'))?.state === 'done');
  expect(await refundOf('owed-and-stuck')).toMatchObject({ state: 'needs_person' });
  const { refunds } = (await world.call('GET', `/api/events/${EVENT}/refunds`)).body;
  const stuck = refunds.find((r: { merchantUid: string }) => r.merchantUid === 'owed-and-stuck');
  expect((await world.call('POST', `/api/refunds/${stuck.id}/retry`)).status).toBe(200);
  await until(
    'it is done as well',
    async () => (await refundOf('owed-and-stuck'))?.state === 'done',
  );
});

test('a part that was cancelled is a case, and what its buyer paid for stays', async () => {
  const { cases } = (await world.call('GET', `/api/events/${EVENT}/cases?open=true`)).body;
  expect(cases).toMatchObject([{ kind: 'partial_cancel', amount: 4_000 }]);
  expect((await seen(world, order('cancelled-in-part'))).seats).toHaveLength(1);
});

test('an account that was promised is waited for, and its deposit is a sale', async () => {
  await until('the hold is kept', async () => {
    const { status, holdExpiresAt } = await seen(world, order('account'));
    return status === 'held' && Date.parse(holdExpiresAt ?? '') > Date.now();
  });
  sandbox.deposit(payments.get('account') ?? '');
  const told = { imp_uid: payments.get('account'), merchant_uid: 'account', status: 'paid' };
  await world.call('POST', '/webhook', told);
  await becomes('account', 'paid');
});

test('and every law holds', async () => {
  expect(await world.audit(EVENT)).toMatchObject({ clean: true });
  expect(await world.call('POST', `/api/events/${EVENT}/reconcile`, {})).toMatchObject({
    body: { findings: [], agree: true },
  });
});
