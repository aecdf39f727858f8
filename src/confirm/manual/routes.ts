// POST /api/payments/:paymentId/confirm: V2's manual confirm, called by the organizer's server.

import Router from '@koa/router';
import type { Context } from 'koa';
import { readBody } from '../../http/body.ts';
import { parse } from '../../http/parse.ts';
import { callerOf, confirmedBody, writeRefusal } from '../handler.ts';
import { buyerText } from '../texts.ts';
import type { Verdict } from '../verdict.ts';
import { type ManualAnswer, ManualDesk, type ManualOptions } from './manual-desk.ts';
import { manualBody, merchantUidPart } from './schema.ts';
import { OCCASION_TEXTS } from './texts.ts';

export interface ManualRouteOptions extends ManualOptions {
  bodyMaxBytes: number;
  onAnswer?: (verdict: Verdict, latencyMs: number) => void;
}

export function manualRoutes(options: ManualRouteOptions): Router {
  const router = new Router({ prefix: '/api/payments' });
  const desk = new ManualDesk(options);
  router.post('/:paymentId/confirm', async (ctx) => {
    const caller = callerOf(ctx, options.clock);
    const merchantUid = parse(merchantUidPart, ctx.params.paymentId);
    const body = parse(manualBody, (await readBody(ctx, options.bodyMaxBytes)).value);
    const { paymentToken, txId = null, amount = null } = body;
    const answer = await desk.ask({ merchantUid, paymentToken, txId, amount }, caller);
    write(ctx, answer);
    const latencyMs = options.clock.now().getTime() - caller.arrivedAt;
    options.onAnswer?.(answer.verdict, answer.decidedInMs ?? latencyMs);
    const { verdict, eventId, paid } = answer;
    const { code, position } = verdict;
    const line = { merchantUid, paymentId: txId, eventId, code, position, paid, latencyMs };
    options.log.info(line, 'manual confirm answered');
  });
  return router;
}

function write(ctx: Context, answer: ManualAnswer): void {
  const { verdict, language, paid, paidAt, depositBy, gateway, occasion } = answer;
  if (verdict.code === 'confirmed') {
    ctx.status = 200;
    ctx.body = {
      ...confirmedBody(verdict),
      paid,
      ...(paid ? { paidAt: paidAt ?? null } : { depositBy: depositBy ?? null }),
    };
    return;
  }
  const text = occasion ? OCCASION_TEXTS[occasion][language] : buyerText(verdict, language);
  writeRefusal(ctx, verdict, text, {
    ...(paid === undefined ? {} : { paid }),
    ...(gateway === undefined ? {} : { gateway }),
  });
}
