/** The V1 REST API (`api.iamport.kr`): the envelope, its token, and the payment endpoints. */

import Router from '@koa/router';
import type { Endpoint } from './faults.ts';
import type { Gateway } from './gateway.ts';
import type { Payment } from './ledger.ts';
import { noteCancelRequest } from './request-notes.ts';
import {
  amountOf,
  faultsAt,
  isYes,
  type RestContext,
  type RestMiddleware,
  type RestState,
  reading,
  textOf,
} from './rest.ts';
import { changeAccount, closeAccount, issueAccount } from './rest-v1-accounts.ts';
import { answer, NO_SUCH_PAYMENT, refuse } from './rest-v1-answers.ts';
import { cancel } from './rest-v1-cancel.ts';
import { changedAtMs, many, paged, sorted, V1_STATUSES, windowOf } from './rest-v1-lookup.ts';
import { v1Payment, v1Status } from './rest-v1-shapes.ts';

const MAX_IDS = 100;
const MAX_MERCHANT_UID_LENGTH = 40;

export function v1Api(gateway: Gateway): RestMiddleware {
  const router = new Router<RestState>();
  tokenRoute(router, gateway);
  prepareRoutes(router, gateway);
  lookupRoutes(router, gateway);
  changeRoutes(router, gateway);
  const routes = router.routes() as unknown as RestMiddleware;
  return async (ctx, next) => {
    await routes(ctx, next);
    if (ctx.body === undefined && ctx.respond !== false) refuse(ctx, 404, 'Not Found', -1);
  };
}

/** Faults, then the body, then the token; the handler runs only when all three are in order. */
function guard(gateway: Gateway, endpoint: Endpoint): RestMiddleware[] {
  return [reading, faultsAt(gateway, 'v1', endpoint), body, token(gateway)];
}

const body: RestMiddleware = (ctx, next) =>
  ctx.state.readable ? next() : refuse(ctx, 400, '요청 본문을 해석할 수 없습니다.');

function token(gateway: Gateway): RestMiddleware {
  return (ctx, next) => {
    const value = ctx.get('authorization').replace(/^Bearer\s+/i, '');
    if (!gateway.tokens.isGoodForV1(value)) return refuse(ctx, 401, 'Unauthorized', -1);
    return next();
  };
}

function tokenRoute(router: Router<RestState>, gateway: Gateway): void {
  router.post('/users/getToken', reading, faultsAt(gateway, 'v1', 'token'), body, (ctx) => {
    const { imp_key, imp_secret } = ctx.state.fields;
    const { key, secret } = gateway.credentials.v1;
    if (imp_key !== key || imp_secret !== secret) {
      return refuse(ctx, 401, '인증에 실패하였습니다. API키와 secret을 확인하세요.', -1);
    }
    const { value, expiresAtMs } = gateway.tokens.v1();
    return answer(ctx, {
      access_token: value,
      now: Math.floor(gateway.clock() / 1_000),
      expired_at: Math.floor(expiresAtMs / 1_000),
    });
  });
}

function prepareRoutes(router: Router<RestState>, gateway: Gateway): void {
  const registered = gateway.ledger.registered('v1');
  const write = (ctx: RestContext, mustExist: boolean) => {
    const { fields } = ctx.state;
    const merchantUid = textOf(fields.merchant_uid);
    const amount = amountOf(fields.amount);
    if (merchantUid === null || merchantUid.length > MAX_MERCHANT_UID_LENGTH) {
      return refuse(ctx, 400, 'merchant_uid가 올바르지 않습니다.');
    }
    if (amount === null || !Number.isInteger(amount) || amount < 0) {
      return refuse(ctx, 400, 'amount가 올바르지 않습니다.');
    }
    const known = registered.get(merchantUid);
    if (mustExist && known === undefined) return refuse(ctx, 404, NO_SUCH_PAYMENT);
    // Undocumented: we take the same amount again and refuse another, so that a caller must PUT.
    if (!mustExist && known !== undefined && known.amount !== amount) {
      return refuse(ctx, 200, '이미 등록된 merchant_uid입니다.');
    }
    const agreed = { amount, currency: textOf(fields.currency) ?? 'KRW' };
    registered.set(merchantUid, agreed);
    return answer(ctx, { merchant_uid: merchantUid, ...agreed });
  };
  router.post('/payments/prepare', ...guard(gateway, 'prepare'), (ctx) => write(ctx, false));
  router.put('/payments/prepare', ...guard(gateway, 'prepare'), (ctx) => write(ctx, true));
  router.get('/payments/prepare/:merchant_uid', ...guard(gateway, 'prepare'), (ctx) => {
    const merchantUid = String(ctx.params.merchant_uid);
    const agreed = registered.get(merchantUid);
    if (agreed === undefined) return refuse(ctx, 404, NO_SUCH_PAYMENT);
    return answer(ctx, { merchant_uid: merchantUid, ...agreed });
  });
}

