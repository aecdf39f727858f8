/** A test can stop a call at an exact place, and the books prove how often each thing was asked. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SANDBOX_V1, SANDBOX_V2, startSandbox } from '../../src/sandbox/server.ts';
import type { PayRequest, Sandbox } from '../../src/sandbox/types.ts';
import { type Json, type Merchant, startMerchant } from './sandbox-merchant.ts';

let merchant: Merchant;
let sandbox: Sandbox;
let token = '';

beforeEach(async () => {
  merchant = await startMerchant();
  sandbox = await startSandbox({ seed: 7, webhookUrl: merchant.webhookUrl, timeScale: 60_000 });
  const keys = { imp_key: SANDBOX_V1.key, imp_secret: SANDBOX_V1.secret };
  const answer = await v1('POST', '/users/getToken', keys);
  token = String((answer.body.response as Json).access_token);
});

afterEach(async () => {
  await sandbox.close();
  await merchant.close();
});

interface Answer {
  status: number;
  body: Json;
}

async function call(url: string, method: string, headers: Record<string, string>, body?: Json) {
  const response = await fetch(url, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer: Answer = {
    status: response.status,
    body: text.startsWith('{') ? (JSON.parse(text) as Json) : { text },
  };
  return answer;
}

const v1 = (method: string, path: string, body?: Json) =>
  call(
    `${sandbox.v1Url}${path}`,
    method,
    { authorization: token, 'content-type': 'application/json' },
    body,
  );

function v2(path: string, body: Json, key?: string) {
  const headers = {
    authorization: `PortOne ${SANDBOX_V2.apiSecret}`,
    'content-type': 'application/json',
    ...(key && { 'idempotency-key': `"${key}"` }),
  };
  return call(`${sandbox.v2Url}${path}`, 'POST', headers, body);
}

const order = (request: Partial<PayRequest> = {}): PayRequest => ({
  merchantUid: 'order-1',
  amount: 30_000,
  ...request,
});

const KEY = 'refund-of-order-1-first-try';
const cancelled = () => sandbox.books().totals.cancelledAmount;
const requests = () => sandbox.books().payments.flatMap(({ cancelRequests }) => cancelRequests);

/** What it settles to, or `open` when it has not: two turns of a real request later. */
async function soFar(promise: Promise<unknown>): Promise<unknown> {
  const open = v1('GET', '/payments/none').then(() => 'open');
  return Promise.race([promise.then(() => 'over'), open]);
}

