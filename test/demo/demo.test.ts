// The demo as a stranger runs it, small: every law held, one JSON object, nothing left behind.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { onServer } from '../support/global-setup.ts';

/** A sale takes its time, and the machine may be busy with other tests. */
vi.setConfig({ testTimeout: 180_000 });

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seatline-demo-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function demo(args: string[], env: Record<string, string> = {}) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', 'src/cli/demo.ts', ...args],
      { env: { PATH: process.env.PATH ?? '', DATABASE_URL: inject('postgresUrl'), ...env } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

async function demoDatabases(): Promise<number> {
  let count = -1;
  await onServer(inject('postgresUrl'), async (client) => {
    const rows = await client.query(
      "SELECT 1 FROM pg_database WHERE starts_with(datname, 'seatline_demo_')",
    );
    count = rows.rowCount ?? -1;
  });
  return count;
}

async function demoKeys(): Promise<number> {
  const redis = new Redis(inject('redisUrl'));
  try {
    return (await redis.keys('demo-*')).length;
  } finally {
    redis.disconnect();
  }
}

interface Sums {
  paid: number;
  refunded: number;
  kept: number;
}

interface EventMoney extends Sums {
  seatsSold: number;
  allowances: number;
  openCases: number;
  difference: number;
  portone: Sums;
}

function expectMoneyToAgree(figures: {
  money: { totals: EventMoney; cases: object; keptAmount: number } & Record<string, number>;
  events: { money: EventMoney }[];
}) {
  const { totals, cases, keptAmount, soldAmount, allowances = 0 } = figures.money;
  for (const money of [totals, ...figures.events.map((event) => event.money)]) {
    const { paid, refunded, kept } = money;
    expect(money).toMatchObject({ agrees: true, difference: 0, openCases: 0 });
    expect(money.portone).toEqual({ paid, refunded, kept });
    expect(kept + money.allowances).toBe(money.seatsSold);
  }
  expect(totals.kept).toBe(keptAmount);
  expect(keptAmount + allowances).toBe(soldAmount);
  // Which of them come off depends on the machine's speed too; most of them always do.
  expect(Object.keys(cases).length).toBeGreaterThanOrEqual(5);
}

const SMALL = ['--buyers', '150', '--seats', '40', '--events', '2', '--seed', '11'];

test('sells out, every law held, one JSON object on stdout, a report that needs nothing else', async () => {
  const report = join(folder, 'report.html');
  const ended = await demo([...SMALL, '--json', '--report', report]);
  expect(ended.stdout.trimEnd().split('\n')).toHaveLength(1);
  const figures = JSON.parse(ended.stdout);
  expect(figures.failures).toEqual([]);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(figures).toMatchObject({
    clean: true,
    seed: 11,
    carrier: 'postgres',
    buyers: 150,
    seats: 40,
    soldOut: true,
    errorLines: 0,
    totals: { buyers: 150, seats: 40, sold: 40, held: 0, available: 0 },
    money: { agrees: true, soldSeats: 40, paidInTimeLost: 0, problems: [] },
    answers: { late: 0, disagreeing: 0 },
  });
  expect(figures.events).toHaveLength(2);
  for (const event of figures.events) {
    expect(event.audit).toMatchObject({ clean: true, oversold: 0, paidWithoutSeat: 0 });
    expect(event.confirmed + event.refused).toBeGreaterThanOrEqual(event.buyers / 2);
    expect(event.latencyMs.p50).toBeGreaterThan(0);
  }
  expectMoneyToAgree(figures);

  const html = await readFile(report, 'utf8');
  expect(html).toContain('Every law held');
  expect(html).toContain('s own books agree to the won');
  expect(html.match(/<svg /g)?.length).toBeGreaterThanOrEqual(5);
  // Self-contained: nothing is fetched from anywhere.
  expect(html).not.toMatch(/https?:|<script|<link|<img|url\(/);
  expect(html).not.toMatch(/NaN|undefined|Infinity/);
  expect(await demoDatabases()).toBe(0);
});

test('over Redis, for people: tables on stdout, and nothing of it stays in Redis', async () => {
  const redis = { REDIS_URL: inject('redisUrl') };
  const sizes = ['--buyers', '60', '--seats', '12', '--events', '1', '--no-report'];
  // One in which an account is never paid into, and its seats are wanted.
  const seed = ['--seed', '786552866'];
  const keysBefore = await demoKeys();
  const ended = await demo([...sizes, ...seed], redis);
  expect(ended.code, ended.stdout + ended.stderr).toBe(0);
  expect(ended.stdout).toContain('redis carries the queue');
  expect(ended.stdout).toContain('No seat is given to two orders');
  expect(ended.stdout).toMatch(/Difference +0\n/);
  expect(ended.stdout).toContain("PortOne's own books agree to the won");
  expect(ended.stdout.trimEnd()).toMatch(/Every law held\.$/);
  expect(await demoKeys()).toBe(keysBefore);
});

test('wrong usage is exit code 2; with --json it is still one JSON object', async () => {
  const ended = await demo(['--buyers', 'many', '--json']);
  expect(ended.code).toBe(2);
  expect(JSON.parse(ended.stdout)).toMatchObject({ clean: false });
  expect((await demo(['--seats', '2', '--events', '3'])).code).toBe(2);
  expect((await demo(['--help'])).code).toBe(0);
});