function lookupRoutes(router: Router<RestState>, gateway: Gateway): void {
  const { ledger } = gateway;
  const attempts = (ctx: RestContext & { params: Record<string, string> }): Payment[] | null => {
    const { merchant_uid, status } = ctx.params;
    const found = ledger.attemptsOf('v1', merchant_uid ?? '');
    if (status !== undefined && !isStatus(status)) {
      refuse(ctx, 400, '지원되지 않는 상태값입니다.');
      return null;
    }
    const matching = found.filter((one) => status === undefined || v1Status(one) === status);
    const inOrder = sorted(matching, ctx.query);
    if (inOrder === null) refuse(ctx, 400, '지원되지 않는 정렬입니다.');
    else if (inOrder.length === 0) refuse(ctx, 404, NO_SUCH_PAYMENT);
    return inOrder;
  };
  router.get('/payments/find/:merchant_uid{/:status}', ...guard(gateway, 'find'), (ctx) => {
    const first = attempts(ctx)?.[0];
    if (first !== undefined) answer(ctx, v1Payment(first));
  });
  router.get('/payments/findAll/:merchant_uid{/:status}', ...guard(gateway, 'findAll'), (ctx) => {
    const all = attempts(ctx);
    if (all !== null && all.length > 0) page(ctx, all);
  });
  router.get('/payments/status/:status', ...guard(gateway, 'status'), (ctx) =>
    byStatus(gateway, ctx, String(ctx.params.status)),
  );
  router.get('/payments', ...guard(gateway, 'payments'), (ctx) => byIds(gateway, ctx));
  router.get('/payments/:imp_uid', ...guard(gateway, 'payment'), (ctx) => {
    const payment = ledger.find('v1', String(ctx.params.imp_uid));
    // Since 2026-01-26 a test payment is hidden here, and only here, unless asked for.
    const hidden = payment?.test === true && !isYes(ctx.query.include_sandbox);
    if (payment === null || hidden) return refuse(ctx, 404, NO_SUCH_PAYMENT);
    return answer(ctx, v1Payment(payment));
  });
}

const isStatus = (status: string): boolean => V1_STATUSES.some((known) => known === status);

function page(ctx: RestContext, payments: Payment[]): void {
  const response = paged(payments, ctx.query);
  if (response === null) refuse(ctx, 400, 'page 또는 limit이 올바르지 않습니다.');
  else answer(ctx, response);
}

function byStatus(gateway: Gateway, ctx: RestContext, status: string) {
  if (status !== 'all' && !isStatus(status)) {
    return refuse(ctx, 400, '지원되지 않는 상태값입니다.');
  }
  const window = windowOf(ctx.query, gateway.clock());
  if (window === null) return refuse(ctx, 400, '검색기간은 최대 90일입니다.');
  const { fromMs, toMs } = window;
  const matching = [...gateway.ledger.payments('v1')].filter((payment) => {
    const atMs = changedAtMs(payment);
    return (status === 'all' || v1Status(payment) === status) && atMs >= fromMs && atMs <= toMs;
  });
  const inOrder = sorted(matching, ctx.query);
  if (inOrder === null) return refuse(ctx, 400, '지원되지 않는 정렬입니다.');
  return page(ctx, inOrder);
}

function byIds(gateway: Gateway, ctx: RestContext) {
  const { ledger } = gateway;
  const impUids = many(ctx.query['imp_uid[]']);
  const merchantUids = many(ctx.query['merchant_uid[]']);
  const asked = impUids.length + merchantUids.length;
  if (asked === 0 || asked > MAX_IDS) return refuse(ctx, 400, `1건부터 ${MAX_IDS}건까지입니다.`);
  const found = new Set<Payment>();
  let missing = 0;
  for (const impUid of impUids) {
    const payment = ledger.find('v1', impUid);
    if (payment === null) missing += 1;
    else found.add(payment);
  }
  for (const merchantUid of merchantUids) {
    const payments = ledger.attemptsOf('v1', merchantUid);
    if (payments.length === 0) missing += 1;
    for (const payment of payments) found.add(payment);
  }
  if (found.size === 0) return refuse(ctx, 404, NO_SUCH_PAYMENT);
  answer(ctx, [...found].map(v1Payment));
  if (missing > 0) ctx.status = 207;
}

function changeRoutes(router: Router<RestState>, gateway: Gateway): void {
  const noted = noteCancelRequest(gateway, 'v1');
  router.post('/payments/cancel', reading, noted, ...guard(gateway, 'cancel'), (ctx) =>
    cancel(gateway, ctx),
  );
  router.post('/vbanks', ...guard(gateway, 'issueAccount'), (ctx) => issueAccount(gateway, ctx));
  router.put('/vbanks/:imp_uid', ...guard(gateway, 'changeAccount'), (ctx) =>
    changeAccount(gateway, ctx, String(ctx.params.imp_uid)),
  );
  router.delete('/vbanks/:imp_uid', ...guard(gateway, 'closeAccount'), (ctx) =>
    closeAccount(gateway, ctx, String(ctx.params.imp_uid)),
  );
}
