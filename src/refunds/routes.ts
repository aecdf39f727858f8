// The organizer's API for refunds: wish for one, look, help one along, or end it.

import Router from '@koa/router';
import type { Context } from 'koa';
import { readBody } from '../http/body.ts';
import { parse } from '../http/parse.ts';
import { Problem } from '../http/problem.ts';
import { type Amended, giveAccount, retryRefund, withdrawRefund } from './amend-refund.ts';
import { payByHand } from './by-hand.ts';
import { problemOf } from './problems.ts';
import { byHandNote, newRefund, refundAccount, refundId, refundQuery } from './schema.ts';
import type { RefundOptions } from './try-refund.ts';
import { listRefunds, viewRefund } from './view-refund.ts';
import { wishRefund } from './wish-refund.ts';

const ACTOR = 'organizer:api';

type Asked = Context & { params: Record<string, string> };

export function refundRoutes(options: RefundOptions, bodyMaxBytes: number): Router {
  const { database } = options;
  const router = new Router({ prefix: '/api' });
  const bodyOf = async (ctx: Context) => (await readBody(ctx, bodyMaxBytes)).value;
  const show = async (ctx: Context, id: number) => {
    const refund = await viewRefund(database, id);
    if (!refund) throw problemOf({ reason: 'unknown_refund' });
    ctx.body = refund;
  };
  /** Answers with the refund as it is afterwards. */
  const amend = async (ctx: Asked, change: (id: number) => Promise<Amended>) => {
    const id = idOf(ctx);
    const amended = await change(id);
    if (!amended.ok) throw problemOf(amended);
    await show(ctx, id);
  };

  router.post('/orders/:merchantUid/refunds', async (ctx) => {
    const wish = parse(newRefund, await bodyOf(ctx));
    const merchantUid = ctx.params.merchantUid ?? '';
    const wished = await wishRefund(options, { ...wish, merchantUid }, ACTOR);
    if (!wished.ok) throw problemOf(wished);
    const { ok: _, ...answer } = wished;
    ctx.status = wished.repeat || wished.id === null ? 200 : 202;
    ctx.body = answer;
  });

  router.get('/events/:slug/refunds', async (ctx) => {
    const { state, after, limit } = parse(refundQuery, ctx.query);
    const event = ctx.params.slug ?? '';
    const states = state && [state];
    const page = await listRefunds(database, { event, states, after, limit });
    if (!page) throw new Problem('not_found', `there is no event ${event}`);
    ctx.body = page;
  });

  router.get('/refunds/:id', (ctx) => show(ctx, idOf(ctx)));

  router.post('/refunds/:id/account', async (ctx) => {
    const account = parse(refundAccount, await bodyOf(ctx));
    await amend(ctx, (id) => giveAccount(options, id, account, ACTOR));
  });
  router.post('/refunds/:id/retry', (ctx) => amend(ctx, (id) => retryRefund(options, id, ACTOR)));
  router.post('/refunds/:id/cancel', (ctx) =>
    amend(ctx, (id) => withdrawRefund(options, id, ACTOR)),
  );
  router.post('/refunds/:id/by-hand', async (ctx) => {
    const { note } = parse(byHandNote, await bodyOf(ctx));
    const id = idOf(ctx);
    const paid = await payByHand(options, { id, note, actor: ACTOR });
    if (!paid.ok) throw problemOf(paid);
    await show(ctx, id);
  });
  return router;
}

function idOf(ctx: Asked): number {
  const id = refundId.safeParse(ctx.params.id);
  if (!id.success) throw problemOf({ reason: 'unknown_refund' });
  return id.data;
}
