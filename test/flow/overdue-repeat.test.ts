import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';

let world: World;

beforeAll(async () => {
  // The sweep is far away: the hold is over and still there, as it is while PortOne is being asked.
  world = await openWorld({ carrier: 'redis', env: { SWEEP_INTERVAL_MS: '60000' } });
});
afterAll(() => world?.close());

test('a payment that asks again after its hold is over is refused, swept or not', async () => {
  const event = await world.event(1, { holdSeconds: 1 });
  const order = await world.order(event);
  const first = await world.confirm(order, 'imp-overdue');
  expect(first.body.code).toBe('confirmed');
  await until('the hold is over', () => Date.now() > Date.parse(first.body.holdExpiresAt));

  const again = await world.confirm(order, 'imp-overdue');
  expect(again).toMatchObject({ status: 409, body: { code: 'hold_ended' } });
  expect(await world.seats(event)).toMatchObject({ held: 1 });
});
