// A payment that never asked is judged by the moment at which it was paid, whenever it is told of.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Dialect } from '../../src/sandbox/types.ts';
import { Scene } from './scene.ts';
import { Stage } from './stage.ts';

const DIALECTS: Dialect[] = ['v1', 'v2-2024-01-01', 'v2-2024-04-25'];
const MINUTE_MS = 60_000;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.close());

/** Paid now; heard of two minutes later. */
async function bypassed(dialect: Dialect, moved: 'opens_at' | 'closes_at'): Promise<Scene> {
  const play = new Scene(stage, { dialect });
  await play.setUp();
  const between = new Date(stage.now.getTime() + MINUTE_MS);
  await stage.rows(`UPDATE events SET ${moved} = $1 WHERE slug = $2`, between, play.slug);
  const [paymentId = ''] = play.newPaymentIds(1);
  await play.pay(paymentId);
  stage.pass(2 * MINUTE_MS);
  for (const message of play.messages()) await stage.deliver(message);
  await play.settle();
  return play;
}

test.each(DIALECTS)(
  '%s paid before the opening, told of after it: the money goes back',
  async (dialect) => {
    const play = await bypassed(dialect, 'opens_at');
    expect(await play.final()).toMatchObject({
      sold: 0,
      kept: 0,
      refunds: ['done bypassed_not_open'],
    });
  },
);

test.each(DIALECTS)('%s paid in time, told of after the close: seated', async (dialect) => {
  const play = await bypassed(dialect, 'closes_at');
  expect(await play.final()).toMatchObject({ order: 'paid', sold: 1, refunds: [] });
});
