// The edge that anybody can reach: who is believed, what is kept, and what becomes of it.

import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SANDBOX_V2 } from '../../src/sandbox/server.ts';
import { becomes, inboxEmpty, pay, post, seen } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import {
  CARRIERS,
  type CarrierName,
  type HttpResult,
  type OrderView,
  openWorld,
  type World,
} from '../support/world.ts';

const secret = (text: string) => `whsec_${Buffer.from(text).toString('base64')}`;
/** The sandbox signs with the old one still. */
const OLD = SANDBOX_V2.webhookSecret ?? '';
const NEW = secret('the new one, and long enough');
const STRANGE = secret('somebody else has this secret');
const FORM = 'application/x-www-form-urlencoded';
const DEEP = `${'['.repeat(6_000)}${']'.repeat(6_000)}`;

interface Stored {
  kind: string;
  verified: boolean;
  state: string;
  outcome: string | null;
  tries: number;
  body: unknown;
  waitsMs: number;
}

function stored(world: World, where: string, ...values: unknown[]): Promise<Stored[]> {
  return world.sql<Stored>(
    `SELECT kind, verified, state, outcome, tries, body,
            (extract(epoch FROM next_try_at - now()) * 1000)::int AS "waitsMs"
       FROM webhooks WHERE ${where} ORDER BY id`,
    ...values,
  );
}

interface Sent {
  secret?: string;
  id?: string;
  /** Seconds that have passed since it was signed. */
  age?: number;
  form?: boolean;
}

/** Signed as PortOne signs, over the body as it is. */
function send(world: World, body: unknown, sent: Sent = {}): Promise<HttpResult> {
  const { secret = NEW, id = world.name('msg'), age = 0, form = false } = sent;
  const raw = typeof body === 'string' ? body : JSON.stringify(body);
  const at = new Date(Date.now() - age * 1_000);
  return post(`${world.url}/webhook`, raw, form ? FORM : 'application/json', {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret).sign(id, at, raw),
  });
}

function message(
  type: string,
  order: { merchantUid: string },
  paymentId: string,
  at = new Date(),
): { type: string; timestamp: string; data: Record<string, string> } {
  const data = { paymentId: order.merchantUid, transactionId: paymentId, storeId: 's' };
  return { type, timestamp: at.toISOString(), data };
}

interface Case {
  kind: string;
  amount: number;
  detail: string;
  open: boolean;
  closedBy: string | null;
}

function cases(world: World, order: OrderView): Promise<Case[]> {
  return world.sql<Case>(
    `SELECT c.kind, c.amount, c.detail, c.closed_at IS NULL AS open, c.closed_by AS "closedBy"
       FROM cases c JOIN orders o ON o.id = c.order_id WHERE o.merchant_uid = $1 ORDER BY c.id`,
    order.merchantUid,
  );
}

async function disputeSteps(world: World, order: OrderView): Promise<string[]> {
  const rows = await world.sql<{ step: string }>(
    `SELECT s.step FROM payment_steps s JOIN orders o ON o.id = s.order_id
      WHERE o.merchant_uid = $1 AND s.step LIKE 'dispute%' ORDER BY s.id`,
    order.merchantUid,
  );
  return rows.map((row) => row.step);
}

const secretsOf = (carrier: CarrierName) =>
  openWorld({
    carrier,
    env: {
      PORTONE_WEBHOOK_SECRET: `${OLD},${NEW}`,
      SWEEP_INTERVAL_MS: '200',
    },
  });

/** Paid over V2; its own webhook never came. */
async function paidInSilence(world: World): Promise<{ order: OrderView; paymentId: string }> {
  const order = await world.order(await world.event(1, { holdSeconds: 600 }));
  const { paymentId } = await pay(world, order, {
    dialect: 'v2-2024-04-25',
    webhooks: { mode: 'lost' },
  });
  return { order, paymentId };
}

