/** A real Redis server of one's own for a test: found or installed, started, killed, restarted. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureProgram } from './debian.ts';
import { freePort } from './port.ts';

const START_LIMIT_MS = 60_000;
const START_TRIES = 8;
const POLL_MS = 20;

export interface RedisServer {
  url: string;
  port: number;
  /** Ends it orderly and removes its folder. */
  stop(): Promise<void>;
  /** SIGKILL: what it held in memory, which is everything, is gone. */
  kill(): Promise<void>;
  /** Starts it again, empty, at the same port. */
  restart(): Promise<void>;
}

export async function startRedis(): Promise<RedisServer> {
  const binary = await ensureRedisBinary();
  const folder = await mkdtemp(join(tmpdir(), 'seatline-redis-'));
  let { child, port } = await launchSomewhere(binary, folder);
  const killOnExit = () => void child.kill('SIGKILL');
  process.once('exit', killOnExit);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    async stop() {
      await end(child, 'SIGTERM');
      process.off('exit', killOnExit);
      await rm(folder, { recursive: true, force: true });
    },
    kill: () => end(child, 'SIGKILL'),
    async restart() {
      await end(child, 'SIGTERM');
      const again = await launch(binary, folder, port);
      if (!again) throw new Error(`Redis did not start again at port ${port}`);
      child = again;
    },
  };
}

/** The path of a Redis (or Valkey) server; installs Debian's package where we may. */
export async function ensureRedisBinary(): Promise<string> {
  const names = ['redis-server', 'valkey-server'];
  const binary = await ensureProgram({ names, debianPackage: 'redis-server' });
  if (binary) return binary;
  throw new Error(
    'No Redis server here: install redis-server (or valkey-server) and put it on the PATH',
  );
}

async function launchSomewhere(
  binary: string,
  folder: string,
): Promise<{ child: ChildProcess; port: number }> {
  for (let tried = 0; tried < START_TRIES; tried++) {
    const port = await freePort();
    const child = await launch(binary, folder, port);
    if (child) return { child, port };
  }
  throw new Error(`${binary} did not start on any of ${START_TRIES} free ports`);
}

/** Undefined if it ended at once: most likely somebody took the port. */
async function launch(
  binary: string,
  folder: string,
  port: number,
): Promise<ChildProcess | undefined> {
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const memoryOnly = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
  const child = spawn(binary, [...place, ...memoryOnly], { stdio: 'ignore' });
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const deadline = performance.now() + START_LIMIT_MS;
  while (performance.now() < deadline) {
    if (failure) throw new Error(`${binary} could not be started: ${failure.message}`);
    if (hasEnded(child)) return undefined;
    if (await answersAs(child.pid ?? 0, port)) return child;
    await sleep(POLL_MS);
  }
  await end(child, 'SIGKILL');
  throw new Error(`${binary} did not answer within ${START_LIMIT_MS / 1000} s`);
}

/** PING, and INFO for its pid: a Redis of somebody else's on that port would answer PING too. */
async function answersAs(pid: number, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let said = '';
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    socket.once('connect', () => socket.write('PING\r\nINFO server\r\n'));
    socket.on('data', (chunk: Buffer) => {
      said += chunk;
      const answering = /process_id:(\d+)\r\n/.exec(said)?.[1];
      if (answering) settle(said.startsWith('+PONG') && Number(answering) === pid);
    });
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  const impatient = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(impatient);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
