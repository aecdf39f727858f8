// The organizer's orders: priced, bound to a confirmUrl, and never two under one id.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { becomes, pay, seen } from '../support/buyer.ts';
import { CARRIERS, openWorld, type World } from '../support/world.ts';

describe.each(CARRIERS)('orders on %s', (carrier) => {
  let world: World;
  let event: string;

  beforeAll(async () => {
    world = await openWorld({ carrier });
    event = await world.event(0, {
      ticketTypes: [
        { code: 'ga', name: 'General', price: 10_000 },
        { code: 'vip', name: 'VIP', price: 50_000 },
        { code: 'usd', name: 'Abroad', price: 30, currency: 'USD' },
      ],
    });
    for (const ticketType of ['ga', 'vip']) {
      await world.call('POST', `/api/events/${event}/seats`, { ticketType, count: 20 });
    }
  });
  afterAll(() => world?.close());

  const wish = (change: Record<string, unknown> = {}) => ({
    merchantUid: world.name('order'),
    event,
    buyer: { id: 'buyer-1' },
    items: [{ ticketType: 'ga', quantity: 2 }],
    ...change,
  });
  const register = (body: unknown) => world.call('POST', '/api/orders', body);

  test('an order is priced, and comes back with its urls', async () => {
    const order = wish({
      items: [
        { ticketType: 'ga', quantity: 2 },
        { ticketType: 'vip', quantity: 1 },
      ],
    });
    const answer = await register(order);
    expect(answer).toMatchObject({
      status: 201,
      body: { merchantUid: order.merchantUid, amount: 70_000, currency: 'KRW', status: 'pending' },
    });
    expect(answer.body.confirmUrl).toMatch(new RegExp(`^${world.url}/confirm\\?token=[\\w-]+$`));
    expect(answer.body.webhookUrl).toBe(`${world.url}/webhook`);
    // PortOne is told of no amount unless that is switched on.
    expect(answer.body).not.toHaveProperty('amountRegistered');
    expect(await seen(world, answer.body)).toMatchObject({
      status: 'pending',
      seats: [],
      holdExpiresAt: null,
      payments: [],
    });
  });

  test('an array comes back as an array in its order', async () => {
    const orders = Array.from({ length: 50 }, () => wish());
    const answer = await register(orders);
    expect(answer.status).toBe(201);
    expect(answer.body.map((o: { merchantUid: string }) => o.merchantUid)).toEqual(
      orders.map((o) => o.merchantUid),
    );
    expect((await register([wish()])).body).toHaveLength(1);
  });

  test('an identical repeat is the same order, whatever became of it meanwhile', async () => {
    const order = wish();
    const first = await register(order);
    expect(await register(order)).toMatchObject({ status: 201, body: first.body });
    expect((await register([order, order])).body).toEqual([first.body, first.body]);
    await pay(world, first.body);
    await becomes(world, first.body, 'paid');
    expect(await register(order)).toMatchObject({ status: 201, body: { status: 'paid' } });
  });

  test('the same order from ten callers at once is one order', async () => {
    const order = wish();
    const answers = await Promise.all(Array.from({ length: 10 }, () => register(order)));
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 201, body: { merchantUid: order.merchantUid } });
    expect(
      await world.sql('SELECT 1 FROM orders WHERE merchant_uid = $1', order.merchantUid),
    ).toHaveLength(1);
    expect(
      await world.sql(
        'SELECT 1 FROM order_items i JOIN orders o ON o.id = i.order_id WHERE o.merchant_uid = $1',
        order.merchantUid,
      ),
    ).toHaveLength(1);
  });

  test('two different orders under one id at once: one is registered, the other is 409', async () => {
    const id = world.name('contested');
    const answers = await Promise.all(
      [1, 2].map((quantity) =>
        register(wish({ merchantUid: id, items: [{ ticketType: 'ga', quantity }] })),
      ),
    );
    expect(answers.map((a) => a.status).sort()).toEqual([201, 409]);
  });

  test('other content under the same id is 409 and changes nothing', async () => {
    const order = wish();
    await register(order);
    for (const change of [
      { items: [{ ticketType: 'ga', quantity: 3 }] },
      { items: [{ ticketType: 'vip', quantity: 2 }] },
      { items: [{ ticketType: 'ga', quantity: 2, together: true }] },
      { items: [{ ticketType: 'ga', quantity: 2, seats: ['ga-1', 'ga-2'] }] },
      { buyer: { id: 'buyer-2' } },
    ]) {
      expect(await register({ ...order, ...change })).toMatchObject({
        status: 409,
        body: { code: 'conflict', merchantUid: order.merchantUid },
      });
    }
    const fresh = wish();
    const mixed = await register([fresh, { ...order, buyer: { id: 'other' } }]);
    expect(mixed).toMatchObject({ status: 409, body: { index: 1 } });
    expect(await world.call('GET', `/api/orders/${fresh.merchantUid}`)).toMatchObject({
      status: 404,
    });
  });

  test('an unknown event is 404, and the fault is named by its index', async () => {
    expect(await register(wish({ event: 'nobody' }))).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    const good = wish();
    expect(await register([good, wish({ event: 'nobody' })])).toMatchObject({
      status: 404,
      body: { index: 1 },
    });
    expect(await world.call('GET', `/api/orders/${good.merchantUid}`)).toMatchObject({
      status: 404,
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ['an unknown ticket type', { items: [{ ticketType: 'nope', quantity: 1 }] }],
    ['no items', { items: [] }],
    ['no quantity', { items: [{ ticketType: 'ga', quantity: 0 }] }],
    ['half a seat', { items: [{ ticketType: 'ga', quantity: 0.5 }] }],
    ['more seats than an order may have', { items: [{ ticketType: 'ga', quantity: 51 }] }],
    [
      'two currencies',
      {
        items: [
          { ticketType: 'ga', quantity: 1 },
          { ticketType: 'usd', quantity: 1 },
        ],
      },
    ],
    [
      'a seat that does not exist',
      { items: [{ ticketType: 'ga', quantity: 1, seats: ['ga-999'] }] },
    ],
    ['a seat of another type', { items: [{ ticketType: 'ga', quantity: 1, seats: ['vip-1'] }] }],
    ['a seat twice', { items: [{ ticketType: 'ga', quantity: 2, seats: ['ga-1', 'ga-1'] }] }],
    ['fewer seats than quantity', { items: [{ ticketType: 'ga', quantity: 2, seats: ['ga-1'] }] }],
    ['an id with a space', { merchantUid: 'a b' }],
    ['an id that is too long', { merchantUid: 'x'.repeat(65) }],
    ['an unknown field', { amount: 1 }],
    ['no buyer', { buyer: {} }],
  ])('%s is 422', async (_, change) => {
    const order = wish(change);
    expect(await register(order)).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
    expect(await register([wish(), order])).toMatchObject({ status: 422 });
  });

  test('1,001 orders in one call are too many, 1,000 are not', async () => {
    const orders = Array.from({ length: 1_001 }, () => wish());
    expect(await register(orders)).toMatchObject({ status: 422 });
    const answer = await register(orders.slice(1));
    expect(answer.status).toBe(201);
    expect(answer.body).toHaveLength(1_000);
  });

  test('an id with signs in it keeps its confirmUrl, its view and its sale', async () => {
    for (const merchantUid of ['a/b?c=d&e#f', '100%', 'a+b"c\\d', '..']) {
      const { body } = await register(
        wish({ merchantUid, items: [{ ticketType: 'ga', quantity: 1 }] }),
      );
      await pay(world, body);
      const view = await world.call('GET', `/api/orders/${encodeURIComponent(merchantUid)}`);
      if (merchantUid !== '..') expect(view).toMatchObject({ status: 200, body: { merchantUid } });
      const confirmed = await world.sql(
        "SELECT 1 FROM verdicts v JOIN orders o ON o.id = v.order_id WHERE o.merchant_uid = $1 AND v.code = 'confirmed'",
        merchantUid,
      );
      expect(confirmed).toHaveLength(1);
    }
  });
});