describe.each(CARRIERS)('signatures on %s', (carrier) => {
  let world: World;
  const billing = { type: 'BillingKey.Issued', timestamp: 't', data: { storeId: 's' } };

  beforeAll(async () => {
    world = await secretsOf(carrier);
  });
  afterAll(() => world?.close());

  test('while secrets are rotated either is valid, and a third is not', async () => {
    for (const secret of [OLD, NEW]) {
      expect(await send(world, billing, { secret })).toMatchObject({ status: 200 });
    }
    expect(await send(world, billing, { secret: STRANGE })).toMatchObject({
      status: 401,
      body: { code: 'unauthorized' },
    });
  });

  test('a signature of 290 s ago is valid, one of 301 s ago or 310 s ahead is not', async () => {
    for (const [age, status] of [
      [290, 200],
      [301, 401],
      [-310, 401],
    ] as const) {
      expect(await send(world, billing, { age })).toMatchObject({ status });
    }
  });

  test('one id that comes many times at the same instant is stored once', async () => {
    const id = world.name('msg');
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => send(world, billing, { id })),
    );
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
    expect(answers.filter((answer) => answer.body.repeat === false)).toHaveLength(1);
    expect(await stored(world, 'external_id = $1', id)).toHaveLength(1);
  });

  test('an old id with another content is a repeat, and the first content stays', async () => {
    const id = world.name('msg');
    await send(world, { ...billing, first: true }, { id });
    const replayed = await send(world, { ...billing, first: false }, { id });
    expect(replayed).toMatchObject({ status: 200, body: { repeat: true } });
    const rows = await stored(world, 'external_id = $1', id);
    expect(rows).toMatchObject([{ body: { first: true }, verified: true }]);
  });

  test('a sender who is not known cannot use up an id', async () => {
    const id = world.name('msg');
    expect(await send(world, billing, { id, secret: STRANGE })).toMatchObject({ status: 401 });
    const v1 = { imp_uid: world.name('imp'), merchant_uid: 'nobody', status: 'paid' };
    for (const secret of [STRANGE, NEW]) {
      expect(await send(world, v1, { id, secret })).toMatchObject({ body: { repeat: false } });
    }
    expect(await send(world, billing, { id })).toMatchObject({
      status: 200,
      body: { repeat: false },
    });
    expect(await stored(world, 'external_id = $1', id)).toMatchObject([
      { verified: true, body: { type: 'BillingKey.Issued' } },
    ]);
    expect(await stored(world, 'payment_id = $1 AND verified', v1.imp_uid)).toEqual([]);
  });

  test('a form of 2024-01-01 is verified over its raw text, and settles', async () => {
    const { order, paymentId } = await paidInSilence(world);
    const form = new URLSearchParams({
      payment_id: order.merchantUid,
      tx_id: paymentId,
      status: 'Paid',
    }).toString();
    const at = new Date();
    const headers = {
      'webhook-id': 'form',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(NEW).sign('form', at, form),
    };
    const tampered = await post(`${world.url}/webhook`, `${form}&x=1`, FORM, headers);
    expect(tampered).toMatchObject({ status: 401 });
    expect(await send(world, form, { form: true })).toMatchObject({ status: 200 });
    await becomes(world, order, 'paid');
    expect(await stored(world, 'payment_id = $1', paymentId)).toMatchObject([
      { kind: 'payment', verified: true, body: { status: 'Paid' } },
    ]);
  });

  test.each(['[]', '[{"imp_uid":"a","merchant_uid":"b"}]', '"text"', '5', 'null', '{}'])(
    '%s: unsigned it is refused, signed it is kept and nothing is made of it',
    async (raw) => {
      expect(await post(`${world.url}/webhook`, raw)).toMatchObject({ status: 401 });
      const id = world.name('msg');
      expect(await send(world, raw, { id })).toMatchObject({ status: 200 });
      const rows = await until('it is worked', async () => {
        const found = await stored(world, "external_id = $1 AND state = 'done'", id);
        return found.length > 0 && found;
      });
      expect(rows).toMatchObject([{ kind: 'other', outcome: 'ignored', body: JSON.parse(raw) }]);
    },
  );

  test('what cannot be read is a 400, and spoils no other of the same instant', async () => {
    const v1 = (padding: string) =>
      `{"imp_uid":"${world.name('imp')}","merchant_uid":"nobody","x":${padding}}`;
    const answers = await Promise.all(
      ['1', DEEP, '1', DEEP, '', '1'].map((padding) =>
        post(`${world.url}/webhook`, padding === '' ? '' : v1(padding)),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual([200, 400, 200, 400, 400, 200]);
    for (const answer of answers) {
      if (answer.status === 400) expect(answer.body).toMatchObject({ code: 'malformed_body' });
    }
  });
});

