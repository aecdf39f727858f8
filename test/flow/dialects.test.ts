// PortOne's three dialects, and who is believed in each.

import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PayRequest } from '../../src/sandbox/types.ts';
import { pay, post } from '../support/buyer.ts';
import {
  CARRIERS,
  type HttpResult,
  type OrderView,
  openWorld,
  type World,
} from '../support/world.ts';

const DIALECTS: [string, Partial<PayRequest>][] = [
  ['V1 JSON', { dialect: 'v1' }],
  ['V1 form', { dialect: 'v1', form: true }],
  ['V1 with a numeric string', { dialect: 'v1', amountAsText: true }],
  ['V1 without an amount', { dialect: 'v1', omitAmount: true }],
  ['V1 form without an amount', { dialect: 'v1', form: true, omitAmount: true }],
  ['V2 2024-01-01 JSON', { dialect: 'v2-2024-01-01' }],
  ['V2 2024-01-01 form', { dialect: 'v2-2024-01-01', form: true }],
  ['V2 2024-01-01 with a numeric string', { dialect: 'v2-2024-01-01', amountAsText: true }],
  ['V2 2024-04-25', { dialect: 'v2-2024-04-25' }],
];

const WRONG_SECRET = `whsec_${Buffer.from('somebody else has this secret').toString('base64')}`;

function v2Body(world: World, order: OrderView): string {
  return JSON.stringify({
    type: 'Transaction.Confirm',
    timestamp: new Date().toISOString(),
    data: {
      paymentId: order.merchantUid,
      transactionId: world.name('tx'),
      totalAmount: order.amount,
    },
  });
}

function signed(secret: string, body: string, at = new Date()): Record<string, string> {
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign('msg_1', at, body),
  };
}

function expectForbidden(answer: HttpResult): void {
  expect(answer.status).toBe(403);
  expect(answer.body).toMatchObject({
    code: 'forbidden',
    reason: expect.any(String),
    errorMessage: answer.body.reason,
  });
}

describe.each(CARRIERS)('the three dialects on %s', (carrier) => {
  let world: World;
  let event: string;
  let bare: string;
  let secret: string;

  beforeAll(async () => {
    world = await openWorld({ carrier });
    event = await world.event(100);
    bare = `${world.url}/confirm`;
    secret = world.sandbox.credentials.v2.webhookSecret ?? '';
  });
  afterAll(() => world?.close());

  test.each(DIALECTS)('%s is understood and confirmed', async (_, how) => {
    const order = await world.order(event);
    const { confirm } = await pay(world, order, { ...how, buyer: 'vanish' });
    expect(confirm.status).toBe(200);
    expect(confirm.body).toMatchObject({ code: 'confirmed', seats: [{ ticketType: 'ga' }] });
  });

  test('a V1 status and unknown fields are tolerated', async () => {
    const order = await world.order(event);
    const body = { imp_uid: world.name('imp'), merchant_uid: order.merchantUid, status: 'ready' };
    const answer = await post(order.confirmUrl, JSON.stringify({ ...body, new_field: [1] }));
    expect(answer).toMatchObject({ status: 200, body: { code: 'confirmed' } });
  });

  test('an amount with zero cents as text is the same amount', async () => {
    const order = await world.order(event);
    expect(await world.confirm(order, undefined, '10000.00')).toMatchObject({ status: 200 });
  });

  test('V1 without its token, with a wrong one or another order’s is forbidden', async () => {
    const [order, other] = await world.orders(event, 2);
    if (!order || !other) throw new Error('no orders');
    const v1 = JSON.stringify({
      imp_uid: world.name('imp'),
      merchant_uid: order.merchantUid,
      amount: order.amount,
    });
    for (const url of [bare, `${bare}?token=`, `${bare}?token=wrong`, other.confirmUrl]) {
      expectForbidden(await post(url, v1));
    }
    expectForbidden(await post(`${order.confirmUrl}&token=again`, v1));
    const [verdict] = await world.sql(
      'SELECT 1 FROM verdicts v JOIN orders o ON o.id = v.order_id WHERE o.merchant_uid = $1',
      order.merchantUid,
    );
    expect(verdict).toBeUndefined();
    expect(await post(order.confirmUrl, v1)).toMatchObject({ status: 200 });
  });

  test('V2 2024-04-25 is believed by its signature alone', async () => {
    const order = await world.order(event);
    const body = v2Body(world, order);
    expectForbidden(await post(order.confirmUrl, body));
    expectForbidden(await post(order.confirmUrl, body, undefined, signed(WRONG_SECRET, body)));
    expectForbidden(await post(order.confirmUrl, `${body} `, undefined, signed(secret, body)));
    const stale = new Date(Date.now() - 600_000);
    expectForbidden(await post(order.confirmUrl, body, undefined, signed(secret, body, stale)));
    expectForbidden(await post(`${bare}?token=wrong`, body, undefined, signed(secret, body)));
    expect(await post(bare, body, undefined, signed(secret, body))).toMatchObject({ status: 200 });
  });

  test('V2 2024-01-01 needs its signature or the token, and a bad signature is never forgiven', async () => {
    const order = await world.order(event);
    const body = JSON.stringify({
      payment_id: order.merchantUid,
      tx_id: world.name('tx'),
      total_amount: order.amount,
    });
    expectForbidden(await post(bare, body));
    expectForbidden(await post(order.confirmUrl, body, undefined, signed(WRONG_SECRET, body)));
    expect(await post(order.confirmUrl, body)).toMatchObject({ status: 200 });
    expect(await post(bare, body, undefined, signed(secret, body))).toMatchObject({ status: 200 });
  });
});

describe('CONFIRM_TOKEN=off', () => {
  test('V1 is confirmed without a token, and a V2 signature still counts', async () => {
    const world = await openWorld({ carrier: 'postgres', env: { CONFIRM_TOKEN: 'off' } });
    const event = await world.event(5);
    const order = await world.order(event);
    const bare = `${world.url}/confirm`;
    const v1 = { imp_uid: 'imp_off', merchant_uid: order.merchantUid, amount: order.amount };
    expect(await post(bare, JSON.stringify(v1))).toMatchObject({ status: 200 });
    const other = await world.order(event);
    const v2 = v2Body(world, other);
    expectForbidden(await post(bare, v2));
    expectForbidden(await post(bare, v2, undefined, signed(WRONG_SECRET, v2)));
    await world.close();
  });
});
