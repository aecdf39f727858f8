// A worker is killed at every step of a refund, and another one finishes: the gateway's own books
// say that the money went back exactly once. Without the guards they say that it went back twice.

import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CrashPoint } from '../../src/sandbox/crash-points.ts';
import type { PointInput } from '../../src/sandbox/faults.ts';
import { books } from '../support/buyer.ts';
import {
  askRefund,
  givenBack,
  hurry,
  refundBecomes,
  refundOf,
  type Sold,
  sellMore,
} from '../support/refunds.ts';
import { type ServiceProcess, startProcess } from '../support/service-process.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';

const TEST_MS = 360_000;
/** The queue may need half a minute to notice that the worker that had its jobs is dead. */
const FINISH_MS = 120_000;
const DIALECTS = ['v1', 'v2-2024-04-25'] as const;
const WORLDS = ['v1', 'v2'] as const;
const EACH = 2;

interface Case extends Sold {
  id: number;
  amount: number;
}

let world: World;
const processes: ServiceProcess[] = [];

// One each: what a killed worker leaves in the queue is nobody else's.
beforeEach(async () => {
  world = await openWorld({ carrier: 'postgres', env: { ROLE: 'api', SWEEP_INTERVAL_MS: '100' } });
});
afterEach(async () => {
  world.sandbox.faults.clear();
  await Promise.all(processes.splice(0).map((process) => process.kill('SIGTERM')));
  await world.close();
});

async function startWorker(env: Record<string, string> = {}): Promise<ServiceProcess> {
  const worker = await startProcess({ ...world.env, ROLE: 'worker', ...env });
  processes.push(worker);
  return worker;
}

/** On V1 and V2 each an order that is to be refunded whole, and one of which half is; none asked yet. */
async function sellAll(): Promise<(Sold & { body: Record<string, unknown>; amount: number })[]> {
  const event = await world.event(8);
  const all = [];
  for (const dialect of DIALECTS) {
    const whole = await sellMore(world, event, 2, { dialect });
    all.push({ ...whole, body: {}, amount: 20_000 });
    const part = await sellMore(world, event, 2, { dialect });
    all.push({ ...part, body: { seats: part.seats.slice(0, 1) }, amount: 10_000 });
  }
  // Nobody tells of a cancellation: what the worker does not find out is not known.
  world.sandbox.faults.set({ webhooksSilenced: true });
  return all;
}

async function askAll(sold: Awaited<ReturnType<typeof sellAll>>): Promise<Case[]> {
  const asked = [];
  for (const one of sold) {
    const { status, body } = await askRefund(world, one.order, one.body);
    expect(status).toBe(202);
    asked.push({ ...one, id: body.id as number });
  }
  return asked;
}

/** One for each call that the four refunds will make there. */
function points(endpoint: 'payment' | 'cancel', how: PointInput): CrashPoint[] {
  return WORLDS.flatMap((gateway) =>
    Array.from({ length: EACH }, () => world.sandbox.faults.at(gateway, endpoint, how)),
  );
}
const reached = (all: CrashPoint[]) => Promise.all(all.map((point) => point.reached));
const carriedOut = (all: CrashPoint[]) => Promise.all(all.map((point) => point.carriedOut));
const letGo = (all: CrashPoint[]) => {
  for (const point of all) point.release('lost');
};

/** Rows that the worker is about to write; whoever writes them waits. */
async function lock(sql: string, cases: Case[]): Promise<() => Promise<void>> {
  const client = new pg.Client(world.database.url);
  await client.connect();
  await client.query('BEGIN');
  await client.query(sql, [cases.map((one) => one.paymentId)]);
  return () => client.end();
}
const REFUND_ROWS = 'SELECT 1 FROM refunds WHERE payment_id = ANY ($1) FOR UPDATE';
const PAYMENT_ROWS = 'SELECT 1 FROM payments WHERE payment_id = ANY ($1) FOR UPDATE';

const allWait = (cases: Case[]) =>
  until('all wait for the lock', async () => {
    const [row] = await world.sql<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return row?.n === cases.length;
  });

/** Brings the refunds to the step, kills the worker there, and returns what is to be let go later. */
type Kill = (
  worker: ServiceProcess,
  ask: () => Promise<Case[]>,
) => Promise<{ cases: Case[]; later?: CrashPoint[] }>;