describe.each(CARRIERS)('what a webhook is about, on %s', (carrier) => {
  let world: World;
  beforeAll(async () => {
    world = await secretsOf(carrier);
  });
  afterAll(() => world?.close());

  const settledAs = (id: string) =>
    until(`${id} is worked`, async () => {
      const [row] = await stored(world, "external_id = $1 AND state = 'done'", id);
      return row;
    });

  test('what is nothing to settle is kept without a question, though PortOne is away', async () => {
    const order = await world.order(await world.event(1));
    await world.sandbox.faults.unplug();
    const bodies = [
      message('Transaction.Ready', order, 'tx'),
      message('Something.New', order, 'tx'),
      { payment_id: order.merchantUid, tx_id: 'tx', status: 'Ready' },
      { type: 'BillingKey.Deleted', timestamp: 't', data: { storeId: 's', billingKey: 'b' } },
    ];
    for (const body of bodies) {
      const id = world.name('msg');
      expect(await send(world, body, { id })).toMatchObject({ status: 200 });
      expect(await settledAs(id)).toMatchObject({ kind: 'other', outcome: 'ignored', tries: 1 });
    }
    const escrow = { event: 'Inicis.Escrow.Changed', imp_uid: 'imp_e', extra: {} };
    const named = { ...escrow, merchant_uid: order.merchantUid };
    for (const body of [escrow, named]) {
      expect(await post(`${world.url}/webhook`, JSON.stringify(body))).toMatchObject({
        status: 200,
      });
    }
    await inboxEmpty(world, order);
    await world.sandbox.faults.plugIn();
  });

  test('a confirm request at the wrong address is refused: a 200 would charge', async () => {
    const order = await world.order(await world.event(1));
    const { merchantUid } = order;
    for (const body of [
      message('Transaction.Confirm', order, 'tx'),
      { payment_id: merchantUid, tx_id: 'tx', total_amount: 10_000 },
    ]) {
      const id = world.name('msg');
      expect(await send(world, body, { id })).toMatchObject({ status: 422 });
      expect(await stored(world, 'external_id = $1', id)).toEqual([]);
    }
    const v1 = JSON.stringify({ imp_uid: 'imp_1', merchant_uid: merchantUid, amount: 10_000 });
    expect(await post(`${world.url}/webhook`, v1)).toMatchObject({
      status: 422,
      body: { code: 'invalid_request' },
    });
  });

  test('a type that is new to us is asked about, and settles what was paid', async () => {
    const { order, paymentId } = await paidInSilence(world);
    await send(world, message('Transaction.SomethingNew', order, paymentId));
    await becomes(world, order, 'paid');
  });

  test('a dispute opens one case, however often it is told; its end closes it', async () => {
    const { order, paymentId } = await paidInSilence(world);
    await send(world, message('Transaction.Paid', order, paymentId));
    await becomes(world, order, 'paid');
    const created = message('Transaction.DisputeCreated', order, paymentId);
    for (let time = 0; time < 3; time += 1) await send(world, created);
    await inboxEmpty(world, order);
    expect(await cases(world, order)).toEqual([
      {
        kind: 'dispute',
        amount: 10_000,
        detail: `the buyer disputes the charge since ${created.timestamp}`,
        open: true,
        closedBy: null,
      },
    ]);
    expect((await seen(world, order)).status).toBe('paid');
    const resolved = message('Transaction.DisputeResolved', order, paymentId);
    for (let time = 0; time < 2; time += 1) await send(world, resolved);
    await inboxEmpty(world, order);
    expect(await cases(world, order)).toMatchObject([{ open: false, closedBy: 'settlement' }]);
    expect(await disputeSteps(world, order)).toEqual(['dispute_opened', 'dispute_resolved']);
    // Sent anew from the console, under an id of its own: still the old dispute.
    await send(world, created);
    await inboxEmpty(world, order);
    expect(await cases(world, order)).toMatchObject([{ open: false }]);
  });

  test('a dispute whose end was told first opens nothing, and a newer one does', async () => {
    const { order, paymentId } = await paidInSilence(world);
    const at = (minutes: number) => new Date(Date.now() - 3_600_000 + minutes * 60_000);
    await send(world, message('Transaction.DisputeResolved', order, paymentId, at(10)));
    await inboxEmpty(world, order);
    await send(world, message('Transaction.DisputeCreated', order, paymentId, at(5)));
    await inboxEmpty(world, order);
    expect(await cases(world, order)).toEqual([]);
    expect(await disputeSteps(world, order)).toEqual(['dispute_resolved', 'dispute_opened']);
    await send(world, message('Transaction.DisputeCreated', order, paymentId, at(20)));
    await inboxEmpty(world, order);
    expect(await cases(world, order)).toMatchObject([{ open: true }]);
    await send(world, message('Transaction.DisputeResolved', order, paymentId, at(15)));
    await inboxEmpty(world, order);
    expect(await cases(world, order)).toMatchObject([{ open: true }]);
  });

  test('both ends of a dispute in one instant leave no open case', async () => {
    const { order, paymentId } = await paidInSilence(world);
    await send(world, message('Transaction.Paid', order, paymentId));
    await becomes(world, order, 'paid');
    const [from, to] = [new Date(Date.now() - 2_000), new Date(Date.now() - 1_000)];
    await Promise.all([
      send(world, message('Transaction.DisputeResolved', order, paymentId, to)),
      send(world, message('Transaction.DisputeCreated', order, paymentId, from)),
    ]);
    await inboxEmpty(world, order);
    expect((await cases(world, order)).filter((c) => c.open)).toEqual([]);
  });

  test('a dispute of a payment that is not on record settles it first', async () => {
    const { order, paymentId } = await paidInSilence(world);
    await send(world, {
      payment_id: order.merchantUid,
      tx_id: paymentId,
      status: 'DisputeCreated',
    });
    await becomes(world, order, 'paid');
    await inboxEmpty(world, order);
    expect(await cases(world, order)).toMatchObject([{ kind: 'dispute', open: true }]);
  });

  test('a dispute of nobody’s order, or of a payment of another order, opens no case', async () => {
    const { order, paymentId } = await paidInSilence(world);
    await send(world, message('Transaction.Paid', order, paymentId));
    await becomes(world, order, 'paid');
    const other = await world.order(await world.event(1));
    const id = world.name('msg');
    await send(world, message('Transaction.DisputeCreated', { merchantUid: 'nobody' }, 'tx'), {
      id,
    });
    expect(await settledAs(id)).toMatchObject({ outcome: 'unknown_order' });
    await send(world, message('Transaction.DisputeCreated', other, paymentId));
    await until('the other is asked about', async () => {
      const [row] = await stored(world, 'merchant_uid = $1 AND tries > 0', other.merchantUid);
      return row;
    });
    expect([...(await cases(world, order)), ...(await cases(world, other))]).toEqual([]);
  });
});

