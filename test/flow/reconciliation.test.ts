// Reconciliation: whatever was lost on the way from PortOne, both sides agree afterwards.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PayRequest } from '../../src/sandbox/types.ts';
import { becomes, books, inboxEmpty, labels, moves, pay, seen } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import {
  CARRIERS,
  type HttpResult,
  type OrderView,
  openWorld,
  type World,
} from '../support/world.ts';

const ONE_OF_EACH: PayRequest['dialect'][] = ['v1', 'v2-2024-04-25'];
const V2 = { dialect: 'v2-2024-04-25' } as const;
/** Long enough that no hold of a test expires by itself. */
const HOLD = { holdSeconds: 3_000 };

interface Found {
  kind: string;
  paymentId: string;
  merchantUid: string;
  repair: string;
  outcome: string | null;
  left: boolean;
  text: string;
}

let world: World;

function reconcile(event: string, body: Record<string, unknown> = {}): Promise<HttpResult> {
  return world.call('POST', `/api/events/${event}/reconcile`, body);
}

/** A run that found what it should, and one after it that finds nothing and agrees. */
async function mends(event: string, found: Partial<Found>[]): Promise<Found[]> {
  const run = await reconcile(event);
  expect(run).toMatchObject({ status: 200, body: { complete: true, error: null, left: 0 } });
  expect(run.body.findings).toHaveLength(found.length);
  expect(run.body.findings).toEqual(
    expect.arrayContaining(found.map((one) => expect.objectContaining({ left: false, ...one }))),
  );
  expect(run.body.agree).toBe(true);
  const again = await reconcile(event);
  expect(again.body).toMatchObject({ findings: [], left: 0, agree: true });
  expect(again.body.totals).toEqual(run.body.totals);
  return run.body.findings;
}

/** Everything that a repair could change. */
function everything(): Promise<unknown[]> {
  return world.sql(`SELECT (SELECT jsonb_agg(p ORDER BY payment_id) FROM payments p) AS p,
    (SELECT jsonb_agg(h ORDER BY id) FROM holds h) AS h, (SELECT count(*)::int FROM moves) AS m,
    (SELECT jsonb_agg(o ORDER BY id) FROM orders o) AS o, (SELECT count(*)::int FROM refunds) AS r,
    (SELECT count(*)::int FROM payment_steps) AS s, (SELECT jsonb_agg(c ORDER BY id) FROM cases c) AS c`);
}

/** As if it had once been settled; PortOne never heard of it. */
async function paidHereOnly(order: OrderView, paymentId: string, gateway = 'v1'): Promise<void> {
  await world.sql(
    `INSERT INTO payments (payment_id, gateway, order_id, status, amount, currency, read_at)
     SELECT $2, $3, id, 'paid', amount, currency, now() FROM orders WHERE merchant_uid = $1`,
    order.merchantUid,
    paymentId,
    gateway,
  );
}

/** Two answers come back from a circuit that opened while PortOne was away. */
function back(): Promise<boolean> {
  world.sandbox.faults.clear();
  return until('PortOne is asked again', async () => {
    const api = world.service.dependencies.portone.api('v1');
    const ref = { gateway: 'v1' as const, paymentId: 'imp_none', merchantUid: 'none' };
    return (await api?.read(ref).catch(() => 'away')) === null;
  });
}

