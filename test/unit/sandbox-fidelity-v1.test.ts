/** Every answer of the V1 API has the documented fields: envelope, unix seconds, codes and statuses. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SANDBOX_V1, startSandbox } from '../../src/sandbox/server.ts';
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
  const keys = { imp_key: SANDBOX_V1.key, imp_secret: SANDBOX_V1.secret };
  token = String((await call('POST', '/users/getToken', keys)).response.access_token);
});

afterEach(async () => {
  await sandbox.close();
  await merchant.close();
});

interface Answer {
  status: number;
  code: number;
  message: string | null;
  response: Json;
}

/** Every answer, refusals too, must come in the envelope and nothing else. */
async function call(method: string, path: string, body?: Json): Promise<Answer> {
  const response = await fetch(`${sandbox.v1Url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  const envelope = (await response.json()) as Omit<Answer, 'status'>;
  expect(Object.keys(envelope).sort()).toEqual(['code', 'message', 'response']);
  expect(envelope.code === 0).toBe(response.status < 300 && envelope.message === null);
  return { status: response.status, ...envelope };
}

const order = (request: Partial<PayRequest> = {}): PayRequest => ({
  merchantUid: 'order-1',
  amount: 30_000,
  ...request,
});

const read = async (impUid: string): Promise<Json> =>
  (await call('GET', `/payments/${impUid}?include_sandbox=true`)).response;

const seconds = (ms: number): number => Math.floor(ms / 1_000);

async function told(): Promise<Json[]> {
  await sandbox.idle();
  return merchant.webhooks.map(json);
}

const TEXTS = ['imp_uid', 'merchant_uid', 'pay_method', 'channel', 'pg_provider', 'pg_id', 'name'];
const TEXTS_OR_NULL = [
  'emb_pg_provider',
  'custom_data',
  'buyer_name',
  'buyer_email',
  'buyer_tel',
  'buyer_addr',
  'buyer_postcode',
  'fail_reason',
  'cancel_reason',
  'receipt_url',
  'vbank_code',
  'vbank_name',
  'vbank_num',
  'vbank_holder',
  'card_code',
  'card_name',
  'card_number',
  'apply_num',
  'bank_code',
  'bank_name',
  'customer_uid',
  'customer_uid_usage',
];
const TIMES = [
  'started_at',
  'paid_at',
  'failed_at',
  'cancelled_at',
  'vbank_date',
  'vbank_issued_at',
];

/** The types that the schema gives, field by field; `times` are those that apply. */
function expectPayment(payment: Json, times: Record<string, number>): void {
  for (const name of TEXTS) expect(payment[name], name).toEqual(expect.any(String));
  for (const name of TEXTS_OR_NULL) {
    expect(payment[name] === null || typeof payment[name] === 'string', name).toBe(true);
  }
  for (const name of TIMES) expect(payment[name], name).toBe(times[name] ?? 0);
  expect(['ready', 'paid', 'cancelled', 'failed']).toContain(payment.status);
  expect(payment).toMatchObject({
    amount: expect.any(Number),
    cancel_amount: expect.any(Number),
    currency: 'KRW',
    sandbox: expect.any(Boolean),
    escrow: expect.any(Boolean),
    cancel_history: expect.any(Array),
  });
}

describe('a payment', () => {
  it('paid by card', async () => {
    const customData = JSON.stringify({ seats: ['A-1'] });
    const { paymentId } = await sandbox.pay(order({ customData, test: true }));
    const payment = await read(paymentId);
    expectPayment(payment, { started_at: seconds(now), paid_at: seconds(now) });
    expect(payment).toMatchObject({ status: 'paid', pay_method: 'card', sandbox: true });
    // A string that holds JSON, not the object itself.
    expect(payment.custom_data).toBe('{"seats":["A-1"]}');
  });

  it('declined by the PG', async () => {
    const { paymentId } = await sandbox.pay(order({ buyer: 'decline' }));
    const payment = await read(paymentId);
    expectPayment(payment, { started_at: seconds(now), failed_at: seconds(now) });
    expect(payment).toMatchObject({ status: 'failed', fail_reason: expect.stringContaining('PG') });
    expect(await told()).toEqual([]);
  });

  it('that waits for somebody’s approval: pending', async () => {
    const { paymentId } = await sandbox.pay(order({ buyer: 'vanish', pending: true }));
    expect(await read(paymentId)).toMatchObject({ status: 'pending', paid_at: 0 });
    sandbox.approve(paymentId);
    expect(await read(paymentId)).toMatchObject({ status: 'paid' });
  });

  it('left in its window: ready, and not a virtual account', async () => {
    const { paymentId } = await sandbox.pay(order({ buyer: 'vanish' }));
    const payment = await read(paymentId);
    expectPayment(payment, { started_at: seconds(now) });
    expect(payment).toMatchObject({ status: 'ready', pay_method: 'card' });
    expect(await told()).toEqual([]);
  });

  it('waiting for a deposit', async () => {
    const { paymentId } = await sandbox.pay(order({ method: 'vbank', dueInMs: 90_500 }));
    const payment = await read(paymentId);
    expectPayment(payment, {
      started_at: seconds(now),
      vbank_issued_at: seconds(now),
      vbank_date: seconds(now + 90_500),
    });
    expect(payment).toMatchObject({ status: 'ready', vbank_num: expect.stringMatching(/^\d+$/) });
  });

  it('cancelled in two parts, each in the history', async () => {
    const { paymentId } = await sandbox.pay(order());
    const startedAtMs = now;
    const cancel = (fields: Json) =>
      call('POST', '/payments/cancel', { imp_uid: paymentId, ...fields });
    now += 5_000;
    await cancel({ amount: 10_000, checksum: 30_000, reason: 'first' });
    now += 5_000;
    const { response } = await cancel({ checksum: 20_000, reason: 'second' });
    expectPayment(response, {
      started_at: seconds(startedAtMs),
      paid_at: seconds(startedAtMs),
      cancelled_at: seconds(now),
    });
    expect(response).toMatchObject({ status: 'cancelled', cancel_amount: 30_000 });
    expect(response).toMatchObject({ cancel_reason: 'second', amount: 30_000 });
    const entry = (amount: number, atMs: number, reason: string) => ({
      pg_tid: expect.any(String),
      amount,
      cancelled_at: seconds(atMs),
      reason,
      cancellation_id: expect.any(String),
      receipt_url: null,
    });
    expect(response.cancel_history).toEqual([
      entry(10_000, now - 5_000, 'first'),
      entry(20_000, now, 'second'),
    ]);
  });
});

describe('webhooks', () => {
  it('tell of asynchronous payments that fail after all, and of no other failure', async () => {
    const late = { buyer: 'fail_late', lateMs: 10 } as const;
    await sandbox.pay(order(late));
    expect(await told()).toEqual([]);
    const { paymentId } = await sandbox.pay(order({ ...late, pending: true }));
    expect(await told()).toEqual([
      { imp_uid: paymentId, merchant_uid: 'order-1', status: 'failed' },
    ]);
  });

  it('tell of an attempt approved after all, even one that had failed', async () => {
    const { paymentId } = await sandbox.pay(order({ buyer: 'decline' }));
    expect(sandbox.approve(paymentId)).toBe(true);
    expect(sandbox.approve(paymentId)).toBe(false);
    expect(sandbox.fail(paymentId)).toBe(false);
    expect(await read(paymentId)).toMatchObject({
      status: 'paid',
      failed_at: 0,
      fail_reason: null,
    });
    expect(await told()).toMatchObject([{ imp_uid: paymentId, status: 'paid' }]);
  });

  it('tell of both attempts of one order that was paid twice', async () => {
    const first = await sandbox.pay(order({ buyer: 'vanish' }));
    const second = await sandbox.pay(order());
    expect(sandbox.approve(first.paymentId)).toBe(true);
    const messages = await told();
    expect(messages.map(({ imp_uid }) => imp_uid).sort()).toEqual(
      [first.paymentId, second.paymentId].sort(),
    );
    expect(sandbox.books().totals).toMatchObject({ everPaid: 2, kept: 60_000 });
  });

  it('are sent again after a broken connection where asked for, and until the first 200', async () => {
    const resending = await startSandbox({
      webhookUrl: merchant.webhookUrl,
      v1Resend: true,
      timeScale: 60_000,
    });
    merchant.onWebhook = (_, n) => (n === 1 ? { reset: true } : { status: n === 2 ? 502 : 200 });
    await resending.pay(order());
    await resending.idle();
    const [payment] = resending.books().payments;
    await resending.close();
    expect(payment?.webhooks).toMatchObject([
      { fate: 'delivered', attempts: [{ status: null }, { status: 502 }, { status: 200 }] },
    ]);
    expect(new Set(merchant.webhooks.map(({ raw }) => raw)).size).toBe(1);
  });

  it('go to the old URL when sent again after it was changed', async () => {
    const { paymentId } = await sandbox.pay(order());
    await sandbox.idle();
    sandbox.configure({ webhookUrl: `${merchant.url}/new` });
    expect(sandbox.resendInConsole(paymentId)).toBe(true);
    expect(sandbox.resendInConsole('imp_none')).toBe(false);
    await sandbox.idle();
    expect(merchant.webhooks.map(({ path }) => path)).toEqual(['/webhook', '/webhook']);
  });
});

describe('virtual accounts', () => {
  it('are issued by API, told of, changed and closed', async () => {
    const due = seconds(now) + 3_600;
    const fields = { merchant_uid: 'order-1', amount: 30_000, vbank_code: '004' };
    const asked = { ...fields, vbank_due: due, vbank_holder: '샌드박스' };
    const issued = await call('POST', '/vbanks', asked);
    const impUid = String(issued.response.imp_uid);
    expectPayment(issued.response, {
      started_at: seconds(now),
      vbank_issued_at: seconds(now),
      vbank_date: due,
    });
    expect(await told()).toMatchObject([{ imp_uid: impUid, status: 'ready' }]);
    const changed = await call('PUT', `/vbanks/${impUid}`, { vbank_due: due + 60, amount: 20_000 });
    expect(changed.response).toMatchObject({ vbank_date: due + 60, amount: 20_000 });
    expect((await call('PUT', `/vbanks/${impUid}`, { vbank_due: 1 })).status).toBe(400);
    expect((await call('DELETE', `/vbanks/${impUid}`)).response).toMatchObject({ imp_uid: impUid });
    expect(sandbox.deposit(impUid)).toMatchObject({ accepted: false, why: 'account_closed' });
    expect((await call('PUT', `/vbanks/${impUid}`, { amount: 1 })).status).toBe(400);
    for (const missing of Object.keys(asked)) {
      const answer = await call('POST', '/vbanks', { ...asked, [missing]: undefined });
      expect(answer.status, missing).toBe(400);
    }
  });

  it('that are closed unpaid read as failed, or as cancelled, as the PG has it', async () => {
    const first = await sandbox.pay(order({ method: 'vbank' }));
    const other = order({ merchantUid: 'order-2', method: 'vbank', closedAs: 'cancelled' });
    const second = await sandbox.pay(other);
    for (const { paymentId } of [first, second]) await call('DELETE', `/vbanks/${paymentId}`);
    const unpaid = { paid_at: 0, cancel_amount: 0, cancel_history: [] };
    expect(await read(first.paymentId)).toMatchObject({ status: 'failed', ...unpaid });
    expect(await read(second.paymentId)).toMatchObject({ status: 'cancelled', ...unpaid });
    expect(sandbox.books().totals).toMatchObject({ everPaid: 0, kept: 0 });
  });

  it('closes an account of Inicis for those only who name its key, and anybody else’s without', async () => {
    const issued = async (provider: 'nice' | 'inicis', merchantUid: string) =>
      (await sandbox.pay({ merchantUid, amount: 1_000, method: 'vbank', provider })).paymentId;
    const inicis = await issued('inicis', 'of-inicis');
    expect(await read(inicis)).toMatchObject({ pg_provider: 'html5_inicis', status: 'ready' });
    expect((await call('DELETE', `/vbanks/${inicis}`)).status).toBe(400);
    expect(await read(inicis)).toMatchObject({ status: 'ready' });
    expect((await call('DELETE', `/vbanks/${inicis}?pg_api_key=key`)).status).toBe(200);
    expect(await read(inicis)).toMatchObject({ status: 'failed' });
    const nice = await issued('nice', 'of-nice');
    expect(await read(nice)).toMatchObject({ pg_provider: 'nice_v2' });
    expect((await call('DELETE', `/vbanks/${nice}`)).status).toBe(200);
  });

  it('are not closed when unknown, no account, deposited, or closed to us', async () => {
    const close = async (impUid: string) => (await call('DELETE', `/vbanks/${impUid}`)).status;
    const card = await sandbox.pay(order({ buyer: 'vanish' }));
    const stubborn = await sandbox.pay(order({ method: 'vbank', closable: false }));
    const deposited = await sandbox.pay(order({ merchantUid: 'order-2', method: 'vbank' }));
    sandbox.deposit(deposited.paymentId);
    expect(await close('imp_none')).toBe(404);
    for (const { paymentId } of [card, stubborn, deposited]) {
      expect(await close(paymentId)).toBe(400);
    }
    expect(await read(stubborn.paymentId)).toMatchObject({ status: 'ready' });
    expect(sandbox.deposit(stubborn.paymentId)).toMatchObject({ accepted: true });
  });

  it('take money after the due date, or do not, as the PG has it', async () => {
    const dueInMs = 1_000;
    const lax = await sandbox.pay(order({ method: 'vbank', dueInMs }));
    const strict = await sandbox.pay(
      order({ merchantUid: 'order-2', method: 'vbank', dueInMs, afterDue: 'refused' }),
    );
    now += 1_001;
    expect(sandbox.deposit(lax.paymentId)).toEqual({ accepted: true, afterDue: true });
    expect(sandbox.deposit(strict.paymentId)).toEqual({ accepted: false, why: 'past_due' });
  });

  it('give money back only to a named account, and never in test mode', async () => {
    const { paymentId } = await sandbox.pay(order({ method: 'vbank' }));
    const test = await sandbox.pay(order({ merchantUid: 'order-2', method: 'vbank', test: true }));
    for (const id of [paymentId, test.paymentId]) sandbox.deposit(id);
    const account = { refund_holder: '구매자', refund_bank: '04', refund_account: '1' };
    const cancel = (impUid: string, fields: Json) =>
      call('POST', '/payments/cancel', { imp_uid: impUid, ...fields });
    for (const missing of Object.keys(account)) {
      const answer = await cancel(paymentId, { ...account, [missing]: undefined });
      expect(answer, missing).toMatchObject({ status: 200, code: 1, response: null });
    }
    expect(await cancel(test.paymentId, account)).toMatchObject({ status: 200, code: 1 });
    expect((await cancel(paymentId, account)).code).toBe(0);
    expect(sandbox.books().totals.cancelledAmount).toBe(30_000);
  });
});

describe('cancellations', () => {
  const cancel = (fields: Json = {}) =>
    call('POST', '/payments/cancel', { merchant_uid: 'order-1', ...fields });

  it('that the PG carries out later change nothing until the webhook tells of them', async () => {
    const { paymentId } = await sandbox.pay(order({ cancels: { how: 'later', lateMs: null } }));
    const taken = await cancel({ amount: 10_000, checksum: 30_000 });
    expect(taken.response).toMatchObject({ status: 'paid', cancel_amount: 0, cancel_history: [] });
    // What is on its way is not there to be cancelled again.
    expect(await cancel({ checksum: 30_000 })).toMatchObject({ status: 200, code: 1 });
    sandbox.finishCancellations(paymentId);
    const messages = await told();
    const [done] = sandbox.books().payments;
    expect(messages).toContainEqual({
      imp_uid: paymentId,
      merchant_uid: 'order-1',
      status: 'cancelled',
      cancellation_id: done?.cancellations[0]?.id,
    });
    expect(await read(paymentId)).toMatchObject({
      status: 'cancelled',
      amount: 30_000,
      cancel_amount: 10_000,
    });
  });

  it('are told only of payments that had a webhook, and to the URL of the settings', async () => {
    await sandbox.pay(order({ webhookUrl: null }));
    await cancel({ enable_webhook: true });
    expect(await told()).toEqual([]);
    await sandbox.pay(order({ merchantUid: 'order-2', webhookUrl: `${merchant.url}/own` }));
    await cancel({ merchant_uid: 'order-2', enable_webhook: true });
    await sandbox.idle();
    expect(merchant.webhooks.map(({ path }) => path).sort()).toEqual(['/own', '/webhook']);
  });

  it('are refused in the words of the PG', async () => {
    await sandbox.pay(order({ cancels: { refusals: 1, message: '[PG] 가맹점 잔액 부족' } }));
    expect(await cancel()).toMatchObject({
      status: 200,
      code: 1,
      message: '[PG] 가맹점 잔액 부족',
      response: null,
    });
    expect(await cancel()).toMatchObject({ status: 200, code: 0 });
  });
});

describe('lists', () => {
  it('are read by up to 100 ids, in brackets, and say when some are missing', async () => {
    const { paymentId } = await sandbox.pay(order());
    await sandbox.pay(order({ merchantUid: 'order-2' }));
    const many = (query: string[]) => call('GET', `/payments?${query.join('&')}`);
    const both = await many([`imp_uid[]=${paymentId}`, 'merchant_uid%5B%5D=order-2']);
    expect(both).toMatchObject({ status: 200, code: 0 });
    for (const payment of both.response as unknown as Json[]) {
      expectPayment(payment, { started_at: seconds(now), paid_at: seconds(now) });
    }
    const some = await many([`imp_uid[]=${paymentId}`, 'imp_uid[]=imp_none']);
    expect(some).toMatchObject({ status: 207, code: 0, response: [{ imp_uid: paymentId }] });
    expect(await many(['imp_uid[]=imp_none'])).toMatchObject({ status: 404, response: null });
    const ids = (count: number) => Array.from({ length: count }, (_, n) => `imp_uid[]=${n}`);
    expect((await many(ids(100))).status).toBe(404);
    expect((await many(ids(101))).status).toBe(400);
    expect((await many([])).status).toBe(400);
  });

  it('are paged by status within 90 days, test payments included', async () => {
    await sandbox.pay(order({ test: true }));
    const to = seconds(now);
    const list = (query: string) => call('GET', `/payments/status/all?${query}`);
    const { response } = await list(`from=${to - 90 * 86_400}&to=${to}&limit=1000&sorting=started`);
    expect(response).toMatchObject({ total: 1, previous: 0, next: 0, list: [{ sandbox: true }] });
    expect((await list(`from=${to - 90 * 86_400 - 1}&to=${to}`)).status).toBe(400);
    expect((await list('sorting=amount')).status).toBe(400);
    expect((await list('page=0')).status).toBe(400);
    // Beyond the data there is no page.
    expect((await list('page=2')).status).toBe(400);
  });

  it('are of those that came to their status in the window, whenever they began', async () => {
    const begun = seconds(now);
    const open = await sandbox.pay(order({ buyer: 'vanish' }));
    const declined = await sandbox.pay(order({ merchantUid: 'order-2', buyer: 'decline' }));
    const accounts = order({ merchantUid: 'order-3', method: 'vbank' });
    const { paymentId } = await sandbox.pay(accounts);
    const listed = async (from: number, to: number) => {
      const { response } = await call('GET', `/payments/status/all?from=${from}&to=${to}`);
      return (response.list as Json[]).map(({ imp_uid }) => imp_uid);
    };
    const all = [open.paymentId, declined.paymentId, paymentId];
    expect((await listed(begun, begun)).sort()).toEqual([...all].sort());
    now += 60_000;
    sandbox.deposit(paymentId);
    sandbox.approve(declined.paymentId);
    expect(await listed(begun, begun)).toEqual([open.paymentId]);
    expect((await listed(begun + 60, begun + 60)).sort()).toEqual(all.slice(1).sort());
    now += 60_000;
    sandbox.cancelInConsole(declined.paymentId, 1_000);
    expect(await listed(begun + 60, begun + 60)).toEqual([paymentId]);
    expect(await listed(begun + 120, begun + 120)).toEqual([declined.paymentId]);
  });
});
