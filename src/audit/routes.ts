// GET /api/events/:slug/audit: every law's count of violations, now.

import Router from '@koa/router';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { Problem } from '../http/problem.ts';
import { auditEvent } from './audit.ts';

export function auditRoutes(options: { database: Database; clock: Clock }): Router {
  const router = new Router({ prefix: '/api/events' });
  router.get('/:slug/audit', async (ctx) => {
    const audit = await auditEvent(options, ctx.params.slug ?? '');
    if (!audit) throw new Problem('not_found', `there is no event ${ctx.params.slug}`);
    ctx.body = audit;
  });
  return router;
}
