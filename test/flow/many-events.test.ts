import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld, type World } from '../support/world.ts';

/** More than one process can keep workers open for over Postgres. */
const EVENTS = 40;
let world: World;

beforeAll(async () => {
  world = await openWorld({ carrier: 'postgres', gateway: false });
});
afterAll(() => world?.close());

test('more events than places for workers: each is served when its turn comes', async () => {
  for (let n = 0; n < EVENTS; n += 1) {
    const order = await world.order(await world.event(1));
    let answer = await world.confirm(order);
    // Refused in time at worst while another event gives up its place; then a new try is served.
    for (let tries = 1; answer.status === 503 && tries < 4; tries += 1) {
      answer = await world.confirm(order, `again-${n}-${tries}`);
    }
    expect(answer.body.code, `event ${n}`).toBe('confirmed');
  }
});
