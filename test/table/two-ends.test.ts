// Stories whose end depends on what was known when money went back: a refund that was made is not
// unmade. Money and seats agree in each end, and no other end is lawful.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Dialect } from '../../src/sandbox/types.ts';
import type { Final } from './scene.ts';
import { Stage } from './stage.ts';
import type { Act, Story } from './stories.ts';
import { tell, tellingsOf } from './tell.ts';

const TIMEOUT_MS = 120_000;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.close());

const buy =
  (n: number, buyer: 'pay' | 'decline' | 'vanish'): Act =>
  async (scene, ids) => {
    await scene.confirm(ids[n] ?? '');
    await scene.pay(ids[n] ?? '', { buyer });
  };
const approve =
  (n: number): Act =>
  (scene, ids) =>
    scene.stage.sandbox.approve(ids[n] ?? '');
const cancel =
  (n: number): Act =>
  (scene, ids) =>
    scene.stage.sandbox.cancelInConsole(ids[n] ?? '');
const timePasses: Act = async (scene) => {
  scene.stage.pass(600_000);
  await scene.stage.turn();
  await scene.stage.turn();
};

/** Whoever saw it paid has a refund on record; the order is refunded in any case. */
const CANCELLED_UNSEEN: Story = {
  name: 'paid after its hold was over, seats gone, cancelled in the console at once',
  acts: [buy(0, 'vanish'), timePasses, (s) => s.othersTakeAll(), approve(0), cancel(0)],
  end: {},
};
/** The first payment has the seat, unless it went back as paid twice before the second was cancelled. */
const CANCELLED_THE_SOLD_ONE: Story = {
  name: 'failed, the second attempt paid, the first paid after all, the second cancelled',
  acts: [buy(0, 'decline'), buy(1, 'pay'), approve(0), cancel(1)],
  end: {},
};

const REFUNDED = { order: 'refunded', sold: 0, kept: 0, cases: [], balance: 0 };
const SEATED = { order: 'paid', sold: 1, kept: 1_000, cases: [], balance: 0 };

/** The different ends of all tellings, each message delivered once. */
async function endsOf(story: Story, dialect: Dialect): Promise<Omit<Final, 'refunds'>[]> {
  const ends = new Map<string, Omit<Final, 'refunds'>>();
  for (const telling of await tellingsOf(stage, story, dialect)) {
    if (new Set(telling.sequence).size < telling.sequence.length) continue;
    const { scene } = await tell(stage, story, dialect, telling);
    const { refunds: _, ...end } = await scene.final();
    ends.set(JSON.stringify(end), end);
    expect(await stage.audit(scene.slug)).toMatchObject({ clean: true });
  }
  return [...ends.values()];
}

test.each<Dialect>(['v1', 'v2-2024-04-25'])(
  `%s ${CANCELLED_UNSEEN.name}: refunded`,
  async (dialect) => {
    expect(await endsOf(CANCELLED_UNSEEN, dialect)).toEqual([REFUNDED]);
  },
  TIMEOUT_MS,
);

test(
  `v1 ${CANCELLED_THE_SOLD_ONE.name}: the first has the seat, or nobody has seat or money`,
  async () => {
    const ends = await endsOf(CANCELLED_THE_SOLD_ONE, 'v1');
    expect(ends).toHaveLength(2);
    expect(ends).toEqual(expect.arrayContaining([REFUNDED, SEATED]));
  },
  TIMEOUT_MS,
);