describe('a crash point', () => {
  it('holds a call that has arrived, before anything is done', async () => {
    const { paymentId } = await sandbox.pay(order());
    const point = sandbox.faults.at('v1', 'cancel', { answer: 'hang', hold: 'before' });
    const answer = v1('POST', '/payments/cancel', { imp_uid: paymentId });
    await point.reached;
    expect(await soFar(point.carriedOut)).toBe('open');
    expect(cancelled()).toBe(0);
    expect(requests()).toMatchObject([{ outcome: 'open', status: null }]);
    point.release();
    await point.carriedOut;
    expect((await answer).body.code).toBe(0);
    expect(cancelled()).toBe(30_000);
  });

  it('holds the answer of a call that was carried out', async () => {
    const { paymentId } = await sandbox.pay(order());
    const point = sandbox.faults.at('v1', 'cancel', { answer: 'hang' });
    const answer = v1('POST', '/payments/cancel', { imp_uid: paymentId });
    await point.carriedOut;
    expect(cancelled()).toBe(30_000);
    expect(await soFar(answer)).toBe('open');
    point.release();
    expect((await answer).status).toBe(200);
  });

  it('cuts the connection of a call that was carried out', async () => {
    await sandbox.pay(order({ dialect: 'v2' }));
    const point = sandbox.faults.at('v2', 'cancel', { answer: 'lost' });
    await expect(v2('/payments/order-1/cancel', { reason: 'r' }, KEY)).rejects.toThrow();
    await point.carriedOut;
    expect(cancelled()).toBe(30_000);
    expect(requests()).toMatchObject([{ outcome: 'accepted', status: null }]);
  });

  it('can let a held call go without its answer', async () => {
    await sandbox.pay(order({ dialect: 'v2' }));
    const point = sandbox.faults.at('v2', 'cancel', { answer: 'hang', hold: 'before' });
    const lost = v2('/payments/order-1/cancel', { reason: 'r' }, KEY);
    await point.reached;
    point.release('lost');
    await expect(lost).rejects.toThrow();
    expect(cancelled()).toBe(30_000);
  });

  it('carries out what its caller no longer waits for', async () => {
    const { paymentId } = await sandbox.pay(order());
    const point = sandbox.faults.at('v1', 'cancel', { answer: 'hang', hold: 'before' });
    const gone = new AbortController();
    const answer = fetch(`${sandbox.v1Url}/payments/cancel`, {
      method: 'POST',
      headers: { authorization: token, 'content-type': 'application/json' },
      body: JSON.stringify({ imp_uid: paymentId }),
      signal: gone.signal,
    });
    await point.reached;
    gone.abort();
    await expect(answer).rejects.toThrow();
    point.release();
    await point.carriedOut;
    expect(cancelled()).toBe(30_000);
  });

  it('is met once, by the call it is meant for, and not at all when removed', async () => {
    const { paymentId } = await sandbox.pay(order());
    const read = () => v1('GET', `/payments/${paymentId}`);
    const lose = { answer: 'lost' } as const;
    sandbox.faults.at('v2', 'payment', lose);
    sandbox.faults.at('v1', 'cancel', lose);
    sandbox.faults.at('v1', 'payment', { ...lose, skip: 1 });
    expect((await read()).status).toBe(200);
    await expect(read()).rejects.toThrow();
    expect((await read()).status).toBe(200);
    sandbox.faults.at('v1', 'payment', lose).remove();
    expect((await read()).status).toBe(200);
  });

  it('lets go of what it holds when everything is mended', async () => {
    const { paymentId } = await sandbox.pay(order());
    const point = sandbox.faults.at('v1', 'payment');
    const answer = v1('GET', `/payments/${paymentId}`);
    await point.carriedOut;
    sandbox.faults.clear();
    expect((await answer).status).toBe(200);
  });

  it('holds a charge, which a second call with the same key does not make twice', async () => {
    const { paymentToken } = await sandbox.authenticate(order());
    const confirm = () => v2('/payments/order-1/confirm', { paymentToken }, KEY);
    const point = sandbox.faults.at('v2', 'confirm', { answer: 'hang', hold: 'before' });
    const first = confirm();
    await point.reached;
    expect((await confirm()).body.type).toBe('IDEMPOTENCY_OUTSTANDING_REQUEST');
    point.release();
    const { body } = await first;
    expect((await confirm()).body).toEqual(body);
    const [payment] = sandbox.books().payments;
    expect(payment).toMatchObject({ state: 'paid', kept: 30_000 });
    expect(payment?.chargeRequests.map(({ outcome }) => outcome)).toEqual([
      'charged',
      'outstanding',
      'replayed',
    ]);
  });
});

