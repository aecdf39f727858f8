// The organizer's API for events: create, look, add seats.

import Router from '@koa/router';
import type { Context } from 'koa';
import type { Database } from '../db/database.ts';
import { parseJson, readBody, readText } from '../http/body.ts';
import { parse } from '../http/parse.ts';
import { Problem } from '../http/problem.ts';
import { type AddSeatsResult, addSeats, createEvent, viewEvent } from './events.ts';
import { newEvent, newSeats } from './schema.ts';

export interface EventRoutesOptions {
  database: Database;
  bodyMaxBytes: number;
}

export function eventRoutes({ database, bodyMaxBytes }: EventRoutesOptions): Router {
  const router = new Router({ prefix: '/api/events' });

  router.post('/', async (ctx) => {
    const event = parse(newEvent, (await readBody(ctx, bodyMaxBytes)).value);
    const created = await createEvent(database, event);
    if (!created.ok) throw new Problem('conflict', `there is an event ${event.slug} already`);
    ctx.status = 201;
    ctx.body = await viewEvent(database, event.slug);
  });

  router.get('/:slug', async (ctx) => {
    const event = await viewEvent(database, slugOf(ctx));
    if (!event) throw new Problem('not_found', `there is no event ${slugOf(ctx)}`);
    ctx.body = event;
  });

  router.post('/:slug/seats', async (ctx) => {
    const text = await readText(ctx, bodyMaxBytes);
    const request = ctx.is('text/csv') ? text : parse(newSeats, parseJson(text));
    const added = await addSeats(database, slugOf(ctx), request);
    if (!added.ok) throw seatProblem(added, slugOf(ctx));
    ctx.status = 201;
    ctx.body = { created: added.created };
  });
  return router;
}

function slugOf(ctx: Context & { params: Record<string, string> }): string {
  return ctx.params.slug ?? '';
}

function seatProblem(result: Extract<AddSeatsResult, { ok: false }>, slug: string): Problem {
  if (result.reason === 'unknown_event')
    return new Problem('not_found', `there is no event ${slug}`);
  const { line, message } = result.fault;
  const code = result.reason === 'label_taken' ? 'conflict' : 'invalid_request';
  return new Problem(code, `line ${line}: ${message}; nothing was created`, { line });
}
