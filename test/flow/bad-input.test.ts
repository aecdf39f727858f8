// Whatever arrives from outside: a documented 4xx with a code, no hold, and the process lives on.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { post } from '../support/buyer.ts';
import { CARRIERS, type OrderView, openWorld, type World } from '../support/world.ts';

const DEEP = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;

describe.each(CARRIERS)('bad input on %s', (carrier) => {
  let world: World;
  let event: string;
  let order: OrderView;

  beforeAll(async () => {
    world = await openWorld({ carrier });
    event = await world.event(10);
  });
  beforeEach(async () => {
    order = await world.order(event);
  });
  afterEach(async () => {
    expect(await world.seats(event)).toMatchObject({ held: 0, sold: 0 });
  });
  afterAll(async () => {
    if (!world) return;
    expect(await world.call('GET', '/health/live')).toMatchObject({ status: 200 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
    await world.close();
  });

  const v1 = (change: Record<string, unknown>) =>
    JSON.stringify({
      imp_uid: world.name('imp'),
      merchant_uid: order.merchantUid,
      amount: order.amount,
      ...change,
    });

  async function expectRefused(body: string | undefined, contentType?: string): Promise<void> {
    const answer = await post(order.confirmUrl, body, contentType);
    expect(answer.body).toMatchObject({
      code: 'invalid_request',
      reason: expect.any(String),
      errorMessage: answer.body.reason,
    });
    expect(answer.status).toBe(422);
  }

  test.each<[string, Record<string, unknown>]>([
    ['a number for an id', { imp_uid: 5 }],
    ['an empty id', { imp_uid: '' }],
    ['a blank id', { imp_uid: '   ' }],
    ['null for an id', { merchant_uid: null }],
    ['a very long id', { imp_uid: 'x'.repeat(1_000) }],
    ['an id with a NUL', { imp_uid: 'imp_\u0000' }],
    ['half a surrogate pair', { imp_uid: 'imp_\ud800' }],
    ['an order with a NUL', { merchant_uid: 'order\u0000' }],
    ['a missing id', { imp_uid: undefined }],
    ['an object for an id', { imp_uid: { $ne: null } }],
    ['an array for an id', { imp_uid: ['imp_1'] }],
    ['a negative amount', { amount: -1 }],
    ['half a won', { amount: 10_000.5 }],
    ['an amount beyond all numbers', { amount: 1e15 }],
    ['words for an amount', { amount: 'ten thousand' }],
    ['a boolean amount', { amount: true }],
  ])('%s is an invalid request', async (_, change) => {
    await expectRefused(v1(change));
  });

  test.each<[string, string | undefined, string?]>([
    ['an empty body', ''],
    ['no body', undefined],
    ['broken JSON', '{"imp_uid":'],
    ['an array', '[{"imp_uid":"a","merchant_uid":"b"}]'],
    ['a number', '5'],
    ['null', 'null'],
    ['text', 'hello', 'text/plain'],
    ['an unknown content type', '<xml/>', 'application/xml'],
    ['nonsense for a content type', 'imp_uid=1', ';;;'],
    ['an empty form', '', 'application/x-www-form-urlencoded'],
    ['a form of something else', 'a=b&c=d', 'application/x-www-form-urlencoded'],
    [
      'a form with a NUL',
      'imp_uid=a%00&merchant_uid=b&amount=1',
      'application/x-www-form-urlencoded',
    ],
    ['deep nesting', DEEP],
    ['an object of nothing', '{}'],
    ['a V2 message of another type', '{"type":"Transaction.Paid","timestamp":"x","data":{}}'],
    ['V2 data that is none', '{"type":"Transaction.Confirm","timestamp":"x","data":null}'],
    ['half of V2', '{"payment_id":"a"}'],
    ['a prototype', '{"__proto__":{"imp_uid":"a"}}'],
  ])('%s is an invalid request', async (_, body, contentType) => {
    await expectRefused(body, contentType);
  });

  test('a huge body is refused and the next request is served', async () => {
    await expectRefused(v1({ padding: 'x'.repeat(2_000_000) }));
    await expectRefused(v1({ padding: 'x'.repeat(20_000) }));
  });

  test('bytes that are no text are refused', async () => {
    const response = await fetch(order.confirmUrl, {
      method: 'POST',
      body: new Uint8Array([0, 255, 254, 0, 123, 34]),
    });
    expect(response.status).toBe(422);
  });

  test('an unknown order is 404 to a caller with the right token for it', async () => {
    const forged = { ...order, merchantUid: 'nobody-knows-this' };
    expect(await world.confirm(forged)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    await world.sql(
      'DELETE FROM order_items WHERE order_id = (SELECT id FROM orders WHERE merchant_uid = $1)',
      order.merchantUid,
    );
    await world.sql('DELETE FROM orders WHERE merchant_uid = $1', order.merchantUid);
    const answer = await world.confirm(order);
    expect(answer).toMatchObject({ status: 404, body: { code: 'unknown_order' } });
    expect(answer.body.errorMessage).toBe(answer.body.reason);
  });

  test.each<unknown>([1, 9_999, 10_001, '1', 0, 2_147_483_647])(
    'amount %j for an order of 10,000 is a mismatch',
    async (amount) => {
      const answer = await world.confirm(order, undefined, amount);
      expect(answer).toMatchObject({
        status: 422,
        body: { code: 'amount_mismatch', reason: expect.stringContaining('amount') },
      });
    },
  );

  test.each([
    ['DELETE', '/api/events', 405, 'method_not_allowed'],
    ['PUT', '/api/orders/some', 405, 'method_not_allowed'],
    ['GET', '/api/events/some/release', 405, 'method_not_allowed'],
    ['GET', '/api/nothing', 404, 'not_found'],
    ['GET', '/nothing', 404, 'not_found'],
  ])('%s %s is %i %s', async (method, path, status, code) => {
    expect(await world.call(method, path)).toMatchObject({ status, body: { code } });
  });

  test.each(['/api/events', '/api/nothing', '/api'])('%s is closed to strangers', async (path) => {
    const answer = await world.call('GET', path, undefined, { authorization: 'Bearer wrong' });
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  });

  test.each(['GET', 'PUT', 'DELETE', 'PATCH'])('%s /confirm is 405 with a code', async (method) => {
    for (const path of ['/confirm', '/webhook']) {
      const answer = await world.call(method, path);
      expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    }
  });

  test('a poisoned request spoils no other of the same instant', async () => {
    const orders = await world.orders(event, 5);
    const asked = Promise.all(orders.map((good) => world.confirm(good)));
    const poison = ['imp\u0000', 'imp\udfff'].map((id) => expectRefused(v1({ imp_uid: id })));
    await Promise.allSettled(poison);
    for (const answer of await asked) expect(answer.status).toBe(200);
    await Promise.all(poison);
    const release = { allHeld: true, reason: 'the test is over' };
    await world.call('POST', `/api/events/${event}/release`, release);
  });
});

describe.each(CARRIERS)('bad input to the organizer’s API on %s', (carrier) => {
  let world: World;
  let event: string;

  beforeAll(async () => {
    world = await openWorld({ carrier });
    event = await world.event(1);
  });
  afterAll(() => world?.close());

  async function expectProblem(
    [method, path, body]: [string, string, unknown?],
    status: number,
    code: string,
  ): Promise<void> {
    const answer = await world.call(method, path, body);
    expect(answer.body).toMatchObject({ code, status, detail: expect.any(String) });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  }

  test('a missing or wrong key is 401, whatever the path', async () => {
    for (const path of ['/api/events/x', '/api/orders', '/api/nothing']) {
      for (const authorization of ['', 'Bearer wrong', 'Basic abc', 'Bearer ']) {
        const answer = await world.call('GET', path, undefined, { authorization });
        expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
      }
    }
  });

  test('broken JSON is 400, wrong shapes are 422 with their places', async () => {
    for (const path of [
      '/api/events',
      '/api/orders',
      `/api/events/${event}/seats`,
      `/api/events/${event}/release`,
    ]) {
      await expectProblem(['POST', path, '{"a":'], 400, 'malformed_body');
      await expectProblem(['POST', path, ''], 400, 'malformed_body');
      for (const body of [{}, [], 5, 'null', { unknown: 1 }]) {
        await expectProblem(['POST', path, JSON.stringify(body)], 422, 'invalid_request');
      }
    }
    const order = {
      merchantUid: 'o',
      event,
      buyer: { id: 'b' },
      items: [{ ticketType: 'ga', quantity: -1 }],
    };
    const answer = await world.call('POST', '/api/orders', order);
    expect(answer.body.detail).toContain('quantity');
  });

  test('text that Postgres cannot keep is refused, not a 500', async () => {
    for (const bad of ['a\u0000b', 'a\ud800b']) {
      const type = { code: 'ga', name: bad, price: 1 };
      const next = {
        slug: world.name('bad'),
        name: 'x',
        opensAt: '2020-01-01T00:00:00Z',
        ticketTypes: [type],
      };
      await expectProblem(['POST', '/api/events', next], 400, 'malformed_body');
      const order = {
        merchantUid: 'bad',
        event,
        buyer: { id: bad },
        items: [{ ticketType: 'ga', quantity: 1 }],
      };
      await expectProblem(['POST', '/api/orders', order], 400, 'malformed_body');
    }
    const csv = await world.call(
      'POST',
      `/api/events/${event}/seats`,
      'ticketType,section,row,number\nga,A\u0000,1,1\n',
      { 'content-type': 'text/csv' },
    );
    expect(csv).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
    await expectProblem(['GET', '/api/orders/a%00b'], 404, 'not_found');
    await expectProblem(['GET', '/api/events/a%00b'], 404, 'not_found');
    await expectProblem(['GET', '/api/events/a%00b/audit'], 404, 'not_found');
  });

  test('unknown paths and things are 404, a broken escape too', async () => {
    await expectProblem(['GET', '/nothing'], 404, 'not_found');
    await expectProblem(['GET', '/api/nothing'], 404, 'not_found');
    await expectProblem(['GET', '/api/events/nobody'], 404, 'not_found');
    await expectProblem(['GET', '/api/orders/nobody'], 404, 'not_found');
    await expectProblem(['GET', '/api/events/nobody/audit'], 404, 'not_found');
    await expectProblem(['GET', '/api/orders/%zz'], 404, 'not_found');
  });
});

describe.each(CARRIERS)('bad input to /webhook on %s', (carrier) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ carrier });
  });
  afterAll(() => world?.close());

  test('a bad, stale or missing V2 signature is 401 and nothing is stored', async () => {
    const data = { paymentId: 'p', transactionId: 't', storeId: 's' };
    const body = { type: 'Transaction.Paid', timestamp: new Date().toISOString(), data };
    const early = { payment_id: 'p', tx_id: 't', status: 'Paid' };
    for (const signature of ['bad', 'stale', 'none'] as const) {
      for (const message of [body, early]) {
        const answer = await world.sandbox.sendWebhook({ body: message, signature });
        expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
      }
    }
    expect(await world.sql('SELECT 1 FROM webhooks')).toEqual([]);
  });

  test('broken JSON is 400, a huge one 413, a NUL no 500', async () => {
    const url = `${world.url}/webhook`;
    expect(await post(url, '{"a":')).toMatchObject({
      status: 400,
      body: { code: 'malformed_body' },
    });
    expect(await post(url, '')).toMatchObject({ status: 400, body: { code: 'malformed_body' } });
    const huge = JSON.stringify({ imp_uid: 'x'.repeat(1_000_000) });
    expect(await post(url, huge)).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
    for (const bad of ['a\u0000', '\ud800']) {
      const body = JSON.stringify({ imp_uid: bad, merchant_uid: 'b', status: 'paid' });
      expect(await post(url, body)).toMatchObject({
        status: 400,
        body: { code: 'malformed_body' },
      });
    }
  });
});
