// The ids that the sandbox gives out: repeatable by a seed, and else not met twice in one database.

import { describe, expect, it } from 'vitest';
import { Ids } from '../../src/sandbox/random.ts';

const RUNS = 2_000;
const IDS_A_RUN = 50;
/** Drawn as the sandbox draws, 48 bits wide, but the same in every run of this test. */
const seeds = Array.from({ length: RUNS }, (_, run) => (run * 0x9e37_79b9_7f4b) % 2 ** 48);

const drawn = (give: (ids: Ids) => string) =>
  seeds.flatMap((seed) => {
    const ids = new Ids(seed);
    return Array.from({ length: IDS_A_RUN }, () => give(ids));
  });

describe('ids', () => {
  it('of thousands of runs with seeds of their own are all different', () => {
    for (const give of [(ids: Ids) => ids.impUid(), (ids: Ids) => ids.uuid()]) {
      expect(new Set(drawn(give)).size).toBe(RUNS * IDS_A_RUN);
    }
  });

  it('look like those of PortOne', () => {
    const ids = drawn((ids) => ids.impUid());
    expect(ids.filter((id) => !/^imp_\d{12}$/.test(id))).toEqual([]);
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(drawn((ids) => ids.uuid()).filter((id) => !uuid.test(id))).toEqual([]);
  });

  it('differ by the upper half of the seed alone, and are the same for the same seed', () => {
    const first = (seed: number) => [new Ids(seed).impUid(), new Ids(seed).uuid()];
    const [imp, uuid] = first(5);
    const [otherImp, otherUuid] = first(5 + 2 ** 32);
    expect([otherImp, otherUuid]).not.toContain(imp);
    expect([otherImp, otherUuid]).not.toContain(uuid);
    expect(first(7)).toEqual(first(7));
  });
});
