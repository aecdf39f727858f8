// One payment that PortOne refuses to tell of, or whose answer cannot be read: a buyer can invent
// such an id at their own confirmUrl. It keeps nobody else.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { pay, seen } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';
import { type Stub, type StubReply, startStub } from '../unit/portone-stub.ts';

const ODD = 'imp_odd';
const REFUSED: StubReply = {
  status: 400,
  body: { code: -1, message: '잘못된 요청', response: null },
};

let world: World;
/** In front of the sandbox, and refuses whatever names the odd one. */
let door: Stub;
beforeAll(async () => {
  door = await startStub();
  const env = { PORTONE_V1_URL: door.url, PAYMENT_CHECK_AFTER_MS: '1000' };
  world = await openWorld({ carrier: 'postgres', env });
  const { v1Url } = world.sandbox;
  door.answer = async ({ method, path, headers, body }) => {
    if (path.includes(ODD)) return REFUSED;
    const answer = await fetch(`${v1Url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', authorization: headers.authorization ?? '' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json() };
  };
});
afterAll(async () => {
  await world?.close();
  await door?.close();
});

const reconcile = (event: string) => world.call('POST', `/api/events/${event}/reconcile`, {});

test('forged confirms beside an odd one lose their seats all the same', async () => {
  const event = await world.event(4, { holdSeconds: 3_000 });
  const ids = [world.name('imp'), ODD, world.name('imp'), "no id of PortOne's"];
  for (const [n, order] of (await world.orders(event, 4)).entries()) {
    expect(await world.confirm(order, ids[n])).toMatchObject({ status: 200 });
  }
  await until('three seats are back', async () => (await world.seats(event)).available === 3);
  expect(await world.seats(event)).toMatchObject({ held: 1 });
  expect(door.heard.some(({ path }) => /no.*id.*of/.test(path))).toBe(false);
});

test('a reconciliation mends all but the odd one, and says so', async () => {
  const event = await world.event(3, { holdSeconds: 3_000 });
  const [odd, ...others] = await world.orders(event, 3);
  if (!odd) throw new Error('no order');
  await world.confirm(odd, `${ODD}_2`);
  for (const order of others) await pay(world, order, { webhookUrl: null });
  await world.sql(
    `UPDATE holds SET created_at = now() - interval '5 min' WHERE payment_id = $1`,
    `${ODD}_2`,
  );
  const run = await reconcile(event);
  expect(run).toMatchObject({
    status: 200,
    body: { complete: true, left: 1, error: '1 payment could not be compared' },
  });
  expect(run.body.findings).toContainEqual(
    expect.objectContaining({
      paymentId: `${ODD}_2`,
      repair: 'failed',
      text: expect.stringContaining('no answer that can be read'),
    }),
  );
  for (const order of others) expect(await seen(world, order)).toMatchObject({ status: 'paid' });
});

test('one that nothing here counts on any more is in the way of no run', async () => {
  const event = await world.event(1, { holdSeconds: 3_000 });
  const order = await world.order(event);
  await world.confirm(order, `${ODD}_3`);
  const release = { orders: [order.merchantUid], reason: 'test' };
  await world.call('POST', `/api/events/${event}/release`, release);
  expect((await reconcile(event)).body).toMatchObject({ complete: true, error: null, agree: true });
});
