// The organizer's API for what may be amiss: the audit, an order's ledger, the cases.

import Router from '@koa/router';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { readBody } from '../http/body.ts';
import { parse } from '../http/parse.ts';
import { Problem } from '../http/problem.ts';
import { auditEvent } from './audit.ts';
import { type CloseCaseResult, closeCase } from './close-case.ts';
import { loadLedger } from './ledger.ts';
import { listCases, readPlace } from './list-cases.ts';
import { caseId, caseQuery, closeCaseBody } from './schema.ts';

export interface AuditRoutesOptions {
  database: Database;
  clock: Clock;
}

export function auditRoutes(options: AuditRoutesOptions, bodyMaxBytes: number): Router {
  const { database } = options;
  const router = new Router({ prefix: '/api' });

  router.get('/events/:slug/audit', async (ctx) => {
    const audit = await auditEvent(options, ctx.params.slug ?? '');
    if (!audit) throw new Problem('not_found', `there is no event ${ctx.params.slug}`);
    ctx.body = audit;
  });

  router.get('/events/:slug/cases', async (ctx) => {
    const { open, limit, after } = parse(caseQuery, { ...ctx.query });
    const place = after === undefined ? undefined : readPlace(after);
    if (place === null) throw new Problem('invalid_request', 'after: no page ended there');
    const query = { open: open && open === 'true', limit, after: place };
    const page = await listCases(database, ctx.params.slug ?? '', query);
    if (!page) throw new Problem('not_found', `there is no event ${ctx.params.slug}`);
    ctx.body = page;
  });

  router.post('/cases/:id/close', async (ctx) => {
    const id = caseId.safeParse(ctx.params.id);
    const body = parse(closeCaseBody, (await readBody(ctx, bodyMaxBytes)).value);
    if (!id.success) throw new Problem('not_found', 'there is no such case');
    const closed = await closeCase(options, { id: id.data, ...body }, 'organizer:api');
    if (!closed.ok) throw closingProblem(closed);
    const { ok: _, ...answer } = closed;
    ctx.body = answer;
  });

  router.get('/orders/:merchantUid/ledger', async (ctx) => {
    const ledger = await loadLedger(database, ctx.params.merchantUid ?? '');
    if (!ledger) throw new Problem('not_found', 'there is no such order');
    ctx.body = ledger;
  });
  return router;
}

function closingProblem(refused: Extract<CloseCaseResult, { ok: false }>): Problem {
  switch (refused.reason) {
    case 'unknown_case':
      return new Problem('not_found', 'there is no such case');
    case 'closed':
      return new Problem('conflict', 'the case is closed already');
    case 'no_seats_in_this_kind':
      return new Problem('invalid_request', 'releaseSeats: no seats go back with this case');
    case 'refund_open':
      return new Problem('conflict', 'a refund of this payment is under way; wait for its end');
    case 'amount_changed':
      return new Problem('conflict', `the case is about ${refused.amount} by now`, {
        amount: refused.amount,
      });
    case 'all_or_none':
      return new Problem('conflict', 'nobody paid for any of these seats: name all, or none', {
        seats: refused.seats,
      });
    case 'not_its_seats':
      return new Problem('conflict', `not sold to this payment: ${refused.missing.join(', ')}`, {
        missing: refused.missing,
      });
  }
}
