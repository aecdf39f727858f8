// The table: every story in one dialect, told in every order, with and without faults.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/sandbox/types.ts';
import { FAULTS, type Fault, HASTY_MS, UNDER_FAULTS } from './faults.ts';
import { Stage } from './stage.ts';
import { STORIES, type Story } from './stories.ts';
import { type Telling, tell, tellingsOf } from './tell.ts';

const BEFORE = { refunds: [], cases: [], balance: 0 };
const STORY_MS = 360_000;

/** @param faults none where another dialect's table has asked the same calls of PortOne already */
export function table(dialect: Dialect, faults: Fault[] = FAULTS): void {
  const stories = STORIES.filter(({ only }) => !only || (only === 'v1') === (dialect === 'v1'));
  const faulty = UNDER_FAULTS.flatMap((name) =>
    faults
      .filter(({ only }) => only === undefined || only.includes(name))
      .map((fault) => ({
        name,
        fault,
        story: stories.find((story) => story.name === name),
      })),
  );
  let stage: Stage;
  /** Where calls hang nobody waits for them as long as elsewhere. */
  let hasty: Stage | null = null;
  beforeAll(async () => {
    stage = await Stage.open();
    if (faulty.some(({ fault }) => fault.hangs)) hasty = await Stage.open(HASTY_MS);
  });
  afterAll(async () => {
    await stage?.close();
    await hasty?.close();
  });

  async function check(stage: Stage, story: Story, telling: Telling, fault?: Fault): Promise<void> {
    const wanted = { ...BEFORE, ...story.end };
    const { scene, end } = await tell(stage, story, dialect, telling, fault?.strike);
    const what = `${telling.timing} ${telling.sequence.join('')}`;
    expect({ what, ...end }).toEqual({ what, ...wanted });
    // Planning the audit costs more than a telling; repeats of a message are left out.
    if (isRepetitive(telling)) return;
    expect({ what, ...(await stage.audit(scene.slug)) }).toMatchObject({ what, clean: true });
  }

  describe(`${dialect}: the same end, whatever the order and repetition of messages`, () => {
    test.each(stories)(
      `${dialect} $name`,
      async (story) => {
        for (const telling of await tellingsOf(stage, story, dialect))
          await check(stage, story, telling);
      },
      STORY_MS,
    );
  });

  if (faulty.length === 0) return;
  describe(`${dialect}: the same end, whatever is wrong with PortOne meanwhile`, () => {
    test.each(faulty)(
      `${dialect} $name, while $fault.name`,
      async ({ story, fault }) => {
        if (!story) throw new Error('no such story');
        const on = fault.hangs ? hasty : stage;
        if (on === null) throw new Error('no stage');
        const tellings = await tellingsOf(on, story, dialect);
        for (const telling of tellings.filter((t) => !isRepetitive(t))) {
          await check(on, story, telling, fault);
          on.sandbox.faults.clear();
        }
      },
      STORY_MS,
    );
  });
}

function isRepetitive({ sequence }: Telling): boolean {
  return new Set(sequence).size < sequence.length;
}