const dead = (worker: ServiceProcess) => worker.kill('SIGKILL');

const KILLED: Record<string, Kill> = {
  'claimed, nothing read': async (worker, ask) => {
    const reads = points('payment', { answer: 'hang', hold: 'before' });
    const cases = await ask();
    await reached(reads);
    await dead(worker);
    letGo(reads);
    return { cases };
  },
  'read, and nothing on record': async (worker, ask) => {
    const reads = points('payment', { answer: 'hang' });
    const cases = await ask();
    await carriedOut(reads);
    const unlock = await lock(REFUND_ROWS, cases);
    for (const read of reads) read.release();
    await allWait(cases);
    await dead(worker);
    await unlock();
    return { cases };
  },
  'on record and sent, and never carried out': async (worker, ask) => {
    const mend = world.sandbox.faults.rest({ kind: 'refuse', endpoint: 'cancel' });
    const cases = await ask();
    await until('all were sent', async () => {
      const rows = await world.sql<{ id: number }>(
        'SELECT id FROM refunds WHERE id = ANY ($1) AND cancelled_before = 0',
        cases.map((one) => one.id),
      );
      return rows.length === cases.length;
    });
    await dead(worker);
    mend();
    return { cases };
  },
  'sent, and carried out only when the next worker has asked too': async (worker, ask) => {
    const sent = points('cancel', { answer: 'hang', hold: 'before' });
    const cases = await ask();
    await reached(sent);
    await dead(worker);
    return { cases, later: sent };
  },
  'carried out, and not answered': async (worker, ask) => {
    const sent = points('cancel', { answer: 'hang' });
    const cases = await ask();
    await carriedOut(sent);
    await dead(worker);
    letGo(sent);
    return { cases };
  },
  'answered, and not read again': async (worker, ask) => {
    const sent = points('cancel', { answer: 'hang' });
    const cases = await ask();
    await carriedOut(sent);
    const reads = points('payment', { answer: 'hang', hold: 'before' });
    for (const one of sent) one.release();
    await reached(reads);
    await dead(worker);
    letGo(reads);
    return { cases };
  },
  'read again, and not settled': async (worker, ask) => {
    const sent = points('cancel', { answer: 'hang' });
    const cases = await ask();
    await carriedOut(sent);
    const unlock = await lock(PAYMENT_ROWS, cases);
    for (const one of sent) one.release();
    await allWait(cases);
    await dead(worker);
    await unlock();
    return { cases };
  },
};

/** What the gateway was asked for the order, and answered. */
const asked = (one: Case) =>
  books(world, one.order).flatMap((payment) => payment.cancelRequests.map((r) => r.outcome));

async function expectOnce(cases: Case[]): Promise<void> {
  for (const one of cases) {
    await refundBecomes(world, one.id, 'done', FINISH_MS);
    expect(givenBack(world, one.order)).toEqual([one.amount]);
    expect(asked(one).filter((outcome) => outcome === 'accepted')).toHaveLength(1);
    const left = 20_000 - one.amount;
    expect(books(world, one.order)).toMatchObject([{ kept: left }]);
    const { body } = await world.call('GET', `/api/orders/${one.order.merchantUid}`);
    expect(body.status).toBe(left === 0 ? 'refunded' : 'paid');
    expect(body.seats).toHaveLength(left / 10_000);
    expect(await world.audit(one.event)).toMatchObject({ clean: true });
  }
}

describe('the worker is killed, and another finishes: V1 and V2, whole and part', () => {
  test.each(Object.entries(KILLED))(
    '%s: the money goes back once',
    async (_, kill) => {
      const worker = await startWorker();
      const sold = await sellAll();
      const { cases, later = [] } = await kill(worker, () => askAll(sold));
      for (const one of cases) expect((await refundOf(world, one.id)).state).toBe('requested');
      await startWorker();
      // The claim of the dead one has run out.
      for (const one of cases) await hurry(world, one.id);
      if (later.length > 0) {
        await until(
          'the next worker has asked too',
          () => cases.every((one) => asked(one).length > 1),
          FINISH_MS,
        );
        letGo(later);
        await until('the first was carried out, or refused', () =>
          cases.every((one) => !asked(one).includes('open')),
        );
      }
      await expectOnce(cases);
    },
    TEST_MS,
  );

  test(
    'nobody hurries the next worker: the claim of the dead one runs out by itself',
    async () => {
      const impatient = { PORTONE_TIMEOUT_MS: '500' };
      const worker = await startWorker(impatient);
      const sold = await sellAll();
      const sent = points('cancel', { answer: 'hang' });
      const cases = await askAll(sold);
      await carriedOut(sent);
      await dead(worker);
      letGo(sent);
      await startWorker(impatient);
      await expectOnce(cases);
    },
    TEST_MS,
  );
});

