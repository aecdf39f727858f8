// What operators and their machines ask: is it alive, is it ready, how is it doing.

import Router from '@koa/router';
import type { Database } from '../db/database.ts';
import { pendingMigrations } from '../db/migrate.ts';
import type { Carrier } from '../queue/carrier.ts';
import type { Metrics } from './metrics.ts';
import { openApiRoutes } from './openapi-routes.ts';

const PROBE_TIMEOUT_MS = 2_000;

export interface OperationsOptions {
  database: Database;
  carrier: Carrier;
  metrics: Metrics;
  /** True from the moment a shutdown begins: balancers must send nobody here any more. */
  stopping: () => boolean;
}

export function operationsRoutes(options: OperationsOptions): Router {
  const router = new Router();
  router.get('/health/live', (ctx) => {
    ctx.body = { status: 'live' };
  });
  router.get('/health/ready', async (ctx) => {
    const checks = await probe(options);
    const ready = Object.values(checks).every((state) => state === 'ok');
    ctx.status = ready ? 200 : 503;
    ctx.body = { status: ready ? 'ready' : 'not_ready', checks };
  });
  router.get('/metrics', async (ctx) => {
    ctx.type = options.metrics.registry.contentType;
    ctx.body = await options.metrics.registry.metrics();
  });
  router.use(openApiRoutes().routes());
  return router;
}

async function probe(options: OperationsOptions): Promise<Record<string, string>> {
  const { database, carrier } = options;
  const [postgres, queue, migrations] = await Promise.all([
    outcomeOf(database.ping()),
    outcomeOf(carrier.ping()),
    outcomeOf(
      pendingMigrations(database.pool).then((names) => {
        if (names.length > 0) throw new Error(`pending: ${names.join(', ')}`);
      }),
    ),
  ]);
  return { postgres, queue, migrations, ...(options.stopping() ? { shutdown: 'under way' } : {}) };
}

async function outcomeOf(check: Promise<void>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, PROBE_TIMEOUT_MS, 'no answer');
  });
  try {
    const outcome = check.then(
      () => 'ok',
      // The reason may name hosts or users, and this page is open to all.
      () => 'failed',
    );
    return await Promise.race([outcome, late]);
  } finally {
    clearTimeout(timer);
  }
}
