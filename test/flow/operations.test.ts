// What operators and their machines see: health, metrics, and a document that tells the truth.

import type Router from '@koa/router';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { readConfirmRequest } from '../../src/confirm/request.ts';
import { REFUSAL_STATUS, VERDICT_CODES } from '../../src/confirm/verdict.ts';
import { openApi } from '../../src/dependencies.ts';
import { PROBLEM_STATUS } from '../../src/http/problem.ts';
import { createMetrics } from '../../src/operations/metrics.ts';
import { openApiDocument } from '../../src/operations/openapi.ts';
import { answerSchemas } from '../../src/operations/openapi-answers.ts';
import { confirmDialects } from '../../src/operations/openapi-requests.ts';
import { VERDICT_MEANING } from '../../src/operations/openapi-words.ts';
import { gatewayRoutes, operationsRoutes, organizerRoutes } from '../../src/routes.ts';
import { authenticate, confirmByHand } from '../support/manual.ts';
import { askRefund, refundBecomes, sell } from '../support/refunds.ts';
import { until } from '../support/wait.ts';
import { type HttpResult, openWorld, type World } from '../support/world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld({ carrier: 'postgres' });
});
afterAll(() => world?.close());

describe('health and metrics', () => {
  test('a process that runs is live and ready, with each part named', async () => {
    const live = await world.call('GET', '/health/live');
    expect(live).toMatchObject({ status: 200, body: { status: 'live' } });
    const ready = await world.call('GET', '/health/ready');
    expect(ready).toMatchObject({
      status: 200,
      body: { status: 'ready', checks: { postgres: 'ok', queue: 'ok', migrations: 'ok' } },
    });
    expect(answerSchemas.Ready.parse(ready.body)).toBeDefined();
  });

  test('a database that lacks a migration is not ready', async () => {
    const [last] = await world.sql<{ name: string }>(
      `UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = (
         SELECT id FROM _prisma_migrations ORDER BY migration_name DESC LIMIT 1)
       RETURNING migration_name AS name`,
    );
    const ready = await world.call('GET', '/health/ready');
    expect(ready).toMatchObject({
      status: 503,
      body: { status: 'not_ready', checks: { postgres: 'ok', migrations: 'failed' } },
    });
    expect(answerSchemas.Ready.parse(ready.body)).toBeDefined();
    const mend = 'UPDATE _prisma_migrations SET rolled_back_at = NULL WHERE migration_name = $1';
    await world.sql(mend, last?.name);
    expect((await world.call('GET', '/health/ready')).status).toBe(200);
  });

  test('metrics count every verdict code, from zero on', async () => {
    const before = await figure('seatline_verdicts_total{code="sold_out"}');
    const event = await world.event(1);
    const [first, second] = await world.orders(event, 2);
    if (!first || !second) throw new Error('no orders');
    expect((await world.confirm(first)).status).toBe(200);
    expect((await world.confirm(second)).body.code).toBe('all_held');
    expect(await figure('seatline_verdicts_total{code="all_held"}')).toBeGreaterThan(0);
    expect(await figure('seatline_verdicts_total{code="sold_out"}')).toBe(before);
    const text = (await world.call('GET', '/metrics')).body;
    for (const code of VERDICT_CODES) {
      expect(text).toContain(`seatline_verdicts_total{code="${code}"}`);
    }
  });

  async function figure(name: string): Promise<number> {
    const text: string = (await world.call('GET', '/metrics')).body;
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.split(' ')[1]);
  }
});

const document = openApiDocument();

// biome-ignore lint/suspicious/noExplicitAny: a JSON document is walked through
function operationOf(route: string): any {
  const [method = '', path = ''] = route.split(' ');
  return document.paths[path]?.[method];
}

