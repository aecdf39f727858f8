import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/wait.ts';
import { CARRIERS, openWorld, type World } from '../support/world.ts';

describe.each(CARRIERS)('confirm on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ carrier });
  });
  afterAll(() => world?.close());

  test('the first request for a free seat is confirmed with that seat', async () => {
    const event = await world.event(3);
    const order = await world.order(event);
    const answer = await world.confirm(order);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      code: 'confirmed',
      position: 1,
      seats: [{ label: 'ga-1', ticketType: 'ga' }],
    });
    expect(await world.seats(event)).toEqual({ total: 3, available: 2, held: 1, sold: 0 });
  });

  test('2,000 confirms at once for 500 seats: the first 500 positions are confirmed, no more', async () => {
    const event = await world.event(500);
    const orders = await world.orders(event, 2_000);
    const answers = await Promise.all(orders.map((order) => world.confirm(order)));
    const confirmed = answers.filter((a) => a.status === 200);
    expect(confirmed).toHaveLength(500);
    const positions = confirmed.map((a) => a.body.position).sort((a, b) => a - b);
    expect(positions).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
    for (const refused of answers.filter((a) => a.status !== 200)) {
      expect(refused.body.code).toMatch(/^(sold_out|all_held|overloaded|timed_out)$/);
    }
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });
});

describe.each(CARRIERS)('more than can be decided in time, on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    // Far below what the gateway waits: a machine that stands still for a moment breaks no promise.
    const limits = {
      CONFIRM_TIMEOUT_MS: '1500',
      TRANSACTION_TIMEOUT_MS: '1000',
      STATEMENT_TIMEOUT_MS: '800',
      LOCK_TIMEOUT_MS: '600',
    };
    world = await openWorld({ carrier, env: limits });
  });
  afterAll(() => world?.close());

  test('everybody is answered before the gateway gives up, and nobody is confirmed in vain', async () => {
    const event = await world.event(500);
    const orders = await world.orders(event, 2_000);
    const answers = await Promise.all(orders.map((order) => world.confirm(order)));
    const confirmed = answers.filter((a) => a.status === 200).length;
    const others = answers.filter((a) => a.status !== 200).map((a) => a.body.code);
    for (const code of others)
      expect(code).toMatch(/^(sold_out|all_held|overloaded|timed_out|unavailable)$/);
    await until('no hold but the confirmed ones', async () => {
      return (await world.seats(event)).held === confirmed;
    });
    expect(await world.audit(event)).toMatchObject({ clean: true });
    const metrics: string = (await world.call('GET', '/metrics')).body;
    const counted = (le: string) =>
      metrics
        .split('\n')
        .find((line) => line.startsWith(`seatline_verdict_seconds_bucket{le="${le}"}`))
        ?.split(' ')[1];
    // The shorter of the two limits that the gateway's pages name.
    expect(counted('5'), 'answers before the gateway gives up').toBe(counted('+Inf'));
  });
});
