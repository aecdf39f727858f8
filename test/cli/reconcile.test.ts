// The real reconcile command, as a process of its own, on the database of a running service.

import { execFile } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pay, seen } from '../support/buyer.ts';
import { openWorld, type World } from '../support/world.ts';

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

let world: World;

beforeAll(async () => {
  world = await openWorld({ carrier: 'postgres', env: { RECONCILE_INTERVAL_MS: '0' } });
});
afterAll(() => world?.close());

function reconcile(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', 'src/cli/reconcile.ts', ...args],
      { env: { PATH: process.env.PATH ?? '', ...world.env, ...env } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

test('a dry run tells what differs, the run mends it, and then both sides agree', async () => {
  const event = await world.event(2, { holdSeconds: 3_000 });
  const order = await world.order(event);
  const { paymentId } = await pay(world, order, { webhookUrl: null });

  const dry = await reconcile(['--event', event, '--dry-run']);
  expect(dry).toMatchObject({ code: 1, stderr: '' });
  expect(dry.stdout).toContain('(dry run)');
  expect(dry.stdout).toContain('1 difference to be mended; nothing was changed.');
  expect((await seen(world, order)).status).toBe('held');

  const run = await reconcile(['--event', event]);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  expect(run.stdout).toContain('1 payment compared, 1 difference found');
  expect(run.stdout).toMatch(new RegExp(`${order.merchantUid} +${paymentId} +paid at PortOne`));
  expect(run.stdout).toContain('its seats were sold to it');
  expect(run.stdout).toMatch(/PortOne +10,000 +0 +10,000\n +here +10,000 +0 +10,000 +agree/);
  expect(run.stdout.trim().endsWith('Both sides agree.')).toBe(true);
  expect((await seen(world, order)).status).toBe('paid');

  const from = new Date(Date.now() - 89 * 86_400_000).toISOString();
  const wide = await reconcile(['--event', event, '--from', from, '--json']);
  expect(wide).toMatchObject({ code: 0, stderr: '' });
  expect(wide.stdout.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(wide.stdout)).toMatchObject({ event, findings: [], agree: true, from });
});

test('every event at once; a difference that only a person can settle is exit code 1', async () => {
  const event = await world.event(1);
  const order = await world.order(event);
  await world.sql(
    `INSERT INTO payments (payment_id, gateway, order_id, status, amount, currency, read_at)
     SELECT 'imp_nowhere', 'v1', id, 'paid', amount, currency, now() FROM orders WHERE merchant_uid = $1`,
    order.merchantUid,
  );
  const run = await reconcile([]);
  expect(run).toMatchObject({ code: 1, stderr: '' });
  expect(run.stdout).toMatch(/^Every event, /);
  expect(run.stdout).toMatch(/imp_nowhere .*no such payment .*a case is open for the organizer/);
  expect(run.stdout).toMatch(/DIFFER/);
  expect(run.stdout.trim().endsWith('1 difference left.')).toBe(true);
});

test('PortOne that cannot be reached is exit code 1, and says so', async () => {
  const env = { PORTONE_V1_URL: 'http://127.0.0.1:1' };
  const run = await reconcile(['--json'], env);
  expect(run).toMatchObject({ code: 1 });
  expect(JSON.parse(run.stdout)).toMatchObject({ complete: false, agree: false });
});

test('payments of a version without credentials were not compared: exit code 1', async () => {
  const event = await world.event(1);
  const order = await world.order(event);
  await pay(world, order, { dialect: 'v2-2024-04-25', webhookUrl: null });
  const run = await reconcile(['--event', event], { PORTONE_V2_SECRET: '' });
  expect(run).toMatchObject({ code: 1, stderr: '' });
  expect(run.stdout).toContain('1 payment of a PortOne version without credentials: not compared.');
  expect(await reconcile(['--event', event])).toMatchObject({ code: 0 });
});

test('an unknown event is exit code 1; wrong usage, or nobody to ask, 2', async () => {
  const unknown = await reconcile(['--event', 'nowhere', '--json']);
  expect(unknown.code).toBe(1);
  expect(JSON.parse(unknown.stdout)).toEqual({
    agree: false,
    error: 'There is no event nowhere.',
  });
  expect(await reconcile(['--everything'])).toMatchObject({ code: 2, stdout: '' });
  expect(await reconcile(['--from', 'yesterday'])).toMatchObject({ code: 2, stdout: '' });
  const backwards = await reconcile(['--from', '2026-02-02', '--to', '2026-02-01']);
  expect(backwards).toMatchObject({ code: 2, stdout: '' });
  const nobody = await reconcile([], {
    PORTONE_V1_KEY: '',
    PORTONE_V1_SECRET: '',
    PORTONE_V2_SECRET: '',
  });
  expect(nobody).toMatchObject({ code: 2, stdout: '' });
  expect(nobody.stderr).toContain('credentials');
});
