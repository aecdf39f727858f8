import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TooManyWaiting } from '../../src/faults/too-many-waiting.ts';
import { Gatherer, Withdrawn } from '../../src/queue/gatherer.ts';

/** A far side that answers only when told to. */
function farSide() {
  const batches: { items: number[]; done: () => void; fail: (error: Error) => void }[] = [];
  const run = (items: number[]) =>
    new Promise<string[]>((resolve, reject) => {
      batches.push({ items, done: () => resolve(items.map((i) => `r${i}`)), fail: reject });
    });
  return { batches, run };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

function gatherer(over: { batchMax?: number; inFlightMax?: number; waitingMax?: number } = {}) {
  const far = farSide();
  const options = { batchMax: 4, inFlightMax: 1, waitingMax: 100, ...over };
  return { ...far, gather: new Gatherer<number, string>({ run: far.run, ...options }) };
}

describe('a gatherer', () => {
  test('the first goes at once; the rest go together when it is back', async () => {
    const { gather, batches } = gatherer();
    const results = Promise.all([1, 2, 3].map((i) => gather.add(i)));
    expect(batches.map((b) => b.items)).toEqual([[1]]);
    batches[0]?.done();
    await settle();
    expect(batches.map((b) => b.items)).toEqual([[1], [2, 3]]);
    batches[1]?.done();
    expect(await results).toEqual(['r1', 'r2', 'r3']);
    expect(gather.idle).toBe(true);
  });

  test('a batch takes no more than it may, and keeps the order', async () => {
    const { gather, batches } = gatherer({ batchMax: 3 });
    const results = Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((i) => gather.add(i)));
    for (let i = 0; i < 4; i += 1) {
      batches[i]?.done();
      await settle();
    }
    expect(batches.map((b) => b.items)).toEqual([[1], [2, 3, 4], [5, 6, 7], [8]]);
    expect(await results).toHaveLength(8);
  });

  test('no more batches are under way than allowed', async () => {
    const { gather, batches } = gatherer({ inFlightMax: 2 });
    const results = Promise.all([1, 2, 3, 4].map((i) => gather.add(i)));
    expect(batches.map((b) => b.items)).toEqual([[1], [2]]);
    batches[1]?.done();
    await settle();
    expect(batches.map((b) => b.items)).toEqual([[1], [2], [3, 4]]);
    for (const batch of batches) batch.done();
    expect(await results).toEqual(['r1', 'r2', 'r3', 'r4']);
  });

  test('withdrawn before it left: it never leaves', async () => {
    const { gather, batches } = gatherer();
    const stop = new AbortController();
    const first = gather.add(1);
    const second = gather.add(2, stop.signal);
    const third = gather.add(3);
    stop.abort();
    await expect(second).rejects.toBeInstanceOf(Withdrawn);
    batches[0]?.done();
    await settle();
    batches[1]?.done();
    expect(await Promise.all([first, third])).toEqual(['r1', 'r3']);
    expect(batches.flatMap((b) => b.items)).toEqual([1, 3]);
  });

  test('withdrawn before it was added: it never leaves either', async () => {
    const { gather, batches } = gatherer();
    await expect(gather.add(1, AbortSignal.abort())).rejects.toBeInstanceOf(Withdrawn);
    expect(batches).toEqual([]);
    expect(gather.idle).toBe(true);
  });

  test('withdrawn after it left: the answer comes all the same', async () => {
    const { gather, batches } = gatherer();
    const stop = new AbortController();
    const first = gather.add(1, stop.signal);
    stop.abort();
    batches[0]?.done();
    expect(await first).toBe('r1');
  });

  test('beyond what may wait it refuses, and nobody else is disturbed', async () => {
    const { gather, batches } = gatherer({ waitingMax: 2 });
    const taken = Promise.all([1, 2, 3].map((i) => gather.add(i)));
    await expect(gather.add(4)).rejects.toBeInstanceOf(TooManyWaiting);
    expect(gather.waitingCount).toBe(2);
    batches[0]?.done();
    await settle();
    batches[1]?.done();
    expect(await taken).toEqual(['r1', 'r2', 'r3']);
  });

  test('a batch that fails rejects its own items, and the next one goes on', async () => {
    const { gather, batches } = gatherer();
    const first = gather.add(1);
    const second = gather.add(2);
    batches[0]?.fail(new Error('far side away'));
    await expect(first).rejects.toThrow('far side away');
    await settle();
    batches[1]?.done();
    expect(await second).toBe('r2');
  });

  test('whatever is added and withdrawn: each stayer once, in order, with its own result', async () => {
    const step = fc.record({ leaves: fc.boolean(), answer: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(3), async (steps, extra) => {
        const { gather, batches } = gatherer({ batchMax: 3, inFlightMax: 1 + extra });
        let answered = 0;
        const answerNext = async () => {
          batches[answered]?.done();
          if (answered < batches.length) answered += 1;
          await settle();
        };
        const results: Promise<string | null>[] = [];
        for (const [i, { leaves, answer }] of steps.entries()) {
          const stop = new AbortController();
          results.push(gather.add(i, stop.signal).catch(() => null));
          if (leaves) stop.abort();
          if (answer) await answerNext();
        }
        while (!gather.idle) await answerNext();
        const sent = batches.flatMap((b) => b.items);
        expect(sent).toEqual([...sent].sort((a, b) => a - b));
        expect(new Set(sent).size).toBe(sent.length);
        const given = await Promise.all(results);
        given.forEach((result, i) => {
          expect(result).toBe(sent.includes(i) ? `r${i}` : null);
        });
      }),
      { numRuns: 50 },
    );
  });
});
