// Two workers decide at once. Each guard is left alone on a clone of its own and must suffice;
// with every one taken out the disaster must happen, or the test would prove nothing.

import { afterEach, describe, expect, test } from 'vitest';
import type { EnrolledRequest } from '../../src/confirm/batch.ts';
import type { Verdict } from '../../src/confirm/verdict.ts';
import { request, Sale } from '../support/sale.ts';
import { Barrier, type Edit, tamper } from '../support/tamper.ts';

type Guard = { edit: Edit } | { drop: string };

const GUARDS = {
  'the lock of the event': { edit: { file: 'lock_event', from: 'FOR NO KEY UPDATE', to: '' } },
  'the state of the seat': {
    edit: { file: 'write_batch', from: /(WHERE s\.id = c\.seat_id) AND .+/, to: '$1' },
  },
  'the status of the order': {
    edit: { file: 'write_batch', from: "AND o.status = 'pending'", to: '' },
  },
  'the count of positions': {
    edit: { file: 'write_batch', from: 'AND last_position = $3', to: 'AND $3::int IS NOT NULL' },
  },
  'one verdict a position': { drop: 'DROP INDEX verdicts_event_id_position_key' },
  'one verdict a payment': { drop: 'ALTER TABLE verdicts DROP CONSTRAINT verdicts_pkey' },
  'one live hold an order': { drop: 'DROP INDEX holds_one_live_per_order' },
} satisfies Record<string, Guard>;

type GuardName = keyof typeof GUARDS;

let sale: Sale | undefined;
afterEach(() => sale?.close());

/** Both workers have read before either writes, unless a lock keeps one of them out. */
async function bothAtOnce(
  standing: GuardName | null,
  size: { seats: number; orders: number },
  batches: [EnrolledRequest[], EnrolledRequest[]],
): Promise<{ sale: Sale; verdicts: [Verdict[], Verdict[]] }> {
  const gone = Object.entries(GUARDS)
    .filter(([name]) => name !== standing)
    .map(([, guard]) => guard as Guard);
  const without = gone.flatMap((guard) => ('drop' in guard ? [guard.drop] : []));
  const edits = gone.flatMap((guard) => ('edit' in guard ? [guard.edit] : []));
  const opened = await Sale.open({ ...size, without });
  sale = opened;
  const barrier = new Barrier(2, async () => (await opened.waiting()) > 0);
  const decide = (batch: EnrolledRequest[]) => {
    let first = true;
    const before = (file: string) => {
      if (file !== 'write_batch' || !first) return undefined;
      first = false;
      return barrier.arrive();
    };
    return opened.decide(batch, tamper(opened.another(), { edits, before }));
  };
  const verdicts = await Promise.all([decide(batches[0]), decide(batches[1])]);
  return { sale: opened, verdicts };
}

describe('the last seat, wanted by two orders at two workers', () => {
  const race = (standing: GuardName | null) =>
    bothAtOnce(standing, { seats: 1, orders: 2 }, [
      [request('order-1', 'pay-1')],
      [request('order-2', 'pay-2')],
    ]);
  const enough: GuardName[] = [
    'the lock of the event',
    'the state of the seat',
    'the count of positions',
    'one verdict a position',
  ];

  test.each(enough)('%s alone: one is confirmed, the other is not', async (guard) => {
    const { sale, verdicts } = await race(guard);
    const codes = verdicts.flat().map((v) => v.code);
    expect(codes.sort()).toEqual(['all_held', 'confirmed']);
    expect(await sale.audit()).toMatchObject({ oversold: 0, orphanHolds: 0, positionGaps: 0 });
  });

  test('CONTROL no guard: two buyers are confirmed for one seat', async () => {
    const { sale, verdicts } = await race(null);
    expect(verdicts.flat().map((v) => v.code)).toEqual(['confirmed', 'confirmed']);
    expect(await sale.count('seats')).toBe(1);
    expect(await sale.count("holds WHERE state = 'held'")).toBe(2);
    expect(await sale.audit()).toMatchObject({ clean: false, orphanHolds: 1 });
  });
});

