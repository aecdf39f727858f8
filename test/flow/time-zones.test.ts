import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';

/** On either side of UTC: one made sales close early, the other released holds under their owners. */
describe.each(['Asia/Seoul', 'America/New_York'])('a database whose zone is %s', (zone) => {
  let world: World;
  beforeAll(async () => {
    const probe = await openWorld({ carrier: 'redis', gateway: false });
    const [row] = await probe.sql<{ name: string }>('SELECT current_database() AS name');
    await probe.sql(`ALTER DATABASE "${row?.name}" SET timezone TO '${zone}'`);
    // New connections have the new zone.
    await probe.service.close();
    await probe.sandbox.close();
    world = await openWorld({
      carrier: 'redis',
      gateway: false,
      env: { DATABASE_URL: probe.database.url },
    });
  });
  afterAll(() => world?.close());

  test('a sale that closes in an hour is open, and a hold ends when it says', async () => {
    const closesAt = new Date(Date.now() + 3_600_000).toISOString();
    const [long, short] = [
      await world.event(2, { closesAt, holdSeconds: 600 }),
      await world.event(2, { closesAt, holdSeconds: 1 }),
    ];
    const answer = await world.confirm(await world.order(long));
    expect(answer.body.code).toBe('confirmed');
    const lifeMs = Date.parse(answer.body.holdExpiresAt) - Date.now();
    expect(lifeMs).toBeGreaterThan(0);
    expect(lifeMs).toBeLessThanOrEqual(600_000);
    const { holdExpiresAt } = (await world.confirm(await world.order(short))).body;
    await until('the short one ended', async () => (await world.seats(short)).held === 0);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(holdExpiresAt));
    expect(await world.seats(long)).toMatchObject({ held: 1 });
  });
});