/** Stands between a worker and the gateway, and takes its guards away. */
interface Tampering {
  /** Whoever looks again sees what was there before anything was asked. */
  blind: boolean;
  /** What is left and the key are not told along. */
  careless: boolean;
}

async function openTamperer({ blind, careless }: Tampering): Promise<Server> {
  const seen = new Map<string, { status: number; body: string }>();
  const target = new URL(world.sandbox.url);
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = 'GET', url = '/', headers } = incoming;
    const before = blind && method === 'GET' ? seen.get(url) : undefined;
    if (before) {
      outgoing.writeHead(before.status, { 'content-type': 'application/json' }).end(before.body);
      return;
    }
    const cancels = careless && url.endsWith('/cancel');
    const body = cancels ? unguarded(Buffer.concat(chunks)) : Buffer.concat(chunks);
    const { 'idempotency-key': key, 'content-length': _, ...others } = headers;
    const kept = key === undefined || cancels ? {} : { 'idempotency-key': key };
    const sent = { ...others, ...kept, host: target.host, 'content-length': body.length };
    const onward = request(
      { host: target.hostname, port: target.port, method, path: url, headers: sent },
      async (answer) => {
        const parts: Buffer[] = [];
        for await (const part of answer) parts.push(part as Buffer);
        const text = Buffer.concat(parts).toString();
        if (method === 'GET') seen.set(url, { status: answer.statusCode ?? 0, body: text });
        outgoing
          .writeHead(answer.statusCode ?? 502, { 'content-type': 'application/json' })
          .end(text);
      },
    );
    onward.once('error', () => outgoing.destroy());
    onward.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function unguarded(body: Buffer): Buffer {
  const { checksum: _, currentCancellableAmount: __, ...rest } = JSON.parse(body.toString());
  return Buffer.from(JSON.stringify(rest));
}

describe('controls: what each guard is for', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** The first worker dies when the part was carried out; both stand behind the tamperer. */
  async function crashBehind(tampering: Tampering): Promise<Case[]> {
    const server = await openTamperer(tampering);
    servers.push(server);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const worker = await startWorker();
    const sold = (await sellAll()).filter((one) => one.amount === 10_000);
    await worker.kill('SIGTERM');
    const behind = { PORTONE_V1_URL: url, PORTONE_V2_URL: url };
    const first = await startWorker(behind);
    const sent = WORLDS.map((gateway) => world.sandbox.faults.at(gateway, 'cancel'));
    const cases = await askAll(sold);
    await carriedOut(sent);
    await dead(first);
    letGo(sent);
    for (const one of cases) expect(givenBack(world, one.order)).toEqual([10_000]);
    await startWorker(behind);
    for (const one of cases) await hurry(world, one.id);
    return cases;
  }

  test(
    'without the look, the checksum and the key, the money goes back twice',
    async () => {
      const cases = await crashBehind({ blind: true, careless: true });
      for (const one of cases) {
        await until(
          'it went back twice',
          () => givenBack(world, one.order).length === 2,
          FINISH_MS,
        );
        expect(books(world, one.order)).toMatchObject([{ kept: 0 }]);
      }
    },
    TEST_MS,
  );

  test(
    'without the look alone, what is left and the key stop the second one',
    async () => {
      const cases = await crashBehind({ blind: true, careless: false });
      for (const one of cases) {
        await until('it was asked again', () => asked(one).length > 1, FINISH_MS);
        await until('and answered', () => !asked(one).includes('open'));
        expect(givenBack(world, one.order)).toEqual([10_000]);
      }
    },
    TEST_MS,
  );

  test(
    'with the look alone, nothing is asked a second time',
    async () => {
      const cases = await crashBehind({ blind: false, careless: true });
      await expectOnce(cases);
      for (const one of cases) expect(asked(one)).toEqual(['accepted']);
    },
    TEST_MS,
  );
});
