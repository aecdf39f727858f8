// The real release command, as a process of its own, on the database of a running service.

import { spawn } from 'node:child_process';
import { userInfo } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld, type World } from '../support/world.ts';

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

let world: World;

beforeAll(async () => {
  world = await openWorld({ carrier: 'postgres' });
});
afterAll(() => world?.close());

function release(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', 'src/cli/release.ts', ...args],
      // Nothing of this process' own settings: what the command needs is in the world's.
      { env: { PATH: process.env.PATH ?? '', ...world.env, ...env }, stdio: 'pipe' },
    );
    const ended: Ended = { code: null, stdout: '', stderr: '' };
    child.stdin.end();
    child.stdout.on('data', (data) => {
      ended.stdout += data;
    });
    child.stderr.on('data', (data) => {
      ended.stderr += data;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ ...ended, code }));
  });
}

async function heldOrders(event: string, count: number) {
  const orders = await world.orders(event, count);
  for (const order of orders) expect((await world.confirm(order)).status).toBe(200);
  return orders;
}

test('an order: its seats come back, on record with who and why', async () => {
  const event = await world.event(5);
  const [first] = await heldOrders(event, 2);
  const merchantUid = first?.merchantUid ?? '';
  const ended = await release([
    '--event',
    event,
    '--order',
    merchantUid,
    '--reason',
    'buyer asked',
    '--yes',
  ]);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toContain('Released 1 seat of 1 order');
  expect(await world.seats(event)).toMatchObject({ available: 4, held: 1 });
  const [move] = await world.sql<{ actor: string; reason: string }>(
    `SELECT actor, reason FROM moves m JOIN events e ON e.id = m.event_id
      WHERE e.slug = $1 AND to_state = 'available'`,
    event,
  );
  expect(move).toEqual({
    actor: `organizer:cli:${userInfo().username}`,
    reason: 'buyer asked',
  });
  expect(await world.audit(event)).toMatchObject({ clean: true });
});

test('a dry run names the seats and changes nothing, and needs neither --yes nor a reason', async () => {
  const event = await world.event(3);
  const orders = await heldOrders(event, 2);
  const ended = await release(['--event', event, '--all-held', '--dry-run', '--json']);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(ended.stdout)).toEqual({
    ok: true,
    event,
    dryRun: true,
    released: 2,
    seats: orders.map((order, i) => ({
      label: `ga-${i + 1}`,
      ticketType: 'ga',
      merchantUid: order.merchantUid,
    })),
    kept: [],
    sold: [],
  });
  expect(await world.seats(event)).toMatchObject({ held: 2 });
});

test('several seats by label: one JSON object on stdout and nothing else anywhere', async () => {
  const event = await world.event(4);
  await heldOrders(event, 3);
  const args = ['--event', event, '--seat', 'ga-1', '--seat', 'ga-3', '--reason', 'r', '--yes'];
  const ended = await release([...args, '--json']);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout.trim().split('\n')).toHaveLength(1);
  const { released, seats } = JSON.parse(ended.stdout);
  expect(released).toBe(2);
  expect(seats.map((seat: { label: string }) => seat.label)).toEqual(['ga-1', 'ga-3']);
  expect(await world.seats(event)).toMatchObject({ available: 3, held: 1 });
});

test('a sold seat is left alone, and asking for it alone is a failure', async () => {
  const event = await world.event(2);
  const order = await world.order(event);
  const { merchantUid, amount } = order;
  const confirmUrl = world.local(order.confirmUrl);
  await world.sandbox.pay({ merchantUid, amount, confirmUrl });
  await expect.poll(() => world.seats(event)).toMatchObject({ sold: 1 });
  const ended = await release([
    '--event',
    event,
    '--seat',
    'ga-1',
    '--reason',
    'r',
    '--yes',
    '--json',
  ]);
  expect(ended.code).toBe(1);
  expect(JSON.parse(ended.stdout)).toMatchObject({
    ok: false,
    released: 0,
    sold: [{ label: 'ga-1', merchantUid }],
  });
  expect(await world.seats(event)).toMatchObject({ sold: 1 });
});

test('--overdue with nothing overdue releases nothing and is no failure', async () => {
  const event = await world.event(2);
  await heldOrders(event, 1);
  const ended = await release(['--event', event, '--overdue', '--reason', 'r', '--yes']);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toContain(`Nothing of ${event} was released.`);
  expect(await world.seats(event)).toMatchObject({ held: 1 });
});

test('an unknown event, order or seat is named, exit code 1, and nothing is released', async () => {
  const event = await world.event(2);
  const [order] = await heldOrders(event, 1);
  const merchantUid = order?.merchantUid ?? '';
  const unknownEvent = await release(['--event', 'nowhere', '--all-held', '--dry-run']);
  expect(unknownEvent).toMatchObject({ code: 1, stdout: '' });
  expect(unknownEvent.stderr).toBe('There is no event nowhere.\n');
  const args = ['--event', event, '--order', merchantUid, '--order', 'ghost', '--reason', 'r'];
  const unknownOrder = await release([...args, '--yes', '--json']);
  expect(unknownOrder.code).toBe(1);
  expect(JSON.parse(unknownOrder.stdout)).toMatchObject({ ok: false, missing: ['order ghost'] });
  expect(await world.seats(event)).toMatchObject({ held: 1 });
});

test.each([
  ['no target', ['--reason', 'r', '--yes'], 'Give one of --order'],
  ['two targets', ['--overdue', '--all-held', '--reason', 'r', '--yes'], 'Give one of --order'],
  ['no reason', ['--all-held', '--yes'], 'Give a --reason'],
  ['nobody to ask', ['--all-held', '--reason', 'r'], 'add --yes'],
  ['an unknown option', ['--everything'], "unknown option '--everything'"],
])('wrong usage (%s) is exit code 2 and touches nothing', async (_, args, complaint) => {
  const ended = await release(['--event', 'any', ...args]);
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(ended.stderr).toContain(complaint);
});

test('a wrong configuration is exit code 2; a database that is away is exit code 1', async () => {
  const args = ['--event', 'any', '--all-held', '--dry-run', '--json'];
  const wrong = await release(args, { LOCK_TIMEOUT_MS: '9999999' });
  expect(wrong.code).toBe(2);
  expect(JSON.parse(wrong.stdout)).toMatchObject({ ok: false });
  const away = await release(args, { DATABASE_URL: 'postgresql://postgres@127.0.0.1:9/none' });
  expect(away.code).toBe(1);
  expect(away.stderr).toContain('The database cannot be reached');
  expect(away.stderr).not.toMatch(/\n\s+at /);
});
