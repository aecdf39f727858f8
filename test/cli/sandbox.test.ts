// The sandbox command as people type it: the examples against a real Seatline, and what goes wrong.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { freePort } from '../support/port.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';
import { type Merchant, startMerchant } from '../unit/sandbox-merchant.ts';

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Each command is a process that compiles itself first; on a busy machine that takes seconds. */
vi.setConfig({ testTimeout: 300_000 });

let world: World;
let merchant: Merchant;
let folder: string;
/** Where Seatline looks for PortOne; the command is told to listen there. */
let port: number;

beforeAll(async () => {
  port = await freePort();
  folder = await mkdtemp(join(tmpdir(), 'seatline-scenario-'));
  merchant = await startMerchant();
  const gateway = `http://127.0.0.1:${port}`;
  world = await openWorld({
    carrier: 'postgres',
    env: {
      PORTONE_V1_URL: `${gateway}/v1`,
      PORTONE_V2_URL: `${gateway}/v2`,
      // When an unsigned confirm is looked up; 20 s unless told.
      PAYMENT_CHECK_AFTER_MS: '2000',
    },
  });
});
afterAll(async () => {
  await world?.close();
  await merchant?.close();
  await rm(folder, { recursive: true, force: true });
});

function start(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/sandbox.ts', ...args], {
    env: { PATH: process.env.PATH ?? '', API_KEY: world.env.API_KEY ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended: Ended = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    ended.stdout += data;
  });
  child.stderr.on('data', (data) => {
    ended.stderr += data;
  });
  const end = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ ...ended, code }));
  });
  return { child, so: ended, end };
}

const sandbox = (args: string[], env?: Record<string, string>) => start(args, env).end;

async function written(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const own = (expected: string) =>
  `name: Own server\nabout: A\nserver: { confirmUrl: "${merchant.confirmUrl}" }\n` +
  `order: { amount: 30000 }\nsteps:\n  - pay: {}\nexpect: { withinMs: 0, attempt: { ${expected} } }\n`;

test('every example holds against a real Seatline', async () => {
  const examples = 'src/sandbox/scenarios';
  const count = (await readdir(examples)).length;
  const args = ['--port', String(port), '--seatline', world.url, '--scenario', examples];
  const ended = await sandbox(args);
  expect(ended.stdout).toContain(`${count} of ${count} scenarios held`);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toMatch(/confirm +attempt-1 +may I charge\? -> 200 confirmed \(\d+ ms\)/);
});

test('the loser of the last seat is never charged: a story in which it is must fail', async () => {
  const example = await readFile('src/sandbox/scenarios/last-seat.yaml', 'utf8');
  const lee = '{ as: lee, order: lee }';
  expect(example).toContain(lee);
  // Without a confirm nobody is asked: charged. Told of in time, lee might have the seat and kim be refused.
  const unheard = '{ as: lee, order: lee, confirmUrl: null, webhookUrl: null }';
  const tampered = example.replace(lee, unheard);
  const path = await written(
    'tampered.yaml',
    tampered.replace('expect:', 'expect:\n  withinMs: 3000'),
  );
  const ended = await sandbox([
    '--port',
    String(port),
    '--seatline',
    world.url,
    '--scenario',
    path,
  ]);
  expect(ended.stdout).toContain('WRONG all orders: money paid = 10,000, found 20,000');
  expect(ended.code).toBe(1);
});

test('a seed that was played before: exit 1, and the hint names the seed', async () => {
  const play = () =>
    sandbox([
      ...['--port', String(port), '--seatline', world.url, '--seed', '5'],
      ...['--scenario', 'src/sandbox/scenarios/plain-card-v1.yaml'],
    ]);
  expect(await play()).toMatchObject({ code: 0 });
  const again = await play();
  expect(again.code).toBe(1);
  expect(again.stdout).toMatch(/conflicting_repeat[\s\S]*--seed 5 makes the same ones each time/);
});

test('an expectation that does not hold: exit 1, and what was found instead', async () => {
  const path = await written('wrong.yaml', own('confirm: 409, kept: 0'));
  const ended = await sandbox(['--port', '0', '--scenario', path]);
  expect(ended.code).toBe(1);
  expect(ended.stdout).toContain('WRONG attempt-1: confirm = 409, found 200');
  expect(ended.stdout).toContain('FAILED: 2 of 2 expectations did not hold');
});

test('a story comes through the proxy that it names, or that was typed', async () => {
  const named = own('confirm: 200').replace(
    'order:',
    'gateway: { forwardedFor: 192.0.2.1 }\norder:',
  );
  const path = await written('proxied.yaml', named);
  for (const [typed, came] of [
    [[], '192.0.2.1'],
    [['--forwarded-for', '192.0.2.2'], '192.0.2.2'],
  ] as const) {
    expect(await sandbox(['--port', '0', ...typed, '--scenario', path])).toMatchObject({ code: 0 });
    expect(merchant.confirms.at(-1)?.headers).toMatchObject({ 'x-forwarded-for': came });
  }
});

test('--json is one object on stdout, several files in one run', async () => {
  const good = await written('good.yaml', own('confirm: 200, kept: 30000'));
  const bad = await written('wrong-too.yaml', own('state: failed'));
  const ended = await sandbox(['--port', '0', '--json', '--scenario', good, '--scenario', bad]);
  expect(ended.code).toBe(1);
  expect(JSON.parse(ended.stdout)).toMatchObject({
    held: false,
    scenarios: [
      { file: good, held: true, payments: [{ kept: 30_000 }] },
      { file: bad, held: false, checks: [{ expected: 'failed', found: 'paid' }] },
    ],
  });
});

test('a bad file: exit 2 with its line, and nothing is played', async () => {
  const before = merchant.confirms.length;
  const good = await written('fine.yaml', own('confirm: 200'));
  const bad = await written('bad.yaml', own('confrim: 200'));
  const ended = await sandbox(['--port', '0', '--scenario', good, '--scenario', bad]);
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(ended.stderr).toContain(`${bad}:7: expect.attempt.confrim: there is no "confrim" here`);
  expect(merchant.confirms).toHaveLength(before);
});

test('what cannot be played at all: exit 2, and what to do', async () => {
  const path = await written('key.yaml', own('confirm: 200').replace(/server:.*/, SEATLINE));
  const cases: [string[], RegExp][] = [
    [['--scenario', join(folder, 'none.yaml')], /cannot be read: is the name right/],
    [['--scenario', path], /:4: order\.amount: Seatline knows/],
    [['--json'], /go with --scenario/],
    [['--port', 'x'], /not a whole number/],
    [['--forwarded-for', 'a\nb'], /not addresses joined by commas/],
    [
      ['--scenario', 'src/sandbox/scenarios/plain-card-v1.yaml'],
      /API_KEY is not set.*export API_KEY=.*development-secrets\.json/,
    ],
  ];
  for (const [args, told] of cases) {
    const ended = await sandbox(args, { API_KEY: '' });
    expect(ended.stderr).toMatch(told);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
  }
  const taken = Number(new URL(merchant.url).port);
  const good = await written('taken.yaml', own('confirm: 200'));
  const ended = await sandbox(['--port', String(taken), '--scenario', good]);
  expect(ended).toMatchObject({ code: 2 });
  expect(ended.stderr).toMatch(/cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\): stop what does/);
});

