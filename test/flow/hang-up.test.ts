// Verdict or void: whoever hangs up before the answer leaves nothing behind.

import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seen } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, type OrderView, openWorld, type World } from '../support/world.ts';

/** Sends a whole confirm and breaks the connection when it is time to. */
function askAndHangUp(
  order: OrderView,
  paymentId: string,
  time: () => Promise<unknown>,
): Promise<'hung up' | number> {
  return new Promise((resolve) => {
    const call = request(order.confirmUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    call.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on('error', () => resolve('hung up'));
    call.end(
      JSON.stringify({ imp_uid: paymentId, merchant_uid: order.merchantUid, amount: order.amount }),
      () => time().finally(() => call.destroy()),
    );
  });
}

describe.each(CARRIERS)('hang-ups on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ carrier, gateway: false });
  });
  afterAll(() => world?.close());

  /** For the event, which the test has locked. */
  const theDecisionWaits = () =>
    until('the decision waits', async () => {
      const [waiting] = await world.sql(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      return waiting;
    });

  test('callers who hang up leave no hold, nor could one outlast the time for an answer', async () => {
    const event = await world.event(60);
    const orders = await world.orders(event, 60);
    let heard = 0;
    /** Every third one waits; of the others some go at once, some while answers are being given. */
    const time = (n: number) =>
      n % 3 === 0
        ? new Promise(() => undefined)
        : until('answers are heard', () => heard >= Math.floor(n / 6));
    const fates = await Promise.all(
      orders.map(async (order, n) => {
        const fate = await askAndHangUp(order, world.name('imp'), () => time(n));
        if (fate === 200) heard += 1;
        return fate;
      }),
    );
    const answered = orders.filter((_, n) => fates[n] === 200);
    expect(fates).toContain('hung up');
    expect(answered.length).toBeGreaterThanOrEqual(20);
    // A hold may stay only where a 200 was written; those callers may not have read it.
    await until('no hold is left without an answer', async () => {
      const [row] = await world.sql<{ n: number }>(
        `SELECT count(*)::int AS n FROM holds h JOIN events e ON e.id = h.event_id
          WHERE e.slug = $1 AND h.state = 'held' AND h.answered_at IS NULL`,
        event,
      );
      return row?.n === 0;
    });
    const [longest] = await world.sql<{ ms: number }>(
      `SELECT max(extract(epoch FROM h.answer_by - h.created_at) * 1000)::int AS ms
         FROM holds h JOIN events e ON e.id = h.event_id WHERE e.slug = $1`,
      event,
    );
    expect(longest?.ms).toBeLessThanOrEqual(Number(world.env.CONFIRM_TIMEOUT_MS));
    for (const order of answered) expect((await seen(world, order)).status).toBe('held');
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('a caller who is gone before the verdict leaves the seat to the next one', async () => {
    const event = await world.event(1);
    const [gone, next] = await world.orders(event, 2);
    if (!gone || !next) throw new Error('no orders');
    // The event is locked, so the verdict cannot come before the caller is gone.
    await world.service.dependencies.database.bulk(async (client) => {
      await client.query('SELECT 1 FROM events WHERE slug = $1 FOR UPDATE', [event]);
      expect(await askAndHangUp(gone, 'imp-gone', theDecisionWaits)).toBe('hung up');
    });
    const answer = await until('the seat goes to the next one', async () => {
      const asked = await world.confirm(next);
      return asked.status === 200 && asked;
    });
    expect(answer.body.seats).toHaveLength(1);
    expect(await seen(world, gone)).toMatchObject({ status: 'pending', seats: [] });
    expect(await world.confirm(gone, 'imp-gone')).not.toMatchObject({ status: 200 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('a gateway that hangs up on the confirm pays nothing and keeps no seat', async () => {
    const event = await world.event(1, { holdSeconds: 600 });
    const order = await world.order(event);
    await world.service.dependencies.database.bulk(async (client) => {
      await client.query('SELECT 1 FROM events WHERE slug = $1 FOR UPDATE', [event]);
      const outcome = await world.sandbox.pay({
        merchantUid: order.merchantUid,
        amount: order.amount,
        confirmUrl: order.confirmUrl,
        buyer: 'hang_up',
        hangUpAfterMs: 1_000,
      });
      expect(outcome).toMatchObject({ state: 'failed', confirm: { status: null } });
    });
    await until('it was decided, and the seat is free again', async () => {
      const [verdict] = await world.sql(
        'SELECT 1 FROM verdicts v JOIN orders o ON o.id = v.order_id WHERE o.merchant_uid = $1',
        order.merchantUid,
      );
      return verdict && (await world.seats(event)).available === 1;
    });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });
});
