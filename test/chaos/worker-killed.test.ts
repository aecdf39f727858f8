import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ServiceProcess, startProcess } from '../support/service-process.ts';
import { streamConfirms } from '../support/stream.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, openWorld, SHIPPED_DEADLINE, type World } from '../support/world.ts';

/** The service's own 4 s, and what a machine that stands still may add; nobody waits for ever. */
const ANSWER_MS = 8_000;
/** Locks of confirm jobs last 1.5 s; with the queue's own half a minute would go by. */
const RESUME_MS = 8_000;
/** More than can be sent until a new worker is ready, however slow its start. */
const BUYERS = 6_000;

describe.each(CARRIERS)('the only worker is killed in mid-sale, on %s', (carrier) => {
  let world: World;
  const workers: ServiceProcess[] = [];
  const startWorker = async () => {
    const worker = await startProcess({ ...world.env, ROLE: 'worker', LOG_LEVEL: 'info' });
    workers.push(worker);
    return worker;
  };

  beforeAll(async () => {
    world = await openWorld({ carrier, env: { ROLE: 'api', ...SHIPPED_DEADLINE } });
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
    await world?.close();
  });

  test('nothing is oversold, no hold is orphaned, and verdicts resume within seconds', async () => {
    const event = await world.event(BUYERS);
    const orders = await world.orders(event, BUYERS);
    const first = await startWorker();
    const stream = streamConfirms(world, orders, 10);
    await until(
      'fifty confirmed',
      () => stream.answers.filter((a) => a.status === 200).length >= 50,
    );

    await first.kill('SIGKILL');
    const killedAt = Date.now();
    await until('a refusal', () =>
      stream.answers.some((a) => a.sentAt > killedAt && a.status !== 200),
    );

    await startWorker();
    const readyAt = Date.now();
    await until('a verdict after the new worker is ready', () =>
      stream.answers.some((a) => a.status === 200 && a.sentAt + a.tookMs > readyAt),
    );
    const resumedMs = Date.now() - readyAt;
    const answers = await stream.stop();
    console.log(`${carrier}: ${answers.length} asked, resumed after ${resumedMs} ms`);

    expect(resumedMs).toBeLessThan(RESUME_MS);
    for (const answer of answers) {
      expect([200, 503]).toContain(answer.status);
      expect(answer.tookMs).toBeLessThan(ANSWER_MS);
    }
    const confirmed = answers.filter((a) => a.status === 200).length;
    await until('no hold but the confirmed ones', async () => {
      const { held } = await world.seats(event);
      return held === confirmed;
    });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });
});