describe('the document', () => {
  test('is served without a key, and is OpenAPI 3.1', async () => {
    const served = await world.call('GET', '/openapi.json', undefined, { authorization: '' });
    expect(served.status).toBe(200);
    expect(served.body.openapi).toMatch(/^3\.1\./);
    expect(served.body).toEqual(JSON.parse(JSON.stringify(document)));
  });

  test('has every route that is registered, and no other', async () => {
    const d = world.service.dependencies;
    // Figures of its own: the service's are registered already.
    const own = { ...d, metrics: createMetrics(d.database, d.clock) };
    const api = await openApi(own, 'a secret of some length', () => world.url);
    try {
      const open = [gatewayRoutes(api), operationsRoutes({ ...d, stopping: () => false })];
      const registered = [...open, ...organizerRoutes(api)].flatMap(routesOf).sort();
      const documented = Object.entries(document.paths)
        .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
        .sort();
      expect(documented).toEqual(registered);
      const guarded = organizerRoutes(api).flatMap(routesOf).sort();
      const secured = documented.filter((route) => 'security' in operationOf(route)).sort();
      expect(secured).toEqual(guarded);
    } finally {
      await api.close();
    }
  });

  test('has every verdict code, with its HTTP status', () => {
    const { responses, description } = operationOf('post /confirm');
    for (const [code, status] of Object.entries(REFUSAL_STATUS)) {
      const answer = responses[status];
      const codes = answer?.content['application/json'].schema.allOf[1].properties.code.enum;
      expect(codes, code).toContain(code);
      expect(description).toContain(`| \`${code}\` | ${status} | `);
    }
    expect(Object.keys(VERDICT_MEANING).sort()).toEqual([...VERDICT_CODES].sort());
  });

  test('has every problem code, and no reference that leads nowhere', () => {
    const schemas = (document.components as { schemas: Record<string, object> }).schemas;
    expect(schemas.Problem).toMatchObject({
      properties: { code: { enum: Object.keys(PROBLEM_STATUS) } },
    });
    const refs = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
    for (const [, name] of refs) expect(schemas, name).toHaveProperty(name ?? '');
  });

  function routesOf(router: Router): string[] {
    return router.stack.flatMap((layer) =>
      layer.methods
        .filter((method) => method !== 'HEAD')
        .map((method) => {
          const path = String(layer.path).replace(/:(\w+)/g, '{$1}');
          return `${method.toLowerCase()} ${path.replace(/\/$/, '')}`;
        }),
    );
  }
});

describe('what the document says of answers holds for real ones', () => {
  const like = (schema: z.ZodType, body: unknown) => expect(schema.parse(body)).toEqual(body);

  test('on the road of an order from registration to release', async () => {
    const slug = world.name('documented');
    const ticketTypes = [{ code: 'ga', name: 'General', price: 10_000 }];
    const body = { slug, name: 'x', opensAt: '2020-01-01T00:00:00Z', ticketTypes };
    const created = await world.call('POST', '/api/events', body);
    like(answerSchemas.Event, created.body);
    const rows = { ticketType: 'ga', rows: [{ section: 'A', row: '1', from: 1, to: 2 }] };
    const seats = await world.call('POST', `/api/events/${slug}/seats`, rows);
    like(answerSchemas.SeatsCreated, seats.body);
    const [first, second] = await world.orders(slug, 2);
    if (!first || !second) throw new Error('no orders');
    like(answerSchemas.RegisteredOrders, [first, second]);
    const confirmed = await world.confirm(first);
    like(answerSchemas.Confirmed, confirmed.body);
    like(answerSchemas.Refused, (await world.confirm(second, 'imp', 1)).body);
    like(answerSchemas.Order, (await world.call('GET', `/api/orders/${first.merchantUid}`)).body);
    const release = { orders: [first.merchantUid], reason: 'no longer wanted' };
    const released = await world.call('POST', `/api/events/${slug}/release`, release);
    expect(released.status).toBe(200);
    like(answerSchemas.Released, released.body);
    const audit = await world.audit(slug);
    like(answerSchemas.Audit, audit);
    const stored = await world.call('POST', '/webhook', { imp_uid: 'a', merchant_uid: 'b' });
    like(answerSchemas.WebhookStored, stored.body);
  });

  test('on problems', async () => {
    const none = await world.call('GET', '/api/orders/nowhere');
    expect(none).toMatchObject({ status: 404, body: { code: 'not_found' } });
    like(answerSchemas.Problem, none.body);
    const bad = await world.call('POST', '/api/events', {});
    expect(bad).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
    like(answerSchemas.Problem, bad.body);
    const stranger = await world.call('GET', '/api/orders/x', undefined, { authorization: 'x' });
    expect(stranger).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    like(answerSchemas.Problem, stranger.body);
  });
});

