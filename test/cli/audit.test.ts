// The real audit command, as a process of its own, on the database of a running service.

import { execFile } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { becomes, pay } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld({ carrier: 'postgres' });
});
afterAll(() => world?.close());

function audit(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', 'src/cli/audit.ts', ...args],
      { env: { PATH: process.env.PATH ?? '', ...world.env } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

test('no event at all is clean', async () => {
  const ended = await audit();
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toContain('nothing to check');
});

test('clean events: exit code 0, each law in plain words; then a broken one is found', async () => {
  const good = await world.event(3);
  const bad = await world.event(3);
  for (const event of [good, bad]) {
    expect((await world.confirm(await world.order(event))).status).toBe(200);
  }
  const clean = await audit();
  expect(clean).toMatchObject({ code: 0, stderr: '' });
  expect(clean.stdout).toContain('No seat is given to two orders');
  expect(clean.stdout).toContain('Clean: 2 events, every law held.');

  await world.sql(`UPDATE events SET last_position = last_position + 1 WHERE slug = $1`, bad);
  const broken = await audit('--json');
  expect(broken).toMatchObject({ code: 1, stderr: '' });
  expect(broken.stdout.trim().split('\n')).toHaveLength(1);
  const { clean: all, events } = JSON.parse(broken.stdout);
  expect(all).toBe(false);
  expect(events[good]).toMatchObject({ clean: true, positionGaps: 0 });
  expect(events[bad]).toMatchObject({ clean: false, positionGaps: 1 });

  const told = await audit('--event', bad);
  expect(told.code).toBe(1);
  expect(told.stdout).toMatch(/FAIL {2}positionGaps .*: 1 violation\n/);
  expect(await audit('--event', good)).toMatchObject({ code: 0 });
});

test('an unknown event is exit code 1, wrong usage 2', async () => {
  const unknown = await audit('--event', 'nowhere', '--json');
  expect(unknown.code).toBe(1);
  expect(JSON.parse(unknown.stdout)).toEqual({
    clean: false,
    error: 'There is no event nowhere.',
  });
  expect(await audit('--everything')).toMatchObject({ code: 2, stdout: '' });
});

test('the money is added up, and what waits for the organizer is told and is no violation', async () => {
  const event = await world.event(2);
  const order = await world.order(event, [{ ticketType: 'ga', quantity: 2 }]);
  const { paymentId } = await pay(world, order);
  await becomes(world, order, 'paid');
  world.sandbox.cancelInConsole(paymentId, 5_000);
  const id = await until('a case is open', async () => {
    const { body } = await world.call('GET', `/api/events/${event}/cases?open=true`);
    return body.cases[0]?.id;
  });
  const told = await audit('--event', event);
  expect(told).toMatchObject({ code: 0, stderr: '' });
  expect(told.stdout).toContain('15,000 won kept: 20,000 won paid, 5,000 won back');
  expect(told.stdout).toContain('seats sold for 20,000 won');
  expect(told.stdout).toContain('1 open (-5,000 won)');
  expect(told.stdout).toContain('unexplained 0 won');
  expect(told.stdout).toContain(`partial_cancel ${id}, order ${order.merchantUid}`);
  expect(told.stdout).toContain(`POST /api/cases/${id}/close`);
  expect(JSON.parse((await audit('--event', event, '--json')).stdout)).toMatchObject({
    clean: true,
    events: { [event]: { money: [{ kept: 15_000, openCases: { count: 1 }, difference: 0 }] } },
  });

  await world.sql('UPDATE cases SET closed_at = now(), closed_by = $1 WHERE id = $2', 'nobody', id);
  const unexplained = await audit('--event', event);
  expect(unexplained.code).toBe(1);
  expect(unexplained.stdout).toMatch(/FAIL {2}moneyAstray .*: 1 violation\n/);
  expect(unexplained.stdout).toContain('unexplained -5,000 won');
});
