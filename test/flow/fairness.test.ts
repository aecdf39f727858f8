import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CARRIERS, openWorld, type World } from '../support/world.ts';

const RUSH = 2_000;

describe.each(CARRIERS)('several events at once on %s', (carrier) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ carrier });
  });
  afterAll(() => world?.close());

  test('a request for a quiet event is answered while the rush for a hot one still waits', async () => {
    const [hot, quiet] = [await world.event(RUSH), await world.event(10)];
    const rush = await world.orders(hot, RUSH);
    const order = await world.order(quiet);
    let answered = 0;
    const rushing = rush.map(async (o) => {
      const answer = await world.confirm(o);
      answered += 1;
      return answer;
    });
    const calm = await world.confirm(order);
    const answeredBefore = answered;
    const answers = await Promise.all(rushing);

    expect(calm.status).toBe(200);
    expect(answeredBefore).toBeLessThan(RUSH);
    for (const answer of answers) expect([200, 503]).toContain(answer.status);
    expect(await world.audit(hot)).toMatchObject({ clean: true });
  });

  test('requests of one event are decided in the order in which they were asked', async () => {
    const event = await world.event(5);
    const orders = await world.orders(event, 12);
    const positions: number[] = [];
    const labels: string[] = [];
    for (const order of orders) {
      const answer = await world.confirm(order);
      if (answer.status !== 200) continue;
      positions.push(answer.body.position);
      labels.push(answer.body.seats[0].label);
    }
    expect(positions).toEqual([1, 2, 3, 4, 5]);
    expect(labels).toEqual(['ga-1', 'ga-2', 'ga-3', 'ga-4', 'ga-5']);
  });
});
