/** The sandbox's REST APIs have the documented shapes, refusals and faults, over real HTTP. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SANDBOX_V1, SANDBOX_V2, startSandbox } from '../../src/sandbox/server.ts';
import type { PayRequest, Sandbox } from '../../src/sandbox/types.ts';
import { type Json, json, type Merchant, startMerchant } from './sandbox-merchant.ts';

let merchant: Merchant;
let sandbox: Sandbox;
let now = 0;
let token = '';

beforeEach(async () => {
  now = Date.UTC(2026, 7, 6);
  merchant = await startMerchant();
  sandbox = await startSandbox({
    seed: 7,
    clock: () => now,
    webhookUrl: merchant.webhookUrl,
    timeScale: 60_000,
  });
  token = (await getToken()).access_token;
});

afterEach(async () => {
  await sandbox.close();
  await merchant.close();
});

interface Answer {
  status: number;
  body: Json & { response: Json; code: number; message: string | null };
}

async function call(method: string, path: string, body?: Json, auth?: string): Promise<Answer> {
  const response = await fetch(`${sandbox.url}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      authorization: auth ?? `Bearer ${token}`,
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}

const v2 = (method: string, path: string, body?: Json) =>
  call(method, path, body, `PortOne ${SANDBOX_V2.apiSecret}`);

async function getToken(): Promise<{ access_token: string; expired_at: number; now: number }> {
  const keys = { imp_key: SANDBOX_V1.key, imp_secret: SANDBOX_V1.secret };
  const { body } = await call('POST', '/users/getToken', keys, '');
  return body.response as never;
}

const order = (request: Partial<PayRequest> = {}): PayRequest => ({
  merchantUid: 'order-1',
  amount: 30_000,
  ...request,
});

describe('V1 token', () => {
  it('stays the same, lives 30 minutes, and is extended in its last minute', async () => {
    const first = await getToken();
    expect(first.expired_at - first.now).toBe(1_800);
    now += 1_000_000;
    expect(await getToken()).toMatchObject({ access_token: token, expired_at: first.expired_at });
    now += 770_000;
    expect((await getToken()).expired_at).toBe(first.expired_at + 300);
    now += 400_000;
    expect((await call('GET', '/payments/x')).status).toBe(401);
    expect((await getToken()).access_token).not.toBe(token);
  });

  it('is refused for bad keys, needed everywhere, taken bare, and can be voided', async () => {
    const bad = await call('POST', '/users/getToken', { imp_key: 'a', imp_secret: 'b' }, '');
    expect(bad).toMatchObject({ status: 401, body: { response: null } });
    expect((await call('GET', '/payments/x', undefined, 'Bearer nope')).status).toBe(401);
    expect((await call('GET', '/payments/x', undefined, token)).status).toBe(404);
    sandbox.faults.expireTokens();
    expect((await call('GET', '/payments/x')).status).toBe(401);
  });

  it('is given for a form as well', async () => {
    const response = await fetch(`${sandbox.v1Url}/users/getToken`, {
      method: 'POST',
      body: new URLSearchParams({ imp_key: SANDBOX_V1.key, imp_secret: SANDBOX_V1.secret }),
    });
    expect(await response.json()).toMatchObject({ code: 0, response: { access_token: token } });
  });
});

describe('V1 payments', () => {
  it('have the documented fields, unix seconds, and 0 where a time does not apply', async () => {
    const { paymentId } = await sandbox.pay(order());
    const { status, body } = await call('GET', `/payments/${paymentId}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ code: 0, message: null });
    const startedAt = now / 1_000;
    expect(body.response).toMatchObject({
      imp_uid: paymentId,
      merchant_uid: 'order-1',
      amount: 30_000,
      cancel_amount: 0,
      currency: 'KRW',
      status: 'paid',
      sandbox: false,
      pay_method: 'card',
      started_at: startedAt,
      paid_at: startedAt,
      failed_at: 0,
      cancelled_at: 0,
      vbank_date: 0,
      cancel_history: [],
    });
  });

  it('of a test channel are hidden from GET by id only, unless asked for', async () => {
    const { paymentId } = await sandbox.pay(order({ test: true }));
    expect(await call('GET', `/payments/${paymentId}`)).toMatchObject({
      status: 404,
      body: { response: null, message: '존재하지 않는 결제정보입니다.' },
    });
    const shown = await call('GET', `/payments/${paymentId}?include_sandbox=true`);
    expect(shown.body.response).toMatchObject({ sandbox: true });
    expect((await call('GET', '/payments/find/order-1')).status).toBe(200);
  });

  it('of a virtual account carry its number and due date', async () => {
    const { paymentId } = await sandbox.pay(order({ method: 'vbank', dueInMs: 60_000 }));
    expect((await call('GET', `/payments/${paymentId}`)).body.response).toMatchObject({
      status: 'ready',
      pay_method: 'vbank',
      paid_at: 0,
      vbank_num: expect.stringMatching(/^\d{14}$/),
      vbank_date: now / 1_000 + 60,
      vbank_issued_at: now / 1_000,
    });
    expect((await call('DELETE', `/vbanks/${paymentId}`)).status).toBe(200);
    expect((await call('DELETE', `/vbanks/${paymentId}`)).status).toBe(400);
  });

  it('are found by order, newest attempt first, and by status', async () => {
    await sandbox.pay(order({ buyer: 'decline' }));
    now += 5_000;
    const second = await sandbox.pay(order({ buyer: 'vanish' }));
    now += 5_000;
    const third = await sandbox.pay(order());
    const uid = async (path: string) => (await call('GET', path)).body.response?.imp_uid;
    expect(await uid('/payments/find/order-1')).toBe(third.paymentId);
    expect(await uid('/payments/find/order-1/ready')).toBe(second.paymentId);
    expect((await call('GET', '/payments/find/order-1/cancelled')).status).toBe(404);
    expect((await call('GET', '/payments/find/order-1/bogus')).status).toBe(400);
    const all = await call('GET', '/payments/findAll/order-1?limit=2&sorting=started');
    expect(all.body.response).toMatchObject({ total: 3, previous: 0, next: 2 });
    expect(all.body.response.list).toMatchObject([{ status: 'failed' }, { status: 'ready' }]);
    const one = await call('GET', '/payments/findAll/order-1/paid');
    expect(one.body.response.list).toMatchObject([{ imp_uid: third.paymentId }]);
  });

  it('are swept by status within a window of 90 days, in pages', async () => {
    for (let n = 0; n < 3; n += 1) {
      await sandbox.pay(order({ merchantUid: `order-${n}` }));
      now += 10_000;
    }
    const sweep = (path: string) => call('GET', `/payments/status/${path}`);
    expect((await sweep('paid?limit=2&page=2')).body.response).toMatchObject({
      total: 3,
      previous: 1,
      next: 0,
      list: [{ merchant_uid: 'order-0' }],
    });
    const from = now / 1_000 - 15;
    expect((await sweep(`all?from=${from}`)).body.response).toMatchObject({ total: 1 });
    expect((await sweep('failed')).body.response).toMatchObject({ total: 0, list: [] });
    expect((await sweep(`all?from=${from - 91 * 86_400}`)).status).toBe(400);
    expect((await sweep('all?limit=1001')).status).toBe(400);
    expect((await sweep('bogus')).status).toBe(400);
  });

  it('are read many at a time, 207 when some are missing', async () => {
    const { paymentId } = await sandbox.pay(order());
    const both = await call('GET', `/payments?imp_uid[]=${paymentId}&merchant_uid[]=order-1`);
    expect(both).toMatchObject({ status: 200, body: { response: { length: 1 } } });
    expect((await call('GET', `/payments?imp_uid[]=${paymentId}&imp_uid[]=no`)).status).toBe(207);
    expect((await call('GET', '/payments?imp_uid[]=no')).status).toBe(404);
  });
});

describe('V1 cancel', () => {
  it('gives all back when the amount is 0 or absent, and is silent by default', async () => {
    const { paymentId } = await sandbox.pay(order());
    await sandbox.idle();
    const { body } = await call('POST', '/payments/cancel', { imp_uid: paymentId, amount: 0 });
    expect(body).toMatchObject({
      code: 0,
      response: {
        status: 'cancelled',
        cancel_amount: 30_000,
        cancel_history: [{ amount: 30_000, cancellation_id: expect.any(String) }],
      },
    });
    await sandbox.idle();
    expect(merchant.webhooks).toHaveLength(1);
    const again = await call('POST', '/payments/cancel', { imp_uid: paymentId });
    expect(again).toMatchObject({ status: 200, body: { code: 1, response: null } });
  });

  it('in part is cancelled too, and tells when asked to, with the cancellation id', async () => {
    await sandbox.pay(order());
    const partly = { merchant_uid: 'order-1', amount: 10_000, enable_webhook: true };
    const { body } = await call('POST', '/payments/cancel', partly);
    expect(body.response).toMatchObject({
      status: 'cancelled',
      amount: 30_000,
      cancel_amount: 10_000,
    });
    await sandbox.idle();
    const [history] = body.response.cancel_history as Json[];
    expect(merchant.webhooks.map(json)).toContainEqual(
      expect.objectContaining({ status: 'cancelled', cancellation_id: history?.cancellation_id }),
    );
    expect(sandbox.books().totals.kept).toBe(20_000);
  });

  it('is aborted by a wrong checksum, at HTTP 200 with code 1', async () => {
    const { paymentId } = await sandbox.pay(order());
    const cancel = (fields: Json) =>
      call('POST', '/payments/cancel', { imp_uid: paymentId, ...fields });
    expect(await cancel({ checksum: 1 })).toMatchObject({
      status: 200,
      body: { code: 1, response: null },
    });
    expect((await cancel({ amount: 30_001 })).body.code).toBe(1);
    expect((await cancel({ amount: 10_000, checksum: 30_000 })).body.code).toBe(0);
    expect((await cancel({ checksum: 30_000 })).body.code).toBe(1);
    expect((await cancel({ checksum: 20_000 })).body.code).toBe(0);
  });

  it('refuses the unknown, the unpaid and the nameless; imp_uid wins', async () => {
    await sandbox.pay(order());
    const cancel = (fields: Json) => call('POST', '/payments/cancel', fields);
    expect(await cancel({ imp_uid: 'imp_no', merchant_uid: 'order-1' })).toMatchObject({
      status: 200,
      body: { code: 1, message: '취소할 결제건이 존재하지 않습니다.' },
    });
    await sandbox.pay(order({ merchantUid: 'order-2', buyer: 'vanish' }));
    expect((await cancel({ merchant_uid: 'order-2' })).body.code).toBe(1);
    expect((await cancel({})).status).toBe(400);
  });

  it('in the console always sends a webhook', async () => {
    const { paymentId } = await sandbox.pay(order());
    expect(sandbox.cancelInConsole(paymentId)).toMatchObject({ cancelled: true });
    await sandbox.idle();
    expect(merchant.webhooks.map((webhook) => json(webhook).status).sort()).toEqual([
      'cancelled',
      'paid',
    ]);
  });
});

describe('V1 prepare', () => {
  it('keeps the window shut for another amount', async () => {
    const agreed = { merchant_uid: 'order-1', amount: 30_000 };
    expect((await call('PUT', '/payments/prepare', agreed)).status).toBe(404);
    expect((await call('POST', '/payments/prepare', agreed)).body.response).toEqual({
      ...agreed,
      currency: 'KRW',
    });
    expect(await sandbox.pay(order({ amount: 100 }))).toMatchObject({
      notOpened: 'amount_not_as_registered',
      state: 'failed',
    });
    expect((await sandbox.pay(order())).state).toBe('paid');
    expect((await call('GET', '/payments/prepare/order-1')).body.response).toMatchObject(agreed);
    expect((await call('GET', '/payments/prepare/none')).status).toBe(404);
    const long = { merchant_uid: 'x'.repeat(41), amount: 1 };
    expect((await call('POST', '/payments/prepare', long)).status).toBe(400);
  });
});

describe('V2 payments', () => {
  it('are a union on status with sums and channel', async () => {
    const { paymentId } = await sandbox.pay(order({ dialect: 'v2' }));
    const { status, body } = await v2('GET', '/payments/order-1');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'PAID',
      id: 'order-1',
      transactionId: paymentId,
      channel: { type: 'LIVE' },
      amount: { total: 30_000, paid: 30_000, cancelled: 0, supply: 27_273, vat: 2_727 },
      currency: 'KRW',
      paidAt: new Date(now).toISOString(),
      method: { type: 'PaymentMethodCard' },
    });
  });

  it('show each status in turn', async () => {
    const status = async () => (await v2('GET', '/payments/order-1')).body.status;
    await sandbox.pay(order({ dialect: 'v2', buyer: 'decline' }));
    expect((await v2('GET', '/payments/order-1')).body).toMatchObject({
      status: 'FAILED',
      failure: { reason: expect.any(String) },
    });
    await sandbox.pay(order({ dialect: 'v2', buyer: 'vanish' }));
    expect(await status()).toBe('READY');
    const waits = { dialect: 'v2', buyer: 'vanish', pending: true } as const;
    const { paymentId } = await sandbox.pay(order(waits));
    expect(await status()).toBe('PAY_PENDING');
    sandbox.approve(paymentId);
    expect(await status()).toBe('PAID');
    await v2('POST', '/payments/order-1/cancel', { reason: 'r', amount: 1 });
    expect(await status()).toBe('PARTIAL_CANCELLED');
    await v2('POST', '/payments/order-1/cancel', { reason: 'r' });
    expect(await status()).toBe('CANCELLED');
    const account = order({ merchantUid: 'order-2', dialect: 'v2', method: 'vbank', test: true });
    await sandbox.pay(account);
    expect((await v2('GET', '/payments/order-2')).body).toMatchObject({
      status: 'VIRTUAL_ACCOUNT_ISSUED',
      channel: { type: 'TEST' },
      method: { accountNumber: expect.any(String), expiredAt: expect.any(String) },
    });
  });

  it('need the secret, or a token from it', async () => {
    await sandbox.pay(order({ dialect: 'v2' }));
    const wrong = await call('GET', '/payments/order-1', undefined, 'PortOne nope');
    expect(wrong).toMatchObject({ status: 401, body: { type: 'UNAUTHORIZED' } });
    const { apiSecret } = SANDBOX_V2;
    const login = await call('POST', '/login/api-secret', { apiSecret }, '');
    const bearer = `Bearer ${login.body.accessToken}`;
    expect((await call('GET', '/payments/order-1', undefined, bearer)).status).toBe(200);
    expect((await v2('GET', '/payments/none')).body.type).toBe('PAYMENT_NOT_FOUND');
    expect((await v2('GET', '/v2/payments/order-1')).status).toBe(200);
  });
});

describe('V2 cancel', () => {
  const cancel = (body: Json, id = 'order-1') => v2('POST', `/payments/${id}/cancel`, body);

  it('checks reason, balance and amount, and names each refusal', async () => {
    await sandbox.pay(order({ merchantUid: 'order-2', dialect: 'v2', buyer: 'vanish' }));
    await sandbox.pay(order({ dialect: 'v2' }));
    expect((await cancel({})).body.type).toBe('INVALID_REQUEST');
    const reason = 'sold out';
    const refusal = async (body: Json, id?: string) => {
      const answer = await cancel({ reason, ...body }, id);
      return `${answer.status} ${answer.body.type}`;
    };
    expect(await refusal({}, 'none')).toBe('404 PAYMENT_NOT_FOUND');
    expect(await refusal({}, 'order-2')).toBe('409 PAYMENT_NOT_PAID');
    expect(await refusal({ currentCancellableAmount: 1 })).toBe(
      '409 CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN',
    );
    expect(await refusal({ amount: 30_001 })).toBe('409 CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT');
    expect((await cancel({ reason })).body).toMatchObject({
      cancellation: { status: 'SUCCEEDED', totalAmount: 30_000, id: expect.any(String) },
    });
    expect(await refusal({})).toBe('409 PAYMENT_ALREADY_CANCELLED');
  });

  it('tells by webhook unless told not to', async () => {
    await sandbox.pay(order({ dialect: 'v2' }));
    await cancel({ reason: 'r', amount: 1, skipWebhook: true });
    await cancel({ reason: 'r' });
    await sandbox.idle();
    const types = merchant.webhooks.map((webhook) => json(webhook).type);
    expect(types).not.toContain('Transaction.PartialCancelled');
    expect(types).toContain('Transaction.Cancelled');
  });

  it('remembers an idempotency key, even when the answer was lost', async () => {
    await sandbox.pay(order({ dialect: 'v2' }));
    const keyed = (key: string) =>
      fetch(`${sandbox.url}/payments/order-1/cancel`, {
        method: 'POST',
        headers: {
          authorization: `PortOne ${SANDBOX_V2.apiSecret}`,
          'idempotency-key': key,
        },
        body: JSON.stringify({ reason: 'r', amount: 10_000 }),
      });
    const key = '"refund-of-order-1-a"';
    sandbox.faults.rest({ kind: 'answer_lost', endpoint: 'cancel', times: 1 });
    await expect(keyed(key)).rejects.toThrow();
    const second = await keyed(key);
    expect([second.status, (await keyed(key)).status]).toEqual([200, 200]);
    expect(sandbox.books().totals.cancelledAmount).toBe(10_000);
    expect((await keyed('short')).status).toBe(400);
    const held = sandbox.faults.at('v2', 'cancel', { answer: 'hang', hold: 'before' });
    const running = keyed('"refund-of-order-1-b"');
    await held.reached;
    expect(await (await keyed('"refund-of-order-1-b"')).json()).toMatchObject({
      type: 'IDEMPOTENCY_OUTSTANDING_REQUEST',
    });
    held.release();
    expect((await running).status).toBe(200);
  });

  it('pre-registers an amount until it is paid', async () => {
    const register = () => v2('POST', '/payments/order-1/pre-register', { totalAmount: 30_000 });
    expect((await register()).status).toBe(200);
    const shut = await sandbox.pay(order({ dialect: 'v2', amount: 1 }));
    expect(shut.notOpened).toBe('amount_not_as_registered');
    await sandbox.pay(order({ dialect: 'v2' }));
    expect(await register()).toMatchObject({ status: 409, body: { type: 'ALREADY_PAID' } });
  });
});

describe('faults', () => {
  it('fail, reset, hang or lose the answer of one endpoint, as often as told', async () => {
    const { paymentId } = await sandbox.pay(order());
    const get = () => call('GET', `/payments/${paymentId}`);
    const mend = sandbox.faults.rest({ kind: 'error', endpoint: 'payment', status: 502 });
    expect(await get()).toMatchObject({ status: 502, body: expect.stringContaining('<html>') });
    expect((await call('GET', '/payments/find/order-1')).status).toBe(200);
    mend();
    sandbox.faults.rest({ kind: 'refuse', times: 1 });
    await expect(get()).rejects.toThrow();
    sandbox.faults.rest({ kind: 'hang', hangMs: 80, times: 1 });
    const startedAt = performance.now();
    expect((await get()).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThan(75);
    sandbox.faults.rest({ kind: 'answer_lost', endpoint: 'cancel', world: 'v1', times: 1 });
    await expect(call('POST', '/payments/cancel', { imp_uid: paymentId })).rejects.toThrow();
    expect((await get()).body.response.status).toBe('cancelled');
  });

  it('let the PG refuse a cancellation', async () => {
    const { paymentId } = await sandbox.pay(order());
    await sandbox.pay(order({ dialect: 'v2' }));
    sandbox.faults.rest({ kind: 'pg_error', endpoint: 'cancel' });
    const one = await call('POST', '/payments/cancel', { imp_uid: paymentId });
    expect(one).toMatchObject({ status: 200, body: { code: 1, response: null } });
    const two = await v2('POST', '/payments/order-1/cancel', { reason: 'r' });
    expect(two).toMatchObject({ status: 502, body: { type: 'PG_PROVIDER' } });
    expect(sandbox.books().totals.cancelledAmount).toBe(0);
  });

  it('refuse connections while unplugged, and come back on the same port', async () => {
    await sandbox.faults.unplug();
    const refused = await call('GET', '/payments/x').catch((error: Error) => error.cause);
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
    await sandbox.faults.plugIn();
    expect((await call('GET', '/payments/x')).status).toBe(404);
  });
});
