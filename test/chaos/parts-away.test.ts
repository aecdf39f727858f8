import { mkdtempSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { openProxy, type TcpProxy } from '../support/proxy.ts';
import { startRedis } from '../support/redis-server.ts';
import { type Answered, streamConfirms } from '../support/stream.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, openWorld, SHIPPED_DEADLINE, type World } from '../support/world.ts';

const AWAY_MS = 7_000;
/** Well before the 4 s after which whoever waits is refused anyway. */
const AT_ONCE_MS = 2_500;
const BACK_MS = 10_000;
/** More than can be sent until all is over, however slow a start is. */
const BUYERS = 8_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** From half a second after the part was gone, while there was time to refuse them before its return. */
function sentWhileAway(answers: Answered[], goneAt: number, returnsAt: number): Answered[] {
  return answers.filter((a) => a.sentAt > goneAt + 500 && a.sentAt < returnsAt - AT_ONCE_MS);
}

describe.each(CARRIERS)('a part goes away for seconds in mid-sale, queue on %s', (carrier) => {
  let world: World;
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let postgres: EmbeddedPostgres;
  let proxy: TcpProxy;
  // The owner of the database must be able to reach its folder.
  const folder = mkdtempSync(join(tmpdir(), `seatline-chaos-${carrier}-`));
  const startPostgres = () => startEmbeddedPostgres({ root: folder, name: 'chaos' });

  beforeAll(async () => {
    await chmod(folder, 0o755);
    [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
    proxy = await openProxy(Number(new URL(postgres.url).port));
    const url = new URL(postgres.url);
    url.port = String(proxy.port);
    await migrate(url.href);
    const queue: Record<string, string> = carrier === 'redis' ? { REDIS_URL: redis.url } : {};
    world = await openWorld({
      carrier,
      env: { ...queue, ...SHIPPED_DEADLINE, DATABASE_URL: url.href },
    });
  });
  afterAll(async () => {
    await world?.close();
    await proxy?.close();
    await redis?.stop();
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function sale(leave: () => Promise<void>, comeBack: () => Promise<void>) {
    const event = await world.event(BUYERS);
    const stream = streamConfirms(world, await world.orders(event, BUYERS), 10);
    await until(
      'fifty confirmed',
      () => stream.answers.filter((a) => a.status === 200).length >= 50,
    );
    await leave();
    const goneAt = Date.now();
    await pause(AWAY_MS);
    const returnsAt = Date.now();
    await comeBack();
    const backAt = Date.now();
    await until('service after its return', () =>
      stream.answers.some((a) => a.status === 200 && a.sentAt > backAt),
    );
    const backMs = Date.now() - backAt;
    await pause(500);
    const answers = await stream.stop();
    return { event, answers, refused: sentWhileAway(answers, goneAt, returnsAt), backMs };
  }

  async function expectNoLooseHold(event: string, answers: Answered[]) {
    const confirmed = answers.filter((a) => a.status === 200).length;
    await until('no hold but the confirmed ones', async () => {
      return (await world.seats(event)).held === confirmed;
    });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  }

  const away = {
    Redis: () => sale(redis.kill, redis.restart),
    Postgres: () =>
      sale(
        () => postgres.stop(),
        async () => {
          postgres = await startPostgres();
          proxy.pointTo(Number(new URL(postgres.url).port));
        },
      ),
  };
  const parts = carrier === 'redis' ? (['Redis', 'Postgres'] as const) : (['Postgres'] as const);

  test.each(parts)(
    '%s: refused at once, full service within seconds of its return',
    async (part) => {
      const { event, answers, refused, backMs } = await away[part]();
      console.log(
        `${part} away, queue on ${carrier}: ${refused.length} refused, back in ${backMs} ms`,
      );
      expect(refused.length).toBeGreaterThan(100);
      for (const answer of refused) {
        expect(answer.body.code).toBe('unavailable');
        expect(answer.tookMs).toBeLessThan(AT_ONCE_MS);
      }
      expect(backMs).toBeLessThan(BACK_MS);
      await expectNoLooseHold(event, answers);
    },
  );
});
