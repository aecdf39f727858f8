// Reconciliations over HTTP: what was found, and one on demand.

import Router from '@koa/router';
import { readBody } from '../http/body.ts';
import { parse } from '../http/parse.ts';
import { Problem } from '../http/problem.ts';
import { type ReconcileOptions, type ReconcileResult, reconcile } from './reconcile.ts';
import { listRuns } from './record.ts';
import { listQuery, reconcileBody } from './schema.ts';

type Refusal = Extract<ReconcileResult, { ok: false }>;

export function reconciliationRoutes(options: ReconcileOptions, bodyMaxBytes: number): Router {
  const router = new Router({ prefix: '/api/events' });
  router.get('/:slug/reconciliations', async (ctx) => {
    const event = ctx.params.slug ?? '';
    const { limit, differing } = parse(listQuery, { ...ctx.query });
    const known = await options.database.prisma.event.count({ where: { slug: event } });
    if (known === 0) throw new Problem('not_found', `there is no event ${event}`);
    ctx.body = await listRuns(options.database, event, {
      limit,
      differing: differing === 'true',
    });
  });
  router.post('/:slug/reconcile', async (ctx) => {
    const event = ctx.params.slug ?? '';
    const body = parse(reconcileBody, (await readBody(ctx, bodyMaxBytes)).value);
    const result = await reconcile(options, {
      event,
      from: body.from ?? null,
      to: body.to ?? null,
      dryRun: body.dryRun ?? false,
      askedBy: 'organizer:api',
    });
    if (!result.ok) throw refusal(result, event);
    const { report } = result;
    if (!report.complete) throw new Problem('unavailable', report.error ?? '', { report });
    ctx.body = report;
  });
  return router;
}

function refusal(result: Refusal, event: string): Problem {
  switch (result.reason) {
    case 'unknown_event':
      return new Problem('not_found', `there is no event ${event}`);
    case 'no_credentials':
      return new Problem('conflict', 'no PortOne credentials are configured: nobody can be asked');
    case 'wrong_window':
      return new Problem('invalid_request', result.detail);
    case 'busy':
      return new Problem('conflict', 'another reconciliation is running');
  }
}
