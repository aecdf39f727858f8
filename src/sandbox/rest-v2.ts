/** The V2 REST API (`api.portone.io`): typed errors, the secret, and the payment endpoints. */

import Router from '@koa/router';
import { cancelPayment } from './cancel.ts';
import type { Endpoint } from './faults.ts';
import type { Gateway } from './gateway.ts';
import { idempotent } from './idempotency.ts';
import type { Payment } from './ledger.ts';
import {
  amountOf,
  faultsAt,
  isYes,
  type RestContext,
  type RestMiddleware,
  type RestState,
  readFields,
  textOf,
} from './rest.ts';
import { v2Cancellation, v2Payment } from './rest-v2-shapes.ts';
import type { CancelRefusal } from './types.ts';

const CANCEL_REFUSALS: Record<CancelRefusal, [status: number, type: string]> = {
  unknown_payment: [404, 'PAYMENT_NOT_FOUND'],
  not_paid: [409, 'PAYMENT_NOT_PAID'],
  already_cancelled: [409, 'PAYMENT_ALREADY_CANCELLED'],
  balance_differs: [409, 'CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN'],
  amount_too_large: [409, 'CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT'],
  invalid_amount: [400, 'INVALID_REQUEST'],
};

export function v2Api(gateway: Gateway): RestMiddleware {
  const router = new Router<RestState>();
  const once = idempotent(gateway.clock);
  loginRoute(router, gateway);
  router.get('/payments/:id', ...guard(gateway, 'payment'), (ctx) => {
    const payment = current(gateway, String(ctx.params.id));
    if (payment === null) return refuse(ctx, 404, 'PAYMENT_NOT_FOUND');
    return answer(ctx, v2Payment(payment));
  });
  router.post('/payments/:id/cancel', once, ...guard(gateway, 'cancel'), (ctx) =>
    cancel(gateway, ctx, String(ctx.params.id)),
  );
  router.post('/payments/:id/pre-register', once, ...guard(gateway, 'prepare'), (ctx) =>
    preRegister(gateway, ctx, String(ctx.params.id)),
  );
  const close = '/payments/:id/virtual-account/close';
  router.post(close, once, ...guard(gateway, 'closeAccount'), (ctx) =>
    closeAccount(gateway, ctx, String(ctx.params.id)),
  );
  const routes = router.routes() as unknown as RestMiddleware;
  return async (ctx, next) => {
    await routes(ctx, next);
    if (ctx.body === undefined && ctx.respond !== false) refuse(ctx, 404, 'NOT_FOUND');
  };
}

function refuse(ctx: RestContext, status: number, type: string, message?: string): void {
  ctx.status = status;
  ctx.body = { type, message: message ?? type.toLowerCase().replaceAll('_', ' ') };
}

function answer(ctx: RestContext, body: unknown): void {
  ctx.status = 200;
  ctx.body = body;
}

function guard(gateway: Gateway, endpoint: Endpoint): RestMiddleware[] {
  return [faultsAt(gateway, 'v2', endpoint), body, secret(gateway)];
}

const body: RestMiddleware = async (ctx, next) => {
  const fields = await readFields(ctx);
  if (fields === null) return refuse(ctx, 400, 'INVALID_REQUEST', 'the body is not a JSON object');
  ctx.state.fields = fields;
  return next();
};

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
  router.post('/login/api-secret', faultsAt(gateway, 'v2', 'token'), body, (ctx) => {
    if (ctx.state.fields.apiSecret !== gateway.credentials.v2.apiSecret) {
      return refuse(ctx, 401, 'UNAUTHORIZED');
    }
    const accessToken = gateway.tokens.v2();
    return answer(ctx, { accessToken, refreshToken: `refresh.${accessToken}` });
  });
}

/** An order's one payment that succeeded, else its latest attempt. */
function current(gateway: Gateway, id: string): Payment | null {
  const attempts = gateway.ledger.attemptsOf('v2', id);
  return attempts.find(({ paidAtMs }) => paidAtMs !== null) ?? attempts.at(-1) ?? null;
}

function cancel(gateway: Gateway, ctx: RestContext, id: string) {
  const { fields } = ctx.state;
  const reason = textOf(fields.reason);
  if (reason === null) return refuse(ctx, 400, 'INVALID_REQUEST', 'reason is required');
  const payment = current(gateway, id);
  if (payment === null) return refuse(ctx, 404, 'PAYMENT_NOT_FOUND');
  const refundable = payment.account === null || typeof fields.refundAccount === 'object';
  if (!refundable) return refuse(ctx, 400, 'INVALID_REQUEST', 'refundAccount is required');
  const request = {
    amount: amountOf(fields.amount),
    reason,
    expectedBalance: amountOf(fields.currentCancellableAmount),
    requester: 'api' as const,
  };
  const told = isYes(fields.skipWebhook) ? 'none' : 'payment_url';
  const outcome = cancelPayment(gateway, payment, request, told);
  if (!outcome.cancelled) return refuse(ctx, ...CANCEL_REFUSALS[outcome.why]);
  return answer(ctx, { cancellation: v2Cancellation(outcome.cancellation) });
}

function preRegister(gateway: Gateway, ctx: RestContext, id: string) {
  if (gateway.ledger.wasPaid('v2', id)) return refuse(ctx, 409, 'ALREADY_PAID');
  const { fields } = ctx.state;
  const amount = amountOf(fields.totalAmount);
  if (amount !== null && (!Number.isInteger(amount) || amount < 0)) {
    return refuse(ctx, 400, 'INVALID_REQUEST', 'totalAmount is not an integer');
  }
  // Without an amount there is nothing to compare with later.
  if (amount !== null) {
    const currency = textOf(fields.currency) ?? 'KRW';
    gateway.ledger.registered('v2').set(id, { amount, currency });
  }
  return answer(ctx, {});
}

function closeAccount(gateway: Gateway, ctx: RestContext, id: string) {
  const payment = current(gateway, id);
  if (payment === null) return refuse(ctx, 404, 'PAYMENT_NOT_FOUND');
  if (payment.account === null) return refuse(ctx, 409, 'PAYMENT_NOT_WAITING_FOR_DEPOSIT');
  const closedAtMs = gateway.ledger.closeAccount(payment);
  if (closedAtMs === null) return refuse(ctx, 409, 'PAYMENT_NOT_WAITING_FOR_DEPOSIT');
  gateway.courier.announce(payment, 'failed');
  return answer(ctx, { closedAt: new Date(closedAtMs).toISOString() });
}
