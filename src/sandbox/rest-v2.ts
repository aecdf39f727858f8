/** The V2 REST API (`api.portone.io`): typed errors, the secret, and the payment endpoints. */

import Router from '@koa/router';
import type { Endpoint } from './faults.ts';
import type { Gateway } from './gateway.ts';
import { idempotent } from './idempotency.ts';
import { noteCancelRequest, noteChargeRequest } from './request-notes.ts';
import {
  faultsAt,
  type RestContext,
  type RestMiddleware,
  type RestState,
  reading,
} from './rest.ts';
import { answer, refuse } from './rest-v2-answers.ts';
import { cancel, closeAccount, confirm, preRegister, resendWebhook } from './rest-v2-changes.ts';
import { byCursor, byPage, one, transactions } from './rest-v2-lookup.ts';

export function v2Api(gateway: Gateway): RestMiddleware {
  const router = new Router<RestState>();
  const once = idempotent(gateway.clock);
  loginRoute(router, gateway);
  lookupRoutes(router, gateway);
  changeRoutes(router, gateway, once);
  const routes = router.routes() as unknown as RestMiddleware;
  return async (ctx, next) => {
    await routes(ctx, next);
    if (ctx.body === undefined && ctx.respond !== false) refuse(ctx, 404, 'NOT_FOUND');
  };
}

function lookupRoutes(router: Router<RestState>, gateway: Gateway): void {
  router.get('/payments-by-cursor', ...guard(gateway, 'paymentsByCursor'), (ctx) =>
    byCursor(gateway, ctx),
  );
  router.get('/payments', ...guard(gateway, 'payments'), (ctx) => byPage(gateway, ctx));
  router.get('/payments/:id', ...guard(gateway, 'payment'), (ctx) =>
    one(gateway, ctx, String(ctx.params.id)),
  );
  router.get('/payments/:id/transactions', ...guard(gateway, 'transactions'), (ctx) =>
    transactions(gateway, ctx, String(ctx.params.id)),
  );
}

const NOTES: Partial<Record<Endpoint, (gateway: Gateway) => RestMiddleware>> = {
  cancel: (gateway) => noteCancelRequest(gateway, 'v2'),
  confirm: noteChargeRequest,
};

type Change = (gateway: Gateway, ctx: RestContext, id: string) => Promise<void> | void;

function changeRoutes(router: Router<RestState>, gateway: Gateway, once: RestMiddleware): void {
  const add = (path: string, endpoint: Endpoint, change: Change): void => {
    const notes = NOTES[endpoint]?.(gateway);
    const noted = notes === undefined ? [] : [notes];
    router.post(
      `/payments/:id/${path}`,
      reading,
      ...noted,
      once,
      ...guard(gateway, endpoint),
      (ctx) => change(gateway, ctx, String(ctx.params.id)),
    );
  };
  add('cancel', 'cancel', cancel);
  add('confirm', 'confirm', confirm);
  add('pre-register', 'prepare', preRegister);
  add('resend-webhook', 'resendWebhook', resendWebhook);
  add('virtual-account/close', 'closeAccount', closeAccount);
}

function guard(gateway: Gateway, endpoint: Endpoint): RestMiddleware[] {
  return [reading, faultsAt(gateway, 'v2', endpoint), body, secret(gateway)];
}

const body: RestMiddleware = (ctx, next) =>
  ctx.state.readable
    ? next()
    : refuse(ctx, 400, 'INVALID_REQUEST', 'the body is not a JSON object');

function secret(gateway: Gateway): RestMiddleware {
  return (ctx, next) => {
    const [scheme, value = ''] = ctx.get('authorization').split(/\s+/, 2);
    const good =
      scheme === 'PortOne'
        ? value === gateway.credentials.v2.apiSecret
        : scheme === 'Bearer' && gateway.tokens.isGoodForV2(value);
    return good ? next() : refuse(ctx, 401, 'UNAUTHORIZED');
  };
}

function loginRoute(router: Router<RestState>, gateway: Gateway): void {
  router.post('/login/api-secret', reading, faultsAt(gateway, 'v2', 'token'), body, (ctx) => {
    if (ctx.state.fields.apiSecret !== gateway.credentials.v2.apiSecret) {
      return refuse(ctx, 401, 'UNAUTHORIZED');
    }
    const accessToken = gateway.tokens.v2();
    return answer(ctx, { accessToken, refreshToken: `refresh.${accessToken}` });
  });
}