describe.each(CARRIERS)('PortOne away or without an answer, on %s', (carrier) => {
  let world: World;
  beforeAll(async () => {
    world = await secretsOf(carrier);
  });
  afterAll(() => world?.close());

  const old = (order: OrderView, age: string, tries: number) =>
    world.sql(
      `UPDATE webhooks SET received_at = now() - $2::text::interval, tries = $3::int,
              next_try_at = now() WHERE merchant_uid = $1`,
      order.merchantUid,
      age,
      tries,
    );
  const tried = (order: OrderView, more: number) =>
    until(`${order.merchantUid} was tried`, async () => {
      const [row] = await stored(world, 'merchant_uid = $1', order.merchantUid);
      return row && row.tries >= more && row.waitsMs !== 0 ? row : null;
    });

  test('a payment that PortOne does not know is given up after two hours, not before', async () => {
    const order = await world.order(await world.event(1));
    const body = { imp_uid: world.name('imp'), merchant_uid: order.merchantUid, status: 'paid' };
    await post(`${world.url}/webhook`, JSON.stringify(body));
    await tried(order, 1);
    await old(order, '119 min', 40);
    await until('it waits for minutes', async () => {
      const [row] = await stored(world, 'merchant_uid = $1', order.merchantUid);
      return row?.tries === 41 && row.waitsMs > 250_000 && row.state === 'pending';
    });
    await old(order, '121 min', 1);
    await inboxEmpty(world, order);
    expect(await stored(world, 'merchant_uid = $1', order.merchantUid)).toMatchObject([
      { outcome: 'unknown_payment' },
    ]);
  });

  test('an outage gives nothing up, waits no longer than 15 s a time, and opens known disputes', async () => {
    const first = await paidInSilence(world);
    const paid = message('Transaction.Paid', first.order, first.paymentId);
    await send(world, paid);
    await becomes(world, first.order, 'paid');
    const second = await paidInSilence(world);
    await world.sandbox.faults.unplug();
    await send(world, message('Transaction.DisputeCreated', first.order, first.paymentId));
    await send(world, message('Transaction.Paid', second.order, second.paymentId));
    await until('the case is open', async () => (await cases(world, first.order)).length > 0);
    await tried(second.order, 1);
    await old(second.order, '3 hours', 60);
    const row = await tried(second.order, 61);
    expect(row).toMatchObject({ state: 'pending', outcome: null });
    expect(row.waitsMs).toBeLessThanOrEqual(15_000);
    await world.sandbox.faults.plugIn();
    // What was left to wait is asserted above, and need not be sat through.
    await until('both are settled', async () => {
      const pending = await world.sql(
        `UPDATE webhooks SET next_try_at = least(next_try_at, now() + interval '1 s')
          WHERE state = 'pending' RETURNING 1`,
      );
      return pending.length === 0;
    });
    expect((await seen(world, second.order)).status).toBe('paid');
    expect(await cases(world, first.order)).toHaveLength(1);
    expect(await disputeSteps(world, first.order)).toEqual(['dispute_opened']);
  });
});