describe('the books', () => {
  it('tell each wish for money back: by whom, for what, and what became of it', async () => {
    const { paymentId } = await sandbox.pay(order());
    const cancel = (fields: Json) =>
      v1('POST', '/payments/cancel', { imp_uid: paymentId, ...fields });
    await cancel({ amount: 10_000, checksum: 1, reason: 'wrong sum' });
    await cancel({ amount: 10_000, checksum: 30_000, reason: 'right' });
    sandbox.cancelInConsole(paymentId, 5_000, 'by hand');
    sandbox.cancelInConsole(paymentId, 50_000);
    const good = token;
    token = 'nope';
    await cancel({});
    token = good;
    sandbox.faults.rest({ kind: 'error', endpoint: 'cancel', times: 1 });
    await cancel({});
    sandbox.faults.rest({ kind: 'pg_error', endpoint: 'cancel', times: 1 });
    await cancel({});
    const [payment] = sandbox.books().payments;
    const [first, second] = payment?.cancellations ?? [];
    expect(payment?.cancelRequests).toMatchObject([
      { amount: 10_000, checksum: 1, reason: 'wrong sum', outcome: 'balance_differs', status: 200 },
      { checksum: 30_000, outcome: 'accepted', cancellationId: first?.id, requester: 'api' },
      { amount: 5_000, outcome: 'accepted', cancellationId: second?.id, requester: 'console' },
      { amount: 50_000, outcome: 'amount_too_large', status: null },
      { amount: null, outcome: 'rejected', status: 401 },
      { outcome: 'fault', status: 500 },
      { outcome: 'pg_refused', status: 200 },
    ]);
    expect(payment).toMatchObject({ kept: 15_000, cancelledAmount: 15_000 });
  });

  it('tell wishes repeated with a key, and those for payments nobody knows', async () => {
    await sandbox.pay(order({ dialect: 'v2' }));
    const cancel = (id: string) => v2(`/payments/${id}/cancel`, { reason: 'r' }, KEY);
    for (let n = 0; n < 3; n += 1) await cancel('order-1');
    await cancel('none');
    const idempotencyKey = `"${KEY}"`;
    expect(requests()).toMatchObject([
      { idempotencyKey, outcome: 'accepted', status: 200 },
      { idempotencyKey, outcome: 'replayed', status: 200, cancellationId: null },
      { idempotencyKey, outcome: 'replayed', status: 200 },
    ]);
    expect(sandbox.books().strayCancelRequests).toMatchObject([
      { outcome: 'unknown_payment', status: 404 },
    ]);
    expect(sandbox.books().payments[0]?.cancellations).toHaveLength(1);
  });

  it('keep a refusal of the PG under its key, as any other answer', async () => {
    await sandbox.pay(order({ dialect: 'v2', cancels: { refusals: 1 } }));
    const cancel = (key: string) => v2('/payments/order-1/cancel', { reason: 'r' }, key);
    expect((await cancel(KEY)).status).toBe(502);
    expect((await cancel(KEY)).status).toBe(502);
    expect((await cancel(`${KEY}-again`)).status).toBe(200);
    expect(requests().map(({ outcome }) => outcome)).toEqual([
      'pg_refused',
      'replayed',
      'accepted',
    ]);
  });
});

describe('a PG in trouble', () => {
  it('neither charges nor closes an account', async () => {
    sandbox.faults.rest({ kind: 'pg_error' });
    const { paymentToken } = await sandbox.authenticate(order());
    expect(await v2('/payments/order-1/confirm', { paymentToken })).toMatchObject({
      status: 502,
      body: { type: 'PG_PROVIDER' },
    });
    const account = await sandbox.pay(order({ method: 'vbank' }));
    expect(await v1('DELETE', `/vbanks/${account.paymentId}`)).toMatchObject({
      status: 400,
      body: { code: 1 },
    });
    sandbox.faults.clear();
    expect((await v2('/payments/order-1/confirm', { paymentToken })).status).toBe(200);
    expect(sandbox.deposit(account.paymentId)).toMatchObject({ accepted: true });
  });
});

describe('a request that makes no sense', () => {
  it('is refused before anything has happened', async () => {
    const wrong = [
      { cancels: { how: 'maybe' } },
      { merchantUid: 'x'.repeat(41) },
      { dialect: 'v2-2024-04-25', form: true },
    ];
    for (const fields of wrong) {
      await expect(sandbox.pay(order(fields as Partial<PayRequest>))).rejects.toThrow();
    }
    await expect(sandbox.authenticate(order({ dialect: 'v1' }))).rejects.toThrow('V1');
    const { paymentId } = await sandbox.authenticate(order());
    await expect(sandbox.authenticate(order({ paymentId }))).rejects.toThrow(paymentId);
    expect(sandbox.books().totals.attempts).toBe(1);
  });
});
