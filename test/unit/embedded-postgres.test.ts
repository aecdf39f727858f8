/** The embedded Postgres survives what development does to it: kills, crashes, crowds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts';

const SETTINGS = { fsync: 'off', synchronous_commit: 'off' };
const MODULE = new URL('../../src/embedded/postgres.ts', import.meta.url).href;
const TSX = import.meta.resolve('tsx');

let root = '';
const running: EmbeddedPostgres[] = [];
const children: ChildProcess[] = [];

const dataFolder = (name: string) => join(root, '.seatline', `postgres-${name}`);

async function start(name: string, settings = SETTINGS): Promise<EmbeddedPostgres> {
  const started = await startEmbeddedPostgres({ root, name, settings });
  running.push(started);
  return started;
}

async function ask<T>(url: string, sql: string): Promise<T | undefined> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows[0] as T | undefined;
  } finally {
    await client.end();
  }
}

async function postmasterPid(name: string): Promise<number> {
  return Number.parseInt(await readFile(join(dataFolder(name), 'postmaster.pid'), 'utf8'), 10);
}

/** Another process of ours; it says what it got, then waits to be told to stop by its stdin. */
async function starterProcess(name: string): Promise<{ url: string; owned: boolean }> {
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(MODULE)});
    const it = await startEmbeddedPostgres(${JSON.stringify({ root, name, settings: SETTINGS })});
    console.log(JSON.stringify({ url: it.url, owned: it.owned, pid: process.pid }));
    process.stdin.resume().on('end', () => it.stop().then(() => process.exit(0)));`;
  const args = ['--import', TSX, '--input-type=module', '-e', script];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`starter ended with ${code}`)));
    child.stdout.once('data', (line: Buffer) => resolve(JSON.parse(String(line))));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'seatline-embedded-'));
  await chmod(root, 0o755);
});

afterEach(async () => {
  for (const child of children) child.stdin?.end();
  await Promise.all(children.splice(0).map(ended));
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

afterAll(() => rm(root, { recursive: true, force: true }));

describe('embedded Postgres', { timeout: 30_000 }, () => {
  it('starts on 127.0.0.1 with a database of its own, and keeps data over a restart', async () => {
    const first = await start('lasting');
    expect(first.owned).toBe(true);
    const settings = await ask<{ a: string; b: string; c: string }>(
      first.url,
      `SELECT current_setting('listen_addresses') a, current_setting('fsync') b, current_setting('max_connections') c`,
    );
    expect(settings).toEqual({ a: '127.0.0.1', b: 'off', c: '200' });
    expect((await stat(`${dataFolder('lasting')}.password`)).mode & 0o777).toBe(0o600);
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    await first.stop();
    await expect(postmasterPid('lasting')).rejects.toThrow('ENOENT');

    const second = await start('lasting');
    expect(await ask(second.url, 'SELECT answer FROM kept')).toEqual({ answer: 42 });
  });

  it('attaches to a running one, and only the owner stops it', async () => {
    const owner = await start('shared');
    const guest = await start('shared');
    expect(guest).toMatchObject({ url: owner.url, owned: false });
    await guest.stop();
    expect(await ask(owner.url, 'SELECT 1 AS up')).toEqual({ up: 1 });
  });

  it('recovers from a killed postmaster, even when its pid is in use by another program', async () => {
    const durable = { fsync: 'on', synchronous_commit: 'on' };
    const killed = await start('killed', durable);
    await ask(killed.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const file = join(dataFolder('killed'), 'postmaster.pid');
    process.kill(await postmasterPid('killed'), 'SIGKILL');
    // As after a reboot: the pid in the file is now that of this very test runner.
    const lines = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, [String(process.ppid), ...lines.slice(1)].join('\n'));

    const again = await start('killed', durable);
    expect(again.owned).toBe(true);
    expect(await ask(again.url, 'SELECT answer FROM kept')).toEqual({ answer: 42 });
  });

  it('takes over the server that a killed owner left running', async () => {
    const abandoned = await starterProcess('abandoned');
    const owner = children.at(-1);
    owner?.kill('SIGKILL');
    if (owner) await ended(owner);

    const heir = await start('abandoned');
    expect(heir).toMatchObject({ url: abandoned.url, owned: true });
    await heir.stop();
    await expect(ask(heir.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('rebuilds a folder that initdb did not finish', async () => {
    const folder = dataFolder('unfinished');
    await mkdir(join(folder, 'base'), { recursive: true });
    await writeFile(join(folder, 'PG_VERSION'), '18\n');
    await mkdir(`${folder}.unfinished`);
    const lines: string[] = [];
    const log = (line: string) => lines.push(line);
    running.push(
      await startEmbeddedPostgres({ root, name: 'unfinished', settings: SETTINGS, log }),
    );
    expect(lines).toEqual([expect.stringContaining('unfinished')]);
    const left = await readdir(join(root, '.seatline'));
    expect(left.filter((name) => name.includes('.unfinished'))).toEqual([]);
  });

  it('replaces a lost password without losing data', async () => {
    const before = await start('forgetful');
    await ask(before.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await before.stop();
    await rm(`${dataFolder('forgetful')}.password`);
    const after = await start('forgetful');
    expect(await ask(after.url, 'SELECT answer FROM kept')).toEqual({ answer: 42 });
  });

  it('is one cluster for ten who start at the same instant, six of them other processes', async () => {
    const all = await Promise.all([
      ...Array.from({ length: 6 }, () => starterProcess('crowded')),
      ...Array.from({ length: 4 }, () => start('crowded')),
    ]);
    expect(new Set(all.map(({ url }) => url)).size).toBe(1);
    expect(all.filter(({ owned }) => owned)).toHaveLength(1);
  });
});
