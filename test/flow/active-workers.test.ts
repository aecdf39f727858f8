import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { confirmQueueName } from '../../src/confirm/queue-name.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, openWorld, type World } from '../support/world.ts';

/** Nobody waits for so long. */
const IDLE_MS = 600_000;

describe.each(CARRIERS)('workers of idle events on %s', (carrier) => {
  let world: World;
  let passedMs = 0;
  beforeAll(async () => {
    const clock = { now: () => new Date(Date.now() + passedMs) };
    world = await openWorld({ carrier, env: { QUEUE_IDLE_MS: String(IDLE_MS) }, clock });
  });
  afterAll(() => world?.close());

  test('an event that falls silent loses its worker, and is served at once when it wakes', async () => {
    const event = await world.event(5);
    const [first, second] = await world.orders(event, 2);
    if (!first || !second) throw new Error('no orders');
    expect((await world.confirm(first)).status).toBe(200);
    const [row] = await world.sql<{ id: number }>('SELECT id FROM events WHERE slug = $1', event);
    const name = confirmQueueName(row?.id ?? 0);
    const { carrier: queues } = world.service.dependencies;
    expect(await queues.listActive()).toContain(name);
    passedMs = IDLE_MS;
    await until(
      'the event counts as idle',
      async () => !(await queues.listActive()).includes(name),
    );

    const answer = await world.confirm(second);
    expect(answer.body).toMatchObject({ code: 'confirmed', position: 2 });
  });
});
