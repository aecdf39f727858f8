// POST /api/events/:slug/release: the organizer's hand, over HTTP.

import Router from '@koa/router';
import { readBody } from '../http/body.ts';
import { parse } from '../http/parse.ts';
import { Problem } from '../http/problem.ts';
import type { AskOptions } from '../payments/ask-before-release.ts';
import type { AskForRefund } from './refund-sold.ts';
import { releaseSeats } from './release.ts';
import { releaseBody } from './schema.ts';

export interface ReleaseRoutesOptions extends AskOptions {
  askForRefund: AskForRefund;
}

export function releaseRoutes(options: ReleaseRoutesOptions, bodyMaxBytes: number): Router {
  const router = new Router({ prefix: '/api/events' });
  router.post('/:slug/release', async (ctx) => {
    const body = parse(releaseBody, (await readBody(ctx, bodyMaxBytes)).value);
    const event = ctx.params.slug ?? '';
    const refund = body.refund ? options.askForRefund : undefined;
    const result = await releaseSeats(options, { ...body, refund, event }, 'organizer:api');
    if (!result.ok && result.reason === 'unknown_event') {
      throw new Problem('not_found', `there is no event ${event}`);
    }
    if (!result.ok) {
      const detail = `not in this event: ${result.missing.join(', ')}; nothing was released`;
      throw new Problem('not_found', detail, { missing: result.missing });
    }
    const { ok: _, ...answer } = result;
    ctx.body = answer;
  });
  return router;
}
