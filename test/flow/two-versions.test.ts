// One order, tried on both versions of PortOne: each payment is asked about where it is known.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { becomes, pay } from '../support/buyer.ts';
import { openWorld, type World } from '../support/world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld({ carrier: 'redis', env: { RECONCILE_SETTLE_MS: '0' } });
});
afterAll(() => world?.close());

test.each([
  ['v2-2024-04-25', 'v1'],
  ['v1', 'v2-2024-04-25'],
] as const)('paid on %s while %s had the hold: both books agree', async (paid, last) => {
  const event = await world.event(2);
  const order = await world.order(event);
  const { paymentId } = await pay(world, order, { dialect: paid, buyer: 'vanish' });
  await pay(world, order, { dialect: last, buyer: 'vanish' });
  expect(world.sandbox.approve(paymentId)).toBe(true);
  await becomes(world, order, 'paid');
  const { body } = await world.call('POST', `/api/events/${event}/reconcile`, {});
  expect(body).toMatchObject({ findings: [], left: 0, agree: true });
});
