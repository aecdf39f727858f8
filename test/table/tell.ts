// Tells a story once: the acts in their order, the messages in the order under test.

import type { Dialect } from '../../src/sandbox/types.ts';
import { type Final, Scene } from './scene.ts';
import { sequences } from './sequences.ts';
import type { Stage } from './stage.ts';
import type { Story } from './stories.ts';

const PAYMENTS_MAX = 3;

/** `eager`: all has happened before the first message. `lazy`: each comes as soon as it can. */
export type Timing = 'eager' | 'lazy';

export interface Telling {
  sequence: number[];
  timing: Timing;
}

/** @returns every telling of the story; the one without any message is among them */
export async function tellingsOf(stage: Stage, story: Story, dialect: Dialect): Promise<Telling[]> {
  const scene = await begin(stage, story, dialect);
  const count = await messagesOf(scene, story);
  const orders = sequences(count);
  const silent: Telling[] = count > 0 ? [{ sequence: [], timing: 'eager' }] : [];
  const both = story.acts.length > 1 && count > 0;
  const once = (sequence: number[]) => sequence.length === count;
  return [
    ...silent,
    ...orders.map((sequence): Telling => ({ sequence, timing: 'eager' })),
    ...(both ? orders.filter(once).map((sequence): Telling => ({ sequence, timing: 'lazy' })) : []),
  ];
}

export async function tell(
  stage: Stage,
  story: Story,
  dialect: Dialect,
  { sequence, timing }: Telling,
  before: (stage: Stage) => void = () => undefined,
): Promise<{ scene: Scene; end: Final }> {
  const scene = await begin(stage, story, dialect);
  const ids = scene.newPaymentIds(PAYMENTS_MAX);
  let acted = 0;
  const act = async () => {
    await story.acts[acted]?.(scene, ids);
    acted += 1;
    // Two acts of one instant are told apart by what was sent in between.
    scene.messages();
  };
  before(stage);
  if (timing === 'eager') while (acted < story.acts.length) await act();
  for (const nth of sequence) {
    while (scene.messages().length <= nth && acted < story.acts.length) await act();
    const message = scene.messages()[nth];
    if (message !== undefined) await stage.deliver(message);
  }
  while (acted < story.acts.length) await act();
  await scene.settle();
  // Without a word from PortOne, what came after the hold was over shows in its books only.
  if (sequence.length === 0) await scene.reconcile();
  return { scene, end: await scene.final() };
}

async function begin(stage: Stage, story: Story, dialect: Dialect): Promise<Scene> {
  const scene = new Scene(stage, { dialect, ...story.options });
  await scene.setUp();
  return scene;
}

/** How many messages it has, found by playing it to nobody. */
async function messagesOf(scene: Scene, story: Story): Promise<number> {
  const ids = scene.newPaymentIds(PAYMENTS_MAX);
  for (const act of story.acts) await act(scene, ids);
  await scene.settle();
  return scene.messages().length;
}