const SEATLINE = 'seatline: { url: http://localhost:8080, apiKeyFromEnv: API_KEY }';

test('without a scenario it serves, names the page and the scenarios, and stops when told', async () => {
  const { child, so, end } = start(['--port', '0']);
  const url = await until('the sandbox serves', () => /at (http:\S+)/.exec(so.stdout)?.[1], 60_000);
  expect(so.stdout).toContain(`${url}/checkout`);
  expect(so.stdout).toContain('--scenario src/sandbox/scenarios/');
  expect((await fetch(`${url}/checkout`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await end).toMatchObject({ code: 0 });
});

test('with --books a sandbox that was killed knows its payments when it is started again', async () => {
  const books = join(folder, 'books.json');
  const serving = async (...more: string[]) => {
    const process = start(['--port', '0', '--books', books, ...more]);
    const url = await until(
      'it serves',
      () => /at (http:\S+)/.exec(process.so.stdout)?.[1],
      60_000,
    );
    const paid = async () => {
      const found = await (await fetch(`${url}/sandbox/books`)).json();
      return (found as { totals: { paidAmount: number } }).totals.paidAmount;
    };
    return { ...process, url, paid };
  };
  const first = await serving();
  expect(first.so.stdout).toContain(`Its books are kept in ${books}`);
  const body = JSON.stringify({ merchantUid: 'kept', amount: 1_000, confirmUrl: null });
  await fetch(`${first.url}/sandbox/payments`, { method: 'POST', body });
  await until('it is written', async () => (await readFile(books, 'utf8')).includes('"kept"'));
  first.child.kill('SIGKILL');
  await first.end;
  const second = await serving('--v1-resend', '--confirm-timeout-ms', '1');
  expect(await second.paid()).toBe(1_000);
  merchant.onConfirm = () => ({ delayMs: 5_000 });
  const asked = { merchantUid: 'asked', amount: 1, confirmUrl: merchant.confirmUrl };
  const answer = await fetch(`${second.url}/sandbox/payments`, {
    method: 'POST',
    body: JSON.stringify(asked),
  });
  expect(await answer.json()).toMatchObject({ confirm: { timedOut: true } });
  merchant.onConfirm = () => ({});
  const wanted = await sandbox(['--port', new URL(second.url).port, '--scenario', EXAMPLE]);
  expect(wanted.stderr).toContain('a sandbox is running there. Stop it, play, and start it again');
  expect(wanted.code).toBe(2);
  second.child.kill('SIGTERM');
  expect(await second.end).toMatchObject({ code: 0 });
  await writeFile(books, 'something else');
  expect(await sandbox(['--port', '0', '--books', books])).toMatchObject({ code: 2, stdout: '' });
});

const EXAMPLE = 'src/sandbox/scenarios/plain-card-v1.yaml';

test('what it prints to be pasted reaches a program started from that shell', async () => {
  const { child, so, end } = start(['--port', '0']);
  await until('the sandbox serves', () => so.stdout.includes('PORTONE_WEBHOOK_SECRET'), 60_000);
  child.kill('SIGTERM');
  await end;
  const pasted = so.stdout.split('\n').filter((line) => /PORTONE_\w+=/.test(line));
  const echo =
    'console.log(Object.keys(process.env).filter((name) => /^PORTONE_/.test(name)).length)';
  const shell = spawn('sh', ['-c', [...pasted, `"${process.execPath}" -e '${echo}'`].join('\n')]);
  let said = '';
  shell.stdout.on('data', (data) => {
    said += data;
  });
  await once(shell, 'close');
  expect(Number(said)).toBe(6);
});
