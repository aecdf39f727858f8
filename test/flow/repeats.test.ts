// One verdict a payment, however often it asks; and a buyer who tries again keeps the seats.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { becomes, labels, pay, post, seen } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, type OrderView, openWorld, type World } from '../support/world.ts';

describe.each(CARRIERS)('repeats on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ carrier, gateway: false, env: { SWEEP_INTERVAL_MS: '100' } });
  });
  afterAll(() => world?.close());

  /** The answer to the byte. */
  async function raw(order: OrderView, paymentId: string, amount: unknown = order.amount) {
    const response = await fetch(order.confirmUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ imp_uid: paymentId, merchant_uid: order.merchantUid, amount }),
    });
    return { status: response.status, text: await response.text() };
  }

  const release = (event: string) =>
    world.call('POST', `/api/events/${event}/release`, { allHeld: true, reason: 'again' });

  test('the same confirm again gets the same bytes and no second seat', async () => {
    const event = await world.event(5);
    const order = await world.order(event, [{ ticketType: 'ga', quantity: 2 }]);
    const first = await raw(order, 'imp-same');
    expect(first.status).toBe(200);
    const repeats = await Promise.all(Array.from({ length: 10 }, () => raw(order, 'imp-same')));
    for (const repeat of repeats) expect(repeat).toEqual(first);
    // The amount as text, or left out, is the same content.
    expect(await raw(order, 'imp-same', String(order.amount))).toEqual(first);
    expect(await raw(order, 'imp-same', null)).toEqual(first);
    expect(await world.seats(event)).toMatchObject({ held: 2, available: 3 });
  });

  test('ten identical confirms at the same instant get one answer and one seat', async () => {
    const event = await world.event(5);
    const order = await world.order(event);
    const answers = await Promise.all(Array.from({ length: 10 }, () => raw(order, 'imp-at-once')));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]?.status).toBe(200);
    expect(await world.seats(event)).toMatchObject({ held: 1 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('once the hold is gone the same confirm is refused for ever, a new one is not', async () => {
    const event = await world.event(1);
    const order = await world.order(event);
    expect(await raw(order, 'imp-gone')).toMatchObject({ status: 200 });
    await release(event);
    for (let time = 0; time < 2; time += 1) {
      expect(await world.confirm(order, 'imp-gone')).toMatchObject({
        status: 409,
        body: { code: 'hold_ended' },
      });
    }
    expect(await world.seats(event)).toMatchObject({ held: 0 });
    expect(await world.confirm(order)).toMatchObject({ status: 200 });
    expect(await world.confirm(order, 'imp-gone')).toMatchObject({ body: { code: 'hold_ended' } });
    expect(await world.seats(event)).toMatchObject({ held: 1 });
  });

  test('a hold that ran out is refused to its own payment', async () => {
    const event = await world.event(1, { holdSeconds: 1 });
    const order = await world.order(event);
    expect(await raw(order, 'imp-late')).toMatchObject({ status: 200 });
    await until('the hold ran out', async () => (await world.seats(event)).held === 0);
    expect(await world.confirm(order, 'imp-late')).toMatchObject({
      status: 409,
      body: { code: 'hold_ended' },
    });
  });

  test('a refusal on record is repeated as it was given, even when the seat came back', async () => {
    const event = await world.event(1);
    const named = () => world.order(event, [{ ticketType: 'ga', quantity: 1, seats: ['ga-1'] }]);
    const [first, second] = [await named(), await named()];
    await world.confirm(first);
    const refused = { status: 409, body: { code: 'seat_taken' } };
    expect(await world.confirm(second, 'imp-refused')).toMatchObject(refused);
    await release(event);
    expect(await world.confirm(second, 'imp-refused')).toMatchObject(refused);
    expect(await world.confirm(second)).toMatchObject({ status: 200 });
  });

  test('the same payment with other content is a conflict, and leaves the first hold alone', async () => {
    const event = await world.event(5);
    const [order, other] = await world.orders(event, 2);
    if (!order || !other) throw new Error('no orders');
    const first = await raw(order, 'imp-conflict');
    for (const [asked, amount] of [
      [other, other.amount],
      [order, 1],
    ] as const) {
      expect(await world.confirm(asked, 'imp-conflict', amount)).toMatchObject({
        status: 409,
        body: { code: 'conflicting_repeat' },
      });
    }
    const early = {
      payment_id: other.merchantUid,
      tx_id: 'imp-conflict',
      total_amount: other.amount,
    };
    expect(await post(other.confirmUrl, JSON.stringify(early))).toMatchObject({
      status: 409,
      body: { code: 'conflicting_repeat' },
    });
    expect(await raw(order, 'imp-conflict')).toEqual(first);
    expect(await world.seats(event)).toMatchObject({ held: 1 });
  });

  test('a retry with a new payment id keeps the same seats and takes no second ones', async () => {
    const event = await world.event(5);
    const order = await world.order(event, [{ ticketType: 'ga', quantity: 2 }]);
    const first = await world.confirm(order, 'imp-try-1');
    const second = await world.confirm(order, 'imp-try-2');
    expect(second.status).toBe(200);
    expect(labels(second.body)).toEqual(labels(first.body));
    expect(second.body.holdExpiresAt >= first.body.holdExpiresAt).toBe(true);
    expect(await world.seats(event)).toMatchObject({ held: 2 });
    // The first attempt has lost the seats to the second.
    expect(await world.confirm(order, 'imp-try-1')).toMatchObject({ body: { code: 'hold_ended' } });
    expect((await seen(world, order)).payments.map((p) => p.paymentId)).toEqual([
      'imp-try-1',
      'imp-try-2',
    ]);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('twenty payments of one order at once share one seat', async () => {
    const event = await world.event(30);
    const order = await world.order(event);
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.confirm(order)));
    const seats = answers.filter((a) => a.status === 200).flatMap((a) => labels(a.body));
    expect(new Set(seats).size).toBe(1);
    for (const answer of answers) expect(['confirmed', 'hold_ended']).toContain(answer.body.code);
    expect(await world.seats(event)).toMatchObject({ held: 1, available: 29 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('retries stretch a hold to three times its length and no further', async () => {
    const event = await world.event(1, { holdSeconds: 600 });
    const order = await world.order(event);
    expect(await world.confirm(order)).toMatchObject({ status: 200 });
    const age = (interval: string) =>
      world.sql(`UPDATE holds SET created_at = now() - interval '${interval}', expires_at = now() + interval '1 min'
        WHERE state = 'held' AND event_id = (SELECT id FROM events WHERE slug = '${event}')`);
    await age('25 min');
    const last = (await world.confirm(order)).body.holdExpiresAt;
    expect(Date.parse(last)).toBeGreaterThan(Date.now() + 290_000);
    expect(Date.parse(last)).toBeLessThan(Date.now() + 310_000);
    await age('30 min');
    const end = (await seen(world, order)).holdExpiresAt;
    expect(await world.confirm(order)).toMatchObject({ body: { code: 'hold_ended' } });
    expect((await seen(world, order)).holdExpiresAt).toBe(end);
  });
});

describe.each(CARRIERS)('repeats through the gateway on %s', (carrier) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ carrier });
  });
  afterAll(() => world?.close());

  test.each(['concurrent', 'after', 'after_paid'] as const)(
    'confirms repeated %s are one sale',
    async (when) => {
      const event = await world.event(5);
      const order = await world.order(event);
      const outcome = await pay(world, order, { buyer: 'repeat', repeat: { times: 4, when } });
      expect(outcome.confirms).toHaveLength(5);
      for (const { status, body } of outcome.confirms) {
        expect(status).toBe(200);
        expect(body).toEqual(outcome.confirm.body);
      }
      await becomes(world, order, 'paid');
      expect(await world.seats(event)).toMatchObject({ sold: 1, held: 0 });
      expect(await world.audit(event)).toMatchObject({ clean: true });
    },
  );
});
