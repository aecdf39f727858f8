// What an operator is woken by: money that waits for somebody, and a database that is away.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { createMetrics } from '../../src/operations/metrics.ts';
import { askRefund, refundBecomes, refundIsPutOff, sell, sellMore } from '../support/refunds.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld({ carrier: 'postgres', env: { SWEEP_INTERVAL_MS: '100' } });
});
afterAll(() => world?.close());

const scrape = async (): Promise<string> => (await world.call('GET', '/metrics')).body;

async function figure(name: string): Promise<number | undefined> {
  const line = (await scrape()).split('\n').find((one) => one.startsWith(`seatline_${name} `));
  return line === undefined ? undefined : Number(line.split(' ')[1]);
}

const shows = (name: string, value: number) =>
  until(`${name} is ${value}`, async () => (await figure(name)) === value);

test('a refund is counted by what it waits for, and no more once it is done', async () => {
  const sale = await sell(world, 1, { total: 3 });
  expect(await figure('open_refunds{waits_for="portone"}')).toBe(0);
  const mend = world.sandbox.faults.rest({ kind: 'pg_error', endpoint: 'cancel' });
  const { id } = (await askRefund(world, sale.order)).body;
  await refundIsPutOff(world, id, /./);
  await shows('open_refunds{waits_for="portone"}', 1);
  const stuck =
    "UPDATE refunds SET state = 'needs_person', last_error = 'no agreement' WHERE id = $1";
  await world.sql(stuck, id);
  await shows('open_refunds{waits_for="mending"}', 1);
  expect(await figure('open_refunds{waits_for="portone"}')).toBe(0);
  mend();
  await world.call('POST', `/api/refunds/${id}/retry`, {});
  await refundBecomes(world, id, 'done');
  await shows('open_refunds{waits_for="mending"}', 0);

  const account = await sellMore(
    world,
    await world.event(1, { virtualAccounts: { policy: 'allow' } }),
    1,
    {
      method: 'vbank',
    },
  );
  await refundBecomes(world, (await askRefund(world, account.order)).body.id, 'needs_person');
  await shows('open_refunds{waits_for="organizer"}', 1);
});

test('a case is counted by its kind until it is closed', async () => {
  const { event, paymentId } = await sell(world, 2);
  world.sandbox.cancelInConsole(paymentId, 5_000);
  await shows('open_cases{kind="partial_cancel"}', 1);
  const { cases } = (await world.call('GET', `/api/events/${event}/cases?open=true`)).body;
  await world.call('POST', `/api/cases/${cases[0].id}/close`, { note: 'let stand' });
  await shows('open_cases{kind="partial_cancel"}', 0);
});

test('webhooks that nobody works are overdue, and those that PortOne is silent about are not', async () => {
  const lag = 'webhook_lag_seconds{state="pending"}';
  const forged = { imp_uid: 'imp_nobody', merchant_uid: '', status: 'paid' };
  const order = await world.order(await world.event(1));
  await world.call('POST', '/webhook', { ...forged, merchant_uid: order.merchantUid });
  await until('it is asked about, in vain', async () => {
    const [row] = await world.sql<{ tries: number }>(
      'SELECT tries FROM webhooks WHERE merchant_uid = $1 AND next_try_at > now()',
      order.merchantUid,
    );
    return (row?.tries ?? 0) > 0;
  });
  await shows(lag, 0);
  const idle = await openWorld({ carrier: 'postgres', env: { ROLE: 'api' } });
  try {
    const waiting = {
      ...forged,
      merchant_uid: (await idle.order(await idle.event(1))).merchantUid,
    };
    expect((await idle.call('POST', '/webhook', waiting)).status).toBe(200);
    await until('it is overdue', async () => {
      const text: string = (await idle.call('GET', '/metrics')).body;
      const line = text.split('\n').find((one) => one.startsWith(`seatline_${lag} `));
      return Number(line?.split(' ')[1]) > 0.2;
    });
  } finally {
    await idle.close();
  }
});

test('a database that is away takes its own figures along, and no others', async () => {
  const { database, clock } = world.service.dependencies;
  const away: Database = { ...database, query: () => Promise.reject(new Error('away')) };
  const text = await createMetrics(away, clock).registry.metrics();
  expect(text).toContain('seatline_verdicts_total{code="unavailable"} 0');
  expect(text).not.toMatch(/^seatline_(holds|open_|webhook_)\w*\{/m);
  expect(await scrape()).toMatch(/^seatline_holds\{state="held"\} \d/m);
});
