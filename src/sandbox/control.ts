/** The sandbox's own endpoints, for people with curl: pay, deposit, look at the books, break things. */

import Router from '@koa/router';
import { z } from 'zod';
import { booksOf } from './books.ts';
import { cancelInConsole } from './cancel.ts';
import type { Gateway } from './gateway.ts';
import { deposit, pay } from './pay.ts';
import { type RestContext, type RestMiddleware, type RestState, readFields } from './rest.ts';

const console_ = z.strictObject({
  amount: z.number().int().positive().optional(),
  reason: z.string().max(200).optional(),
});

export function controlApi(gateway: Gateway, help: () => string): RestMiddleware {
  const router = new Router<RestState>({ prefix: '/sandbox' });
  router.get('/', (ctx) => {
    ctx.type = 'text/plain; charset=utf-8';
    ctx.body = help();
  });
  router.get('/books', (ctx) => {
    ctx.body = booksOf(gateway.ledger);
  });
  router.get('/faults', (ctx) => {
    ctx.body = gateway.faults.state();
  });
  router.put('/faults', read, (ctx) => answering(ctx, () => gateway.faults.set(ctx.state.fields)));
  router.post('/tokens/expire', (ctx) => {
    gateway.faults.expireTokens();
    ctx.status = 204;
  });
  router.post('/payments', read, (ctx) => answering(ctx, () => pay(gateway, ctx.state.fields)));
  router.post('/payments/:id/deposit', (ctx) =>
    answering(ctx, () => deposit(gateway, String(ctx.params.id))),
  );
  router.post('/payments/:id/cancel', read, (ctx) =>
    answering(ctx, () => {
      const { amount, reason } = console_.parse(ctx.state.fields);
      return cancelInConsole(gateway, String(ctx.params.id), amount, reason);
    }),
  );
  return router.routes() as unknown as RestMiddleware;
}

const read: RestMiddleware = async (ctx, next) => {
  // curl -d without a header calls everything a form.
  const fields = await readFields(ctx, true);
  if (fields === null) return refuse(ctx, 'the body is not a JSON object');
  ctx.state.fields = fields;
  return next();
};

/** A request that makes no sense is answered with what is wrong with it. */
async function answering(ctx: RestContext, work: () => unknown): Promise<void> {
  try {
    ctx.body = await work();
  } catch (error) {
    if (error instanceof z.ZodError) return refuse(ctx, z.prettifyError(error));
    if (error instanceof TypeError || error instanceof RangeError) {
      return refuse(ctx, error.message);
    }
    throw error;
  }
}

function refuse(ctx: RestContext, message: string): void {
  ctx.status = 400;
  ctx.body = { message };
}