test('without credentials nobody can be asked: kept for two hours, for a process set up later', async () => {
  const world = await openWorld({
    carrier: 'postgres',
    gateway: false,
    env: { SWEEP_INTERVAL_MS: '200' },
  });
  try {
    const order = await world.order(await world.event(1));
    const body = { imp_uid: world.name('imp'), merchant_uid: order.merchantUid, status: 'paid' };
    expect(await post(`${world.url}/webhook`, JSON.stringify(body))).toMatchObject({ status: 200 });
    const age = (minutes: number) =>
      world.sql(
        `UPDATE webhooks SET received_at = now() - $1 * interval '1 min', next_try_at = now(), tries = 0`,
        minutes,
      );
    const row = async () =>
      (await stored(world, 'merchant_uid = $1', order.merchantUid))[0] as
        | { state: string; outcome: string | null; tries: number }
        | undefined;
    await age(119);
    await until('it is tried', async () => (await row())?.tries === 1);
    expect(await row()).toMatchObject({ state: 'pending', outcome: null });
    await age(121);
    await until('it is given up', async () => (await row())?.outcome === 'unanswerable');
  } finally {
    await world.close();
  }
});

describe('without a webhook secret', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({
      carrier: 'postgres',
      env: { PORTONE_WEBHOOK_SECRET: '', SWEEP_INTERVAL_MS: '200' },
    });
  });
  afterAll(() => world?.close());

  test('a dispute opens a case that says that nobody vouches for it', async () => {
    const { order, paymentId } = await paidInSilence(world);
    await send(world, message('Transaction.Paid', order, paymentId));
    await becomes(world, order, 'paid');
    const future = new Date(Date.now() + 86_400_000);
    const told = message('Transaction.DisputeCreated', order, paymentId, future);
    for (const timestamp of [told.timestamp, '-200000-01-01T00:00:00Z', 'nonsense']) {
      await send(world, { ...told, timestamp });
    }
    await inboxEmpty(world, order);
    expect(await cases(world, order)).toMatchObject([
      { open: true, detail: expect.stringContaining('unverified') },
    ]);
    expect(await cases(world, order)).not.toMatchObject([
      { detail: expect.stringContaining(future.toISOString()) },
    ]);
    await send(world, message('Transaction.DisputeResolved', order, paymentId));
    await inboxEmpty(world, order);
    expect(await cases(world, order)).toMatchObject([{ open: false }]);
  });

  test('null and other JSON are kept, and take nothing along', async () => {
    const raws = ['null', '[]', '{"a":1}', 'null', '"x"'];
    const answers = await Promise.all(raws.map((raw) => post(`${world.url}/webhook`, raw)));
    expect(answers.map((answer) => answer.status)).toEqual(raws.map(() => 200));
    expect(await stored(world, "body = 'null'")).toHaveLength(2);
  });
});

describe('webhooks from listed addresses only', () => {
  let world: World;
  const body = JSON.stringify({ imp_uid: 'imp', merchant_uid: 'nobody', status: 'paid' });
  const from = (forwarded?: string) =>
    post(
      `${world.url}/webhook`,
      body,
      'application/json',
      forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    );

  beforeAll(async () => {
    world = await openWorld({
      carrier: 'postgres',
      env: { WEBHOOK_SOURCE_IPS: '203.0.113.0/24, 2001:db8::/32', TRUST_PROXY: 'on' },
    });
  });
  afterAll(() => world?.close());

  test('a listed source is stored, any other is 403 and is not', async () => {
    for (const listed of [
      '203.0.113.9',
      '::ffff:203.0.113.9',
      '2001:db8::7',
      '1.1.1.1, 203.0.113.9',
    ]) {
      expect(await from(listed)).toMatchObject({ status: 200 });
    }
    expect(await stored(world, 'true')).toHaveLength(4);
    for (const other of [undefined, '198.51.100.1', '203.0.113.9, 198.51.100.1', 'nonsense']) {
      const answer = await from(other);
      expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden', status: 403 } });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    }
    expect(await stored(world, 'true')).toHaveLength(4);
  });

  test('confirm calls and the organizer are taken from anywhere', async () => {
    const order = await world.order(await world.event(1));
    expect(await world.confirm(order)).toMatchObject({ status: 200 });
  });
});