describe('with every webhook lost', () => {
  beforeAll(async () => {
    world = await openWorld({
      carrier: 'redis',
      env: { RECONCILE_INTERVAL_MS: '0' },
    });
  });
  afterAll(() => world?.close());
  afterEach(() => world.sandbox.faults.clear());

  test.each(ONE_OF_EACH)('%s paid: sold, on record, and the money agrees', async (dialect) => {
    const event = await world.event(2, HOLD);
    const order = await world.order(event);
    const { paymentId } = await pay(world, order, { dialect, webhookUrl: null });
    expect((await seen(world, order)).status).toBe('held');
    const [found] = await mends(event, [
      { kind: 'paid_there_not_here', paymentId, repair: 'settled', outcome: 'sold' },
    ]);
    expect(found?.text).toContain('no webhook told of it');
    expect((await seen(world, order)).status).toBe('paid');
    expect((await moves(world, event)).at(-1)).toMatchObject({
      to: 'sold',
      actor: 'reconciliation',
    });
    const steps = await world.sql(
      'SELECT step, actor FROM payment_steps WHERE payment_id = $1',
      paymentId,
    );
    expect(steps).toEqual([{ step: 'sold', actor: 'reconciliation' }]);
    expect(await world.audit(event)).toMatchObject({ clean: true });
    const money = { paid: 10_000, cancelled: 0, kept: 10_000 };
    expect((await reconcile(event)).body.totals).toEqual([
      { event, currency: 'KRW', portone: money, ours: money, agree: true },
    ]);
  });

  test.each(ONE_OF_EACH)('%s that never asked for its seat gets one', async (dialect) => {
    const event = await world.event(1, HOLD);
    const order = await world.order(event);
    await pay(world, order, { dialect, confirmUrl: null, webhookUrl: null });
    await mends(event, [{ kind: 'paid_there_not_here', outcome: 'equal_seats' }]);
    expect(labels(await becomes(world, order, 'paid'))).toEqual(['ga-1']);
  });

  test('paid without a seat left: the money goes back, and then both sides agree', async () => {
    const event = await world.event(1, HOLD);
    const [seated, late] = await world.orders(event, 2);
    if (!seated || !late) throw new Error('no orders');
    await pay(world, seated, { webhookUrl: null });
    await pay(world, late, { confirmUrl: null, webhookUrl: null });
    const run = await reconcile(event);
    const outcomes = run.body.findings.map((one: Found) => one.outcome).sort();
    expect(outcomes).toEqual(['refund_requested', 'sold']);
    await until('the money is back', () => books(world, late)[0]?.kept === 0);
    await until('both sides agree', async () => (await reconcile(event)).body.agree);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('declined and given up: the seat of the declined one comes back before its time', async () => {
    const event = await world.event(3, HOLD);
    const [declined, gone] = await world.orders(event, 2);
    if (!declined || !gone) throw new Error('no orders');
    await pay(world, declined, { buyer: 'decline' });
    await pay(world, gone, { buyer: 'vanish' });
    await mends(event, [{ kind: 'status_differs', outcome: 'released' }]);
    expect((await seen(world, declined)).status).toBe('pending');
    expect((await seen(world, gone)).status).toBe('held');
  });

  test('thousands that were refused are no difference: a sold-out sale is full of them', async () => {
    const event = await world.event(1, HOLD);
    const orders = await world.orders(event, 5);
    for (const order of orders) await pay(world, order, { webhookUrl: null });
    await mends(event, [{ outcome: 'sold' }]);
  });

  test.each(ONE_OF_EACH)('%s virtual account: issued, then paid into', async (dialect) => {
    const event = await world.event(1, { ...HOLD, virtualAccounts: { policy: 'allow' } });
    const order = await world.order(event);
    const { paymentId } = await pay(world, order, { dialect, method: 'vbank', webhookUrl: null });
    await mends(event, [{ kind: 'status_differs', outcome: 'kept' }]);
    expect((await seen(world, order)).payments).toMatchObject([{ status: 'waiting_deposit' }]);
    world.sandbox.deposit(paymentId);
    await mends(event, [{ kind: 'paid_there_not_here', outcome: 'sold' }]);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('cancelled in the console: in full the seat comes back, in part a person decides', async () => {
    const event = await world.event(2, HOLD);
    const [whole, part] = await world.orders(event, 2);
    if (!whole || !part) throw new Error('no orders');
    await Promise.all([whole, part].map((order) => pay(world, order)));
    await Promise.all([whole, part].map((order) => becomes(world, order, 'paid')));
    world.sandbox.faults.webhooksSilenced = true;
    const of = (order: OrderView) => books(world, order)[0]?.paymentId ?? '';
    expect(world.sandbox.cancelInConsole(of(whole))).toMatchObject({ cancelled: true });
    expect(world.sandbox.cancelInConsole(of(part), 4_000)).toMatchObject({ cancelled: true });
    await mends(event, [
      { kind: 'paid_here_not_there', paymentId: of(whole), outcome: 'refunded' },
      { kind: 'amount_differs', paymentId: of(part), repair: 'settled' },
    ]);
    expect((await seen(world, whole)).status).toBe('refunded');
    expect(await world.seats(event)).toMatchObject({ available: 1, sold: 1 });
    expect(
      await world.sql('SELECT kind, amount FROM cases WHERE payment_id = $1', of(part)),
    ).toEqual([{ kind: 'partial_cancel', amount: 4_000 }]);
  });

  test.each(ONE_OF_EACH)(
    '%s cancelled without a word, of a payment begun before the window: found by its sold seat',
    async (dialect) => {
      const event = await world.event(1, HOLD);
      const order = await world.order(event);
      const { paymentId } = await pay(world, order, { dialect });
      await becomes(world, order, 'paid');
      await inboxEmpty(world, order);
      world.sandbox.faults.webhooksSilenced = true;
      expect(world.sandbox.cancelInConsole(paymentId)).toMatchObject({ cancelled: true });
      // Everything about it was ten days ago, and the window is of today.
      await world.sql(
        `UPDATE payments SET read_at = now() - interval '10 days' WHERE payment_id = $1`,
        paymentId,
      );
      // V1 counts in whole seconds.
      const from = new Date(Math.ceil(Date.now() / 1_000) * 1_000).toISOString();
      await until('the window has begun', () => Date.now() > Date.parse(from) + 1);
      const run = await reconcile(event, { from });
      expect(run.body).toMatchObject({
        findings: [{ kind: 'paid_here_not_there', outcome: 'refunded' }],
        agree: true,
      });
      expect(await world.seats(event)).toMatchObject({ available: 1 });
    },
  );

  test('a payment that PortOne does not list in the window is found by its open hold', async () => {
    const event = await world.event(1, HOLD);
    const order = await world.order(event);
    await pay(world, order, { webhookUrl: null });
    // To PortOne it is younger than the window; to us it is older.
    await world.sql(`UPDATE holds SET created_at = now() - interval '2 h'
      WHERE order_id = (SELECT id FROM orders WHERE merchant_uid = '${order.merchantUid}')`);
    const to = new Date(Date.now() - 3_600_000);
    const from = new Date(to.getTime() - 60_000);
    const run = await reconcile(event, { from: from.toISOString(), to: to.toISOString() });
    expect(run.body).toMatchObject({ findings: [{ outcome: 'sold' }], agree: true });
  });

  test('V2 paid at the second attempt, unasked: the hold of the first is not in its way', async () => {
    const event = await world.event(1, HOLD);
    const order = await world.order(event);
    await pay(world, order, { ...V2, buyer: 'decline', webhookUrl: null });
    await pay(world, order, { ...V2, confirmUrl: null, webhookUrl: null });
    await until('both sides agree', async () => (await reconcile(event)).body.agree);
    expect(labels(await becomes(world, order, 'paid'))).toEqual(['ga-1']);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('more than a page of each', async () => {
    const event = await world.event(240, HOLD);
    const orders = await world.orders(event, 240);
    await Promise.all(
      orders.map((order, i) => pay(world, order, { webhookUrl: null, ...(i % 2 ? V2 : {}) })),
    );
    const run = await reconcile(event);
    expect(run.body).toMatchObject({ compared: 240, left: 0, more: 0, agree: true });
    expect(run.body.findings).toHaveLength(240);
    expect(await world.seats(event)).toMatchObject({ sold: 240 });
    expect((await reconcile(event)).body).toMatchObject({
      compared: 240,
      findings: [],
      agree: true,
    });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });
});

describe('when both sides tell different things', () => {
  beforeAll(async () => {
    world = await openWorld({
      carrier: 'postgres',
      env: { RECONCILE_INTERVAL_MS: '0' },
    });
  });
  afterAll(() => world?.close());
  afterEach(() => world.sandbox.faults.clear());

  async function sold(event: string): Promise<{ order: OrderView; paymentId: string }> {
    const order = await world.order(event);
    const { paymentId } = await pay(world, order);
    await becomes(world, order, 'paid');
    await inboxEmpty(world, order);
    return { order, paymentId };
  }

  test('an amount that differs is written down as PortOne has it', async () => {
    const event = await world.event(1, HOLD);
    const { paymentId } = await sold(event);
    await world.sql('UPDATE payments SET amount = 9000 WHERE payment_id = $1', paymentId);
    await mends(event, [{ kind: 'amount_differs', paymentId, repair: 'settled' }]);
    expect(await world.seats(event)).toMatchObject({ sold: 1 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('a dry run tells all and changes nothing', async () => {
    const event = await world.event(2, HOLD);
    const order = await world.order(event);
    await pay(world, order, { webhookUrl: null });
    const before = await everything();
    const run = await reconcile(event, { dryRun: true });
    expect(run.body).toMatchObject({
      dryRun: true,
      findings: [{ kind: 'paid_there_not_here', repair: 'none', left: true }],
      left: 1,
      agree: false,
      totals: [{ portone: { kept: 10_000 }, ours: { kept: 0 }, agree: false }],
    });
    expect(await everything()).toEqual(before);
    await mends(event, [{ outcome: 'sold' }]);
  });

  test('paid here and unknown to PortOne: a case, once, until it agrees again or is let stand', async () => {
    const event = await world.event(3, HOLD);
    const [known, never] = await world.orders(event, 2);
    if (!known || !never) throw new Error('no orders');
    await paidHereOnly(known, 'imp_lost');
    await paidHereOnly(never, 'imp_never');
    const cases = () =>
      world.sql(`SELECT payment_id, kind, amount, closed_by FROM cases
        WHERE payment_id IN ('imp_lost', 'imp_never') ORDER BY payment_id, id`);
    for (let run = 0; run < 2; run += 1) {
      const { body } = await reconcile(event);
      expect(body).toMatchObject({ left: 2, agree: false, complete: true });
      expect(body.findings).toMatchObject([
        { kind: 'unknown_there', repair: 'case_open', portone: null },
        { kind: 'unknown_there', repair: 'case_open', portone: null },
      ]);
    }
    const open = { kind: 'unknown_payment', amount: 10_000, closed_by: null };
    expect(await cases()).toEqual([
      { payment_id: 'imp_lost', ...open },
      { payment_id: 'imp_never', ...open },
    ]);
    // PortOne remembers the one, and the organizer lets the other stand.
    await pay(world, known, { paymentId: 'imp_lost', confirmUrl: null, webhookUrl: null });
    await world.sql(`UPDATE cases SET closed_at = now(), closed_by = 'organizer:test'
      WHERE payment_id = 'imp_never'`);
    const last = await reconcile(event);
    expect(last.body).toMatchObject({ casesClosed: 1, left: 0, agree: true });
    expect(last.body.findings).toMatchObject([{ paymentId: 'imp_never', repair: 'accepted' }]);
    expect(await cases()).toMatchObject([
      { closed_by: 'reconciliation' },
      { closed_by: 'organizer:test' },
    ]);
  });

  test('paid here and failed at PortOne: nothing goes back by itself, a person is told', async () => {
    const event = await world.event(1, HOLD);
    const order = await world.order(event);
    const { paymentId } = await pay(world, order, { buyer: 'decline' });
    await paidHereOnly(order, paymentId);
    const { body } = await reconcile(event);
    expect(body.findings).toMatchObject([
      {
        kind: 'paid_here_not_there',
        repair: 'case_open',
        left: true,
        portone: { status: 'failed' },
      },
    ]);
    const [row] = await world.sql<{ detail: string }>(
      'SELECT detail FROM cases WHERE payment_id = $1',
      paymentId,
    );
    expect(row?.detail).toBe('Here: paid 10,000 KRW. PortOne: failed 10,000 KRW.');
  });

  test('a store that knows none of our payments is the wrong one: no case is opened', async () => {
    const event = await world.event(0);
    const orders = await world.orders(event, 12);
    for (const order of orders) await paidHereOnly(order, `imp_of_${order.merchantUid}`);
    const run = await reconcile(event);
    expect(run).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(run.body.detail).toContain('right store');
    expect(run.body.report).toMatchObject({ complete: false, findings: [], agree: false });
  });

  test('a wrong store is noticed on V2 though V1 is the right one', async () => {
    const event = await world.event(1, HOLD);
    const [right, ...orders] = await world.orders(event, 11);
    if (!right) throw new Error('no order');
    await pay(world, right);
    await becomes(world, right, 'paid');
    for (const order of orders) await paidHereOnly(order, `tx_of_${order.merchantUid}`, 'v2');
    const run = await reconcile(event);
    expect(run.body.detail).toContain('right store');
    const cases = await world.call('GET', `/api/events/${event}/cases?open=true`);
    expect(cases.body.cases).toEqual([]);
  });

  test('a hold that PortOne has not heard of yet is left alone', async () => {
    const event = await world.event(1, HOLD);
    const order = await world.order(event);
    await world.confirm(order);
    expect((await reconcile(event)).body).toMatchObject({ findings: [], agree: true });
    await world.sql(`UPDATE holds SET created_at = now() - interval '5 min'`);
    expect((await reconcile(event)).body).toMatchObject({
      findings: [{ kind: 'unknown_there', repair: 'left_to_expiry', left: false }],
      agree: true,
    });
    expect((await seen(world, order)).status).toBe('held');
  });

  test('one at a time: the second is told, and nothing is done twice', async () => {
    const event = await world.event(1, HOLD);
    const order = await world.order(event);
    await pay(world, order, { webhookUrl: null });
    const list = world.sandbox.faults.at('v1', 'status');
    const first = reconcile(event);
    await list.reached;
    expect(await reconcile(event)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    list.release();
    expect((await first).body).toMatchObject({ findings: [{ outcome: 'sold' }], agree: true });
    expect((await moves(world, event)).filter((move) => move.to === 'sold')).toHaveLength(1);
  });

  test('a run whose process died is no obstacle, and is told as interrupted', async () => {
    const event = await world.event(0);
    await world.sql(`INSERT INTO reconciliations (event_slug, from_at, to_at, asked_by, dry_run, started_at)
      VALUES ('${event}', now() - interval '1 h', now(), 'test', false, now())`);
    expect(await reconcile(event)).toMatchObject({ status: 200 });
    const { body } = await world.call('GET', `/api/events/${event}/reconciliations`);
    expect(body).toHaveLength(2);
    expect(body[1]).toMatchObject({ agree: false, complete: false, findings: [] });
    expect(body[1].error).toContain('interrupted');
  });

  test('PortOne goes away in the middle: it is said, and the rest is mended once it is back', async () => {
    const event = await world.event(8, HOLD);
    const orders = await world.orders(event, 8);
    for (const order of orders) await pay(world, order, { webhookUrl: null });
    world.sandbox.faults.rest({ kind: 'refuse', endpoint: 'payment' });
    const cut = await reconcile(event);
    expect(cut).toMatchObject({ status: 503, body: { report: { complete: false, agree: false } } });
    expect(cut.body.detail).toMatch(/PortOne/);
    expect(await world.seats(event)).toMatchObject({ held: 8 });
    await back();
    const run = await reconcile(event);
    expect(run.body).toMatchObject({ left: 0, agree: true });
    expect(await world.seats(event)).toMatchObject({ sold: 8 });
  });

  test('payments that cannot be read do not keep the others from being mended', async () => {
    const event = await world.event(3, HOLD);
    const orders = await world.orders(event, 3);
    const [, , v2] = orders;
    for (const order of orders) {
      await pay(world, order, { webhookUrl: null, ...(order === v2 ? V2 : {}) });
    }
    world.sandbox.faults.rest({ kind: 'error', endpoint: 'payment', world: 'v1' });
    const run = await reconcile(event);
    expect(run.body).toMatchObject({ complete: true, left: 2, agree: false });
    expect(run.body.error).toContain('2 payments could not be compared');
    expect(await world.seats(event)).toMatchObject({ held: 2, sold: 1 });
    await back();
    await mends(event, [{ outcome: 'sold' }, { outcome: 'sold' }]);
  });

  test('a run that loses its connection gives its turn back', async () => {
    const event = await world.event(1, HOLD);
    const order = await world.order(event);
    await pay(world, order, { webhookUrl: null });
    const list = world.sandbox.faults.at('v1', 'status');
    const cut = reconcile(event);
    await list.reached;
    const ended = await world.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'seatline-reconcile' AND datname = current_database()`,
    );
    expect(ended).toHaveLength(1);
    list.release();
    expect((await cut).status).toBe(503);
    const after = await reconcile(event);
    expect(after).toMatchObject({ status: 200, body: { agree: true } });
    expect(await world.seats(event)).toMatchObject({ sold: 1 });
  });

  test('runs are listed, newest first, with those that found something on demand', async () => {
    const event = await world.event(1, HOLD);
    const order = await world.order(event);
    await pay(world, order, { webhookUrl: null });
    await mends(event, [{ outcome: 'sold' }]);
    const list = async (query: string) =>
      (await world.call('GET', `/api/events/${event}/reconciliations${query}`)).body;
    const all = await list('');
    expect(all).toMatchObject([
      { event, askedBy: 'organizer:api', findings: [], agree: true },
      { event, findings: [{ outcome: 'sold' }], agree: true },
    ]);
    expect(await list('?limit=1')).toEqual([all[0]]);
    expect(await list('?differing=true')).toEqual([all[1]]);
  });

  test('a wrong wish is refused with its reason', async () => {
    const event = await world.event(0);
    const long = { from: '2026-01-01T00:00:00Z', to: '2026-06-01T00:00:00Z' };
    expect(await reconcile(event, long)).toMatchObject({ status: 422 });
    const backwards = { from: '2026-06-02T00:00:00Z', to: '2026-06-01T00:00:00Z' };
    expect(await reconcile(event, backwards)).toMatchObject({ status: 422 });
    expect(await reconcile(event, { from: 'yesterday' })).toMatchObject({ status: 422 });
    expect(await reconcile('nowhere')).toMatchObject({ status: 404 });
    const list = await world.call('GET', `/api/events/${event}/reconciliations?limit=1000`);
    expect(list.status).toBe(422);
    const nowhere = await world.call('GET', '/api/events/nowhere/reconciliations');
    expect(nowhere.status).toBe(404);
  });
});

describe.each(CARRIERS)('by schedule on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({
      carrier,
      env: {
        SWEEP_INTERVAL_MS: '200',
        RECONCILE_INTERVAL_MS: '500',
        RECONCILE_SETTLE_MS: '0',
      },
    });
  });
  afterAll(() => world?.close());

  test('a whole sale without a single webhook ends right', async () => {
    world.sandbox.faults.webhooksSilenced = true;
    const event = await world.event(20, {
      holdSeconds: 2,
      virtualAccounts: { policy: 'allow', maxWaitSeconds: 60 },
    });
    const orders = await world.orders(event, 30);
    const ways: Partial<PayRequest>[] = [
      {},
      { buyer: 'decline' },
      V2,
      { buyer: 'vanish' },
      { confirmUrl: null },
      { ...V2, buyer: 'decline' },
      { method: 'vbank' },
      { buyer: 'pay_late', lateMs: 3_000 },
      { buyer: 'fail_then_paid', lateMs: 1_500 },
      { ...V2, buyer: 'vanish' },
    ];
    await Promise.all(
      orders.map(async (order, i) => {
        const way = ways[i % ways.length] ?? {};
        const outcome = await pay(world, order, way);
        if (way.method === 'vbank') world.sandbox.deposit(outcome.paymentId);
      }),
    );
    await world.sandbox.idle();
    expect(await world.sql('SELECT 1 FROM webhooks')).toEqual([]);
    // Every order has come to its end: no hold waits, and no money is owed.
    await until(
      'all orders are ended',
      async () => {
        const { held } = await world.seats(event);
        const settled = orders.map(async (order) => {
          const { status } = await seen(world, order);
          const kept = books(world, order).reduce((sum, payment) => sum + payment.kept, 0);
          return kept === (status === 'paid' ? order.amount : 0);
        });
        return held === 0 && (await Promise.all(settled)).every(Boolean);
      },
      60_000,
    );
    const last = await until('a run by hand has its turn', async () => {
      const run = await world.call('POST', `/api/events/${event}/reconcile`, {});
      return run.status === 200 && run.body;
    });
    expect(last).toMatchObject({ findings: [], agree: true });
    expect(await world.audit(event)).toMatchObject({ clean: true });
    const paid = (await Promise.all(orders.map((order) => seen(world, order)))).filter(
      (order) => order.status === 'paid',
    );
    expect(paid.length).toBe((await world.seats(event)).sold);
    expect(paid.length).toBeGreaterThanOrEqual(10);
  });

  test('the runs are on record, one after another without a gap', async () => {
    const runs = await until('three runs', async () => {
      const rows = await world.sql<{ from_at: Date; to_at: Date; asked_by: string }>(
        `SELECT from_at, to_at, asked_by FROM reconciliations
          WHERE asked_by = 'schedule' AND finished_at IS NOT NULL AND error IS NULL ORDER BY id`,
      );
      return rows.length >= 3 && rows;
    });
    for (const [i, run] of runs.entries()) {
      const before = runs[i - 1];
      if (before) expect(+run.from_at).toBeLessThanOrEqual(+before.to_at);
    }
  });
});