describe('one payment, asked about at two workers', () => {
  const race = (standing: GuardName | null) =>
    bothAtOnce(standing, { seats: 2, orders: 1 }, [
      [request('order-1', 'pay-1')],
      [request('order-1', 'pay-1')],
    ]);

  test.each(Object.keys(GUARDS) as GuardName[])('%s alone: one hold, one answer', async (guard) => {
    const { sale, verdicts } = await race(guard);
    expect(verdicts[0]).toEqual(verdicts[1]);
    expect(verdicts[0][0]?.code).toBe('confirmed');
    expect(await sale.count('holds')).toBe(1);
    expect(await sale.count('verdicts')).toBe(1);
    expect(await sale.audit()).toMatchObject({ clean: true });
  });

  test('CONTROL no guard: two verdicts and two holds for one payment', async () => {
    const { sale } = await race(null);
    expect(await sale.count('holds')).toBe(2);
    expect(await sale.count("verdicts WHERE payment_id = 'pay-1'")).toBe(2);
    expect((await sale.audit()).clean).toBe(false);
  });
});

describe('one order, paid twice at two workers', () => {
  const race = (standing: GuardName | null) =>
    bothAtOnce(standing, { seats: 2, orders: 1 }, [
      [request('order-1', 'pay-1')],
      [request('order-1', 'pay-2')],
    ]);
  const enough = (Object.keys(GUARDS) as GuardName[]).filter((g) => g !== 'one verdict a payment');

  test.each(enough)('%s alone: the hold moves to the later payment', async (guard) => {
    const { sale, verdicts } = await race(guard);
    const [a, b] = verdicts.flat();
    if (a?.code !== 'confirmed' || b?.code !== 'confirmed') throw new Error('both hold the seat');
    expect(a.holdId).toBe(b.holdId);
    expect(await sale.count('holds')).toBe(1);
    expect(await sale.count("seats WHERE state = 'held'")).toBe(1);
    const later = a.position > b.position ? 'pay-1' : 'pay-2';
    expect(await sale.count(`holds WHERE payment_id = '${later}'`)).toBe(1);
    expect(await sale.audit()).toMatchObject({ clean: true });
  });

  test('CONTROL no guard: the order has two live holds', async () => {
    const { sale } = await race(null);
    expect(await sale.count("holds WHERE state = 'held'")).toBe(2);
    expect((await sale.audit()).oversold).toBeGreaterThan(0);
  });
});

describe('one batch, run twice because its job stalled', () => {
  const batch = [1, 2, 3, 4, 5, 6].map((n) => request(`order-${n}`, `pay-${n}`));
  const race = (standing: GuardName | null) =>
    bothAtOnce(standing, { seats: 4, orders: 6 }, [batch, batch]);

  test.each(Object.keys(GUARDS) as GuardName[])('%s alone: the same verdicts', async (guard) => {
    const { sale, verdicts } = await race(guard);
    // The time at which the next hold ends is told once, to whoever is refused the first time.
    const told = verdicts.map((run) => run.map((v) => [v.code, v.position]));
    expect(told[0]).toEqual(told[1]);
    expect(told[0]).toEqual([
      ['confirmed', 1],
      ['confirmed', 2],
      ['confirmed', 3],
      ['confirmed', 4],
      ['all_held', 5],
      ['all_held', 6],
    ]);
    expect(await sale.count('verdicts')).toBe(6);
    expect(await sale.audit()).toMatchObject({ clean: true });
  });

  test('CONTROL no guard: every request is decided twice', async () => {
    const { sale } = await race(null);
    expect(await sale.count('verdicts')).toBe(12);
    expect(await sale.count('holds')).toBe(8);
    expect((await sale.audit()).clean).toBe(false);
  });
});

test('forty workers fight for three seats: three are confirmed, positions have no gap', async () => {
  const opened = await Sale.open({ seats: 3, orders: 40 });
  sale = opened;
  const pools = [opened.database, opened.another(), opened.another()];
  const verdicts = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      opened.decide([request(`order-${i + 1}`, `pay-${i + 1}`)], pools[i % pools.length]),
    ),
  );
  const codes = verdicts.flat().map((v) => v.code);
  expect(codes.filter((code) => code === 'confirmed')).toHaveLength(3);
  expect(codes.filter((code) => code === 'all_held')).toHaveLength(37);
  const confirmed = verdicts.flat().flatMap((v) => (v.code === 'confirmed' ? [v.position] : []));
  expect(confirmed.sort()).toEqual([1, 2, 3]);
  expect(await opened.audit()).toMatchObject({ clean: true });
});
