/** The sandbox's own endpoints, for people with curl: pay, deposit, look at the books, break things. */

import Router from '@koa/router';
import { z } from 'zod';
import { approveById, dispute, failById, resendInConsole, resolveDispute } from './aftermath.ts';
import { authenticate } from './authenticate.ts';
import { booksOf } from './books.ts';
import { cancelInConsole } from './cancel.ts';
import { CheckoutDesk } from './checkout/desk.ts';
import { deposit } from './decide.ts';
import type { Gateway } from './gateway.ts';
import { pay } from './pay.ts';
import { type RestContext, type RestMiddleware, type RestState, readFields } from './rest.ts';
import { signWith } from './signing.ts';

const console_ = z.strictObject({
  amount: z.number().int().positive().optional(),
  reason: z.string().max(200).optional(),
});

const wish = z.strictObject({ reason: z.string().min(1).max(200).optional() });
const signed = z.strictObject({ signWith });
const resent = z.strictObject({ webhookId: z.string().max(100).optional() });

const DISPUTED = '구매자가 카드사에 이의를 제기했습니다.';
const NOT_APPROVED = '[PG] 결제가 최종 승인되지 않았습니다.';

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
  router.put('/signing', read, (ctx) =>
    answering(ctx, () => {
      const wanted = signed.parse(ctx.state.fields);
      gateway.signing.use(wanted.signWith);
      return wanted;
    }),
  );
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
  router.post('/authentications', read, (ctx) =>
    answering(ctx, () => authenticate(gateway, ctx.state.fields)),
  );
  aftermath(router, gateway);
  checkout(router, gateway);
  const routes = router.routes() as unknown as RestMiddleware;
  return (ctx, next) =>
    isFromElsewhere(ctx) ? refuse(ctx, 'not from another site', 403) : routes(ctx, next);
}

/** What the console, the buyer's bank and time do to a payment. */
function aftermath(router: Router<RestState>, gateway: Gateway): void {
  const acts: Record<string, (id: string, fields: unknown) => boolean> = {
    approve: (id) => approveById(gateway, id),
    fail: (id, fields) => failById(gateway, id, wish.parse(fields).reason ?? NOT_APPROVED),
    dispute: (id, fields) => dispute(gateway, id, wish.parse(fields).reason ?? DISPUTED),
    resolveDispute: (id) => resolveDispute(gateway, id),
    resend: (id, fields) => resendInConsole(gateway, id, resent.parse(fields).webhookId),
  };
  for (const [name, act] of Object.entries(acts)) {
    router.post(`/payments/:id/${name}`, read, (ctx) =>
      answering(ctx, () => {
        const accepted = act(String(ctx.params.id), ctx.state.fields);
        return accepted ? { accepted } : { accepted, why: `cannot_${name}` };
      }),
    );
  }
}

function checkout(router: Router<RestState>, gateway: Gateway): void {
  const desk = new CheckoutDesk(gateway);
  router.post('/checkout', read, (ctx) =>
    answering(ctx, () => {
      const started = desk.start(ctx.state.fields);
      ctx.status = 202;
      return started;
    }),
  );
  router.get('/checkout/:id', (ctx) => {
    const view = desk.view(String(ctx.params.id));
    if (view === null) return refuse(ctx, 'there is no such checkout', 404);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = view;
  });
}

/** A page from elsewhere must not move the sandbox of whoever looks at it. curl sends no Origin. */
function isFromElsewhere(ctx: RestContext): boolean {
  const origin = ctx.get('origin');
  return origin !== '' && origin !== `${ctx.protocol}://${ctx.host}`;
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

function refuse(ctx: RestContext, message: string, status = 400): void {
  ctx.status = status;
  ctx.body = { message };
}
