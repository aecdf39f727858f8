// The real refund command, as a process of its own, on the database of a running service.

import { spawn } from 'node:child_process';
import { userInfo } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { labels, seen } from '../support/buyer.ts';
import { askRefund, givenBack, refundBecomes, refundOf, sell } from '../support/refunds.ts';
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

function run(script: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', `src/cli/${script}.ts`, ...args],
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
const refund = (args: string[], env?: Record<string, string>) => run('refund', args, env);

test('a whole order: shown, refunded, done, on record with who and why', async () => {
  const { order, seats, event } = await sell(world, 2);
  const ended = await refund(['--order', order.merchantUid, '--reason', 'called off', '--yes']);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toContain(`Seats that go back: ${seats.join(', ')}`);
  expect(ended.stdout).toMatch(/Refund \d+, 20,000 KRW of order .*, is done\./);
  expect(givenBack(world, order)).toEqual([20_000]);
  const { body } = await world.call('GET', `/api/events/${event}/refunds`);
  expect(body.refunds).toMatchObject([
    { requestedBy: `organizer:cli:${userInfo().username}`, reason: 'called off', state: 'done' },
  ]);
  expect(await world.audit(event)).toMatchObject({ clean: true });
});

test('a dry run shows what would go back and changes nothing, without --yes or a reason', async () => {
  const { order, seats, paymentId } = await sell(world, 2);
  const [seat = ''] = seats;
  const args = ['--order', order.merchantUid, '--seat', seat, '--dry-run', '--json'];
  const ended = await refund(args);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(ended.stdout)).toEqual({
    ok: true,
    dryRun: true,
    order: order.merchantUid,
    paymentId,
    amount: 10_000,
    whole: false,
    seats: [seat],
  });
  expect(givenBack(world, order)).toEqual([]);
});

test('one seat and an amount: one JSON object and nothing else; the same again does nothing', async () => {
  const { order, seats } = await sell(world, 2);
  const [seat = '', other = ''] = seats;
  const args = ['--order', order.merchantUid, '--seat', seat, '--amount', '9000'];
  const all = [...args, '--reason', 'fee kept', '--yes', '--json'];
  const ended = await refund(all);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(ended.stdout)).toMatchObject({
    ok: true,
    refund: { state: 'done', amount: 9_000, seats: [seat] },
  });
  expect(labels(await seen(world, order))).toEqual([other]);
  // The seat is not sold to the order any more; the money did not go back once more.
  expect((await refund(all)).code).toBe(0);
  expect(givenBack(world, order)).toEqual([9_000]);
});

test('a virtual account: exit code 1 until the account is given, which is never printed', async () => {
  const extra = { virtualAccounts: { policy: 'allow' } };
  const { order } = await sell(world, 1, { method: 'vbank', extra });
  const asked = await refund(['--order', order.merchantUid, '--reason', 'r', '--yes']);
  expect(asked.code).toBe(1);
  expect(asked.stdout).toContain("needs the buyer's account");
  const listed = await refund(['--list', '--json']);
  const [open] = JSON.parse(listed.stdout).refunds;
  expect(open).toMatchObject({ merchantUid: order.merchantUid, state: 'needs_person' });
  expect((await refund(['--list'])).stdout).toContain('needs_account');
  const account = ['--bank', '004', '--account', '123-4567-890123', '--holder', 'Hong'];
  const given = await refund(['--id', String(open.id), ...account]);
  expect(given).toMatchObject({ code: 0, stderr: '' });
  expect(given.stdout).toContain('is done');
  expect(given.stdout).not.toMatch(/4567|Hong/);
  expect(givenBack(world, order)).toEqual([10_000]);
});

test('--withdraw, --retry and --by-hand with a note end what is open', async () => {
  const extra = { virtualAccounts: { policy: 'allow' } };
  const { order } = await sell(world, 1, { method: 'vbank', extra });
  const stuck = async (reason: string) => {
    const { body } = await askRefund(world, order, { reason });
    await refundBecomes(world, body.id, 'needs_person');
    return body.id as number;
  };
  const first = await stuck('one');
  expect((await refund(['--id', `${first}`, '--retry'])).code).toBe(1);
  expect((await refund(['--id', `${first}`, '--withdraw'])).stdout).toContain('withdrawn');
  const second = await stuck('two');
  const args = ['--id', `${second}`, '--by-hand', '--note', 'cash', '--yes'];
  const ended = await refund(args);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toContain('paid back by hand');
  expect(await refundOf(world, second)).toMatchObject({ byHand: true, note: 'cash' });
  expect(await refund(args)).toMatchObject({ code: 1, stderr: 'The refund is done.\n' });
});

test('release --refund: sold seats that are named are refunded', async () => {
  const { event, order, seats } = await sell(world, 2);
  const [seat = '', kept = ''] = seats;
  const args = ['--event', event, '--seat', seat, '--refund', '--reason', 'r', '--yes'];
  const ended = await run('release', [...args, '--json']);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  const answer = JSON.parse(ended.stdout);
  expect(answer).toMatchObject({
    ok: true,
    released: 0,
    sold: [],
    refunds: [{ amount: 10_000, seats: [seat] }],
    refused: [],
  });
  await refundBecomes(world, answer.refunds[0].id, 'done');
  expect(labels(await seen(world, order))).toEqual([kept]);
});

test('what cannot be refunded is told, exit code 1', async () => {
  const order = await world.order(await world.event(1));
  const args = ['--order', order.merchantUid, '--reason', 'r', '--yes'];
  expect(await refund(args)).toEqual({ code: 1, stdout: '', stderr: 'The order is not paid.\n' });
  const unknown = await refund(['--order', 'nobody', '--reason', 'r', '--yes', '--json']);
  expect(unknown.code).toBe(1);
  expect(JSON.parse(unknown.stdout)).toMatchObject({ ok: false, reason: 'unknown_order' });
});

test.each([
  ['nothing to do', ['--reason', 'r', '--yes'], 'Give one of --order, --list and --id'],
  ['two things to do', ['--order', 'o', '--list'], 'Give one of --order, --list and --id'],
  ['no reason', ['--order', 'o', '--yes'], 'Give a --reason'],
  ['nobody to ask', ['--order', 'o', '--reason', 'r'], 'add --yes'],
  ['half an account', ['--id', '1', '--bank', '004'], '--bank, --account and --holder together'],
  ['an odd amount', ['--order', 'o', '--amount', '1.5'], '1.5 is not a whole number'],
  ['no note', ['--id', '1', '--by-hand', '--yes'], 'note:'],
])('wrong usage (%s) is exit code 2 and touches nothing', async (_, args, complaint) => {
  const ended = await refund(args);
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(ended.stderr).toContain(complaint);
});