describe('what the document says of answers about money holds for real ones', () => {
  type Answers = typeof answerSchemas;

  /** Of this shape, and of a status and a code that the document has for this route. */
  function told(route: string, answer: HttpResult, status: number, name: keyof Answers) {
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    expect(answerSchemas[name].parse(answer.body)).toEqual(answer.body);
    const { content } = operationOf(route).responses[status];
    const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
    const schema = JSON.stringify(content[type]?.schema);
    expect(schema).toContain(`"#/components/schemas/${name}"`);
    if (name === 'Problem' || name === 'ManualRefused') {
      expect(schema).toContain(`"${answer.body.code}"`);
    }
    return answer.body;
  }

  test('on the road of a refund, and its refusals', async () => {
    const asking = 'post /api/orders/{merchantUid}/refunds';
    const { event, order, seats } = await sell(world, 3);
    const seat = { seats: seats.slice(0, 1) };
    told(asking, await askRefund(world, order, { ...seat, dryRun: true }), 200, 'RefundAsked');
    const { id } = told(asking, await askRefund(world, order, seat), 202, 'RefundAsked');
    expect(told(asking, await askRefund(world, order, seat), 200, 'RefundAsked').id).toBe(id);
    await refundBecomes(world, id, 'done');
    const one = 'get /api/refunds/{id}';
    told(one, await world.call('GET', `/api/refunds/${id}`), 200, 'Refund');
    told(one, await world.call('GET', '/api/refunds/0'), 404, 'Problem');
    const list = 'get /api/events/{slug}/refunds';
    const listed = await world.call('GET', `/api/events/${event}/refunds?state=done&limit=1`);
    expect(told(list, listed, 200, 'Refunds').refunds).toHaveLength(1);
    const odd = await world.call('GET', `/api/events/${event}/refunds?state=lost`);
    told(list, odd, 422, 'Problem');
    const unknown = told(asking, await askRefund(world, { merchantUid: 'none' }), 404, 'Problem');
    expect(unknown.reason).toBe('unknown_order');
    const tooMuch = await askRefund(world, order, { amount: 900_000 });
    expect(told(asking, tooMuch, 422, 'Problem')).toMatchObject({
      reason: 'too_much',
      left: 20_000,
    });
    for (const change of ['retry', 'cancel']) {
      const done = await world.call('POST', `/api/refunds/${id}/${change}`);
      told(`post /api/refunds/{id}/${change}`, done, 409, 'Problem');
    }
    const release = { orders: [order.merchantUid], refund: true, reason: 'no concert' };
    const released = await world.call('POST', `/api/events/${event}/release`, release);
    told('post /api/events/{slug}/release', released, 200, 'Released');
    expect(released.body).toMatchObject({ refunds: [{ amount: 20_000 }], refused: [], sold: [] });
  });

  test("on a refund that needs the buyer's account, and on one paid by hand", async () => {
    const extra = { virtualAccounts: { policy: 'allow' } };
    const { order } = await sell(world, 1, { method: 'vbank', extra });
    const { id } = (await askRefund(world, order)).body;
    const waiting = await refundBecomes(world, id, 'needs_person');
    expect(answerSchemas.Refund.parse(waiting)).toMatchObject({ lastError: 'needs_account' });
    const give = (account: object) => world.call('POST', `/api/refunds/${id}/account`, account);
    const giving = 'post /api/refunds/{id}/account';
    told(giving, await give({ bank: 'SHINHAN' }), 422, 'Problem');
    const paid = await world.call('POST', `/api/refunds/${id}/by-hand`, { note: 'cash' });
    expect(told('post /api/refunds/{id}/by-hand', paid, 200, 'Refund').byHand).toBe(true);
    const account = { bank: 'SHINHAN', number: '110-123-456789', holder: 'Kim' };
    expect(told(giving, await give(account), 409, 'Problem').reason).toBe('closed');
  });

  test('on cases, the ledger and a reconciliation', async () => {
    const { event, order, paymentId } = await sell(world, 2);
    world.sandbox.cancelInConsole(paymentId, 4_000);
    const path = `/api/events/${event}/cases?open=true`;
    const cases = await until('a case is open', async () => {
      const page = await world.call('GET', path);
      return page.body.cases.length === 1 && page;
    });
    const { id } = told('get /api/events/{slug}/cases', cases, 200, 'Cases').cases[0];
    const ledger = 'get /api/orders/{merchantUid}/ledger';
    const read = () => world.call('GET', `/api/orders/${order.merchantUid}/ledger`);
    expect(told(ledger, await read(), 200, 'Ledger')).toMatchObject({ balance: -4_000 });
    const close = () => world.call('POST', `/api/cases/${id}/close`, { note: 'a kindness' });
    const closing = 'post /api/cases/{id}/close';
    expect(told(closing, await close(), 200, 'CaseClosed')).toMatchObject({ accepted: 4_000 });
    told(closing, await close(), 409, 'Problem');
    expect(told(ledger, await read(), 200, 'Ledger')).toMatchObject({ balance: 0, closed: true });
    const run = await world.call('POST', `/api/events/${event}/reconcile`, {});
    told('post /api/events/{slug}/reconcile', run, 200, 'Reconciliation');
    const runs = await world.call('GET', `/api/events/${event}/reconciliations`);
    told('get /api/events/{slug}/reconciliations', runs, 200, 'Reconciliations');
    const view = await world.call('GET', `/api/orders/${order.merchantUid}`);
    told('get /api/orders/{merchantUid}', view, 200, 'Order');
  });

  test('on manual confirms, paid, waiting and refused', async () => {
    const route = 'post /api/payments/{paymentId}/confirm';
    const event = await world.event(3, { virtualAccounts: { policy: 'allow' } });
    const asked = async (how: Parameters<typeof authenticate>[2], extra = {}) => {
      const order = await world.order(event);
      return confirmByHand(world, order, await authenticate(world, order, how), extra);
    };
    expect(told(route, await asked({}), 200, 'ManualConfirmed').paid).toBe(true);
    const account = told(route, await asked({ method: 'vbank' }), 200, 'ManualConfirmed');
    expect(account).toMatchObject({ paid: false, depositBy: expect.any(String) });
    const declined = told(route, await asked({ buyer: 'decline' }), 409, 'ManualRefused');
    expect(declined).toMatchObject({ paid: false, gateway: { type: 'PG_PROVIDER' } });
    const wrong = told(route, await asked({}, { amount: 1 }), 422, 'ManualRefused');
    expect(wrong.code).toBe('amount_mismatch');
    expect(wrong).not.toHaveProperty('paid');
    told(route, await asked({}, { more: 1 }), 422, 'Problem');
    const path = '/api/payments/x/confirm';
    told(route, await world.call('POST', path, '{'), 400, 'Problem');
    const stranger = { authorization: 'x' };
    told(route, await world.call('POST', path, {}, stranger), 401, 'Problem');
  });

  test('on a confirm request that was sent to the webhook', async () => {
    const request = { imp_uid: 'i', merchant_uid: 'm', amount: 1 };
    told('post /webhook', await world.call('POST', '/webhook', request), 422, 'Problem');
    expect(Object.keys(operationOf('post /webhook').responses)).toContain('403');
  });
});

