// By schedule, with a payment that cannot be read: it is asked about again, and the others are not.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { reconcileBySchedule } from '../../src/reconciliation/schedule.ts';
import { becomes, books, inboxEmpty, pay, seen } from '../support/buyer.ts';
import { openWorld, type World } from '../support/world.ts';

const HOUR_MS = 3_600_000;
/** Counts on real time: PortOne's books are stamped with it. */
const START_MS = Date.now();
let world: World;

beforeAll(async () => {
  const env = { RECONCILE_INTERVAL_MS: '0' };
  world = await openWorld({ carrier: 'postgres', env });
});
afterAll(() => world?.close());

interface Run {
  hours: number;
  complete: boolean;
  error: string | null;
  findings: { paymentId: string; repair: string; outcome: string | null }[];
}

async function runAt(hours: number): Promise<Run> {
  const { dependencies } = world.service;
  const clock = { now: () => new Date(START_MS + hours * HOUR_MS) };
  const options = { ...dependencies, clock, intervalMs: HOUR_MS, settleMs: 0 };
  expect(await reconcileBySchedule(options)).toBe(1);
  const [run] = await world.sql<Run>(
    `SELECT (extract(epoch FROM to_at - from_at) / 3600)::int AS hours, error,
            (findings->'complete')::bool AS complete, findings->'list' AS findings
       FROM reconciliations ORDER BY id DESC LIMIT 1`,
  );
  if (!run) throw new Error('no run is on record');
  return run;
}

test('it is named until there is an answer, and the window goes on without it', async () => {
  const event = await world.event(1, { holdSeconds: 3_000 });
  const order = await world.order(event);
  await pay(world, order);
  await becomes(world, order, 'paid');
  await inboxEmpty(world, order);
  const paymentId = books(world, order)[0]?.paymentId ?? '';
  world.sandbox.faults.webhooksSilenced = true;
  expect(world.sandbox.cancelInConsole(paymentId)).toMatchObject({ cancelled: true });
  const mend = world.sandbox.faults.rest({ kind: 'pg_error', endpoint: 'payment', world: 'v1' });
  const unread = {
    complete: true,
    error: '1 payment could not be compared',
    findings: [{ paymentId, repair: 'failed' }],
  };
  // The first looks a day back, the second a week, as once a day, and the others at what is new.
  expect(await runAt(1)).toMatchObject({ ...unread, hours: 24 });
  expect(await runAt(4)).toMatchObject({ ...unread, hours: 24 * 7 });
  expect(await runAt(7)).toMatchObject({ ...unread, hours: 4 });
  mend();
  expect((await seen(world, order)).status).toBe('paid');
  expect(await runAt(10)).toMatchObject({
    hours: 4,
    error: null,
    findings: [{ paymentId, repair: 'settled', outcome: 'refunded' }],
  });
  expect((await seen(world, order)).status).toBe('refunded');
  expect(await runAt(13)).toMatchObject({ hours: 4, error: null, findings: [] });
});