describe('what the document says of requests holds for the readers of them', () => {
  const v2 = (data: unknown) => ({ type: 'Transaction.Confirm', timestamp: 'x', data });
  const uids = { imp_uid: 'i', merchant_uid: 'm' };
  const ids = { paymentId: 'p', transactionId: 't' };

  test.each([
    ['ConfirmV1', { ...uids, amount: 1 }],
    ['ConfirmV1', { ...uids, amount: '1000.00', status: 'ready' }],
    ['ConfirmV1', uids],
    ['ConfirmV1', { ...uids, amount: null }],
    ['ConfirmV1', { ...uids, amount: -1 }],
    ['ConfirmV1', { ...uids, amount: 'many' }],
    ['ConfirmV1', { ...uids, imp_uid: '' }],
    ['ConfirmV1', { imp_uid: 'i' }],
    ['ConfirmV1', { ...uids, imp_uid: 'x'.repeat(201) }],
    ['ConfirmV2Early', { payment_id: 'p', tx_id: 't', total_amount: '5' }],
    ['ConfirmV2Early', { payment_id: 'p', tx_id: 't' }],
    ['ConfirmV2Early', { payment_id: 'p', tx_id: 't', total_amount: 1.5 }],
    ['ConfirmV2', v2({ ...ids, totalAmount: 5, storeId: 's' })],
    ['ConfirmV2', v2(ids)],
    ['ConfirmV2', { ...v2({ ...ids, totalAmount: 5 }), type: 'Transaction.Paid' }],
  ] as const)('%s %j', (dialect, body) => {
    expect(confirmDialects[dialect].safeParse(body).success).toBe(readConfirmRequest(body).ok);
  });
});

describe('the page', () => {
  test('is made of our own files only, and its policy allows no others', async () => {
    const page = await world.call('GET', '/docs');
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/https?:|unsafe-eval|script-src[^;]*unsafe/);
    const addresses = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, a]) => a);
    expect(addresses).toHaveLength(4);
    for (const address of addresses) {
      const file = await world.call('GET', `/${address}`);
      expect(file.status, address).toBe(200);
      expect(file.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  test.each(['swagger-ui.js', 'package.json', '..%2fpackage.json', 'index.html'])(
    'serves nothing else: %s',
    async (file) => {
      expect((await world.call('GET', `/docs/${file}`)).status).toBe(404);
    },
  );

  test('with a slash at its end leads to the page', async () => {
    const answer = await world.call('GET', '/docs/');
    expect(answer.status).toBe(302);
    const location = new URL(answer.headers.get('location') ?? '', `${world.url}/docs/`);
    expect(location.pathname).toBe('/docs');
  });
});
