/** The sandbox behaves as PortOne's documents say, seen from a merchant's side over real HTTP. */

import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SANDBOX_V2, startSandbox } from '../../src/sandbox/server.ts';
import type { PayRequest, Sandbox, SandboxOptions } from '../../src/sandbox/types.ts';
import { until } from '../support/wait.ts';
import {
  form,
  type Json,
  json,
  type Merchant,
  type Received,
  startMerchant,
} from './sandbox-merchant.ts';

let merchant: Merchant;
let sandbox: Sandbox;
const extra: Sandbox[] = [];

beforeEach(async () => {
  merchant = await startMerchant();
  sandbox = await another();
});

afterEach(async () => {
  await Promise.all(extra.splice(0).map((box) => box.close()));
  await merchant.close();
});

async function another(options: SandboxOptions = {}): Promise<Sandbox> {
  const box = await startSandbox({
    seed: 7,
    confirmUrl: merchant.confirmUrl,
    webhookUrl: merchant.webhookUrl,
    timeScale: 60_000,
    ...options,
  });
  extra.push(box);
  return box;
}

const order = (request: Partial<PayRequest> = {}): PayRequest => ({
  merchantUid: 'order-1',
  amount: 30_000,
  ...request,
});

/** `Transaction.Ready` comes first on V2; most tests are about what follows. */
const v2Types = (): unknown[] => merchant.webhooks.map((webhook) => json(webhook).type);

describe('confirm', () => {
  it('is V1 JSON of exactly three fields, unsigned, and 200 charges', async () => {
    const outcome = await sandbox.pay(order());
    expect(outcome).toMatchObject({ state: 'paid', confirm: { status: 200, timedOut: false } });
    const [confirm] = merchant.confirms;
    expect(confirm?.headers['content-type']).toBe('application/json');
    expect(confirm?.headers['webhook-signature']).toBeUndefined();
    expect(json(confirm)).toEqual({
      imp_uid: outcome.paymentId,
      merchant_uid: 'order-1',
      amount: 30_000,
    });
    expect(outcome.paymentId).toMatch(/^imp_\d{12}$/);
  });

  it('can be form-encoded, leave the amount out, or send it as text', async () => {
    await sandbox.pay(order({ form: true }));
    expect(form(merchant.confirms[0])).toMatchObject({ merchant_uid: 'order-1', amount: '30000' });
    await sandbox.pay(order({ merchantUid: 'order-2', omitAmount: true }));
    expect(json(merchant.confirms[1])).not.toHaveProperty('amount');
    await sandbox.pay(order({ merchantUid: 'order-3', amountAsText: true }));
    expect(json(merchant.confirms[2]).amount).toBe('30000');
  });

  it('verifies with Standard Webhooks on 2024-04-25', async () => {
    const outcome = await sandbox.pay(order({ dialect: 'v2-2024-04-25' }));
    const [confirm] = merchant.confirms;
    const verified = new Webhook(SANDBOX_V2.webhookSecret).verify(
      confirm?.raw ?? '',
      confirm?.headers ?? {},
    );
    expect(verified).toMatchObject({
      type: 'Transaction.Confirm',
      data: { paymentId: 'order-1', transactionId: outcome.paymentId, totalAmount: 30_000 },
    });
    const wrong = `${confirm?.raw} `;
    expect(() =>
      new Webhook(SANDBOX_V2.webhookSecret).verify(wrong, confirm?.headers ?? {}),
    ).toThrow();
  });

  it.each([false, true])('signs 2024-01-01 too, form %s', async (asForm) => {
    const outcome = await sandbox.pay(order({ dialect: 'v2-2024-01-01', form: asForm }));
    const [confirm] = merchant.confirms;
    const fields = asForm ? form(confirm) : json(confirm);
    expect(fields).toEqual({
      payment_id: 'order-1',
      tx_id: outcome.paymentId,
      total_amount: asForm ? '30000' : 30_000,
    });
    const verify = () =>
      new Webhook(SANDBOX_V2.webhookSecret).verify(confirm?.raw ?? '', confirm?.headers ?? {}, {
        jsonParse: false,
      });
    expect(verify).not.toThrow();
  });

  it('carries both signatures while a secret is being rotated, none without a secret', async () => {
    sandbox.signWith('both');
    await sandbox.pay(order({ dialect: 'v2' }));
    const [confirm] = merchant.confirms;
    for (const secret of [SANDBOX_V2.webhookSecret, SANDBOX_V2.nextWebhookSecret]) {
      expect(() =>
        new Webhook(secret).verify(confirm?.raw ?? '', confirm?.headers ?? {}),
      ).not.toThrow();
    }
    const bare = await another({ v2: { apiSecret: 'x' } });
    await bare.pay(order({ dialect: 'v2' }));
    expect(merchant.confirms[1]?.headers['webhook-signature']).toBeUndefined();
  });

  it.each([201, 202, 204, 301, 302, 400, 409, 500, 503])(
    'status %i refuses, and is not followed',
    async (status) => {
      merchant.onConfirm = () => ({ status, headers: { location: `${merchant.url}/confirm/ok` } });
      const outcome = await sandbox.pay(order());
      expect(outcome).toMatchObject({ state: 'failed', confirm: { status } });
      expect(merchant.confirms).toHaveLength(1);
    },
  );

  it('shows the buyer the reason, in the field of each dialect', async () => {
    const body = { code: 'sold_out', reason: '매진되었습니다', errorMessage: 'sold out' };
    merchant.onConfirm = () => ({ status: 409, body });
    const v1 = await sandbox.pay(order());
    expect(v1.errorMessage).toBe(
      '고객사 요청에 의해 결제를 중단합니다. (상세사유 : 매진되었습니다)',
    );
    const v2 = await sandbox.pay(order({ dialect: 'v2' }));
    expect(v2.errorMessage).toBe('sold out');
    merchant.onConfirm = () => ({ status: 500, body: 'no json field' });
    expect((await sandbox.pay(order())).errorMessage).toContain('알 수 없음');
  });

  it('takes a time-out, a broken connection, half an answer and no server for a refusal', async () => {
    const hasty = await another({ confirmTimeoutMs: 80 });
    merchant.onConfirm = () => ({ delayMs: 400 });
    const late = await hasty.pay(order());
    expect(late).toMatchObject({ state: 'failed', confirm: { status: null, timedOut: true } });
    expect(late.confirm.latencyMs).toBeGreaterThan(75);
    merchant.onConfirm = () => ({ reset: true });
    expect(await sandbox.pay(order())).toMatchObject({
      state: 'failed',
      confirm: { status: null, timedOut: false },
    });
    merchant.onConfirm = () => ({ half: true });
    expect((await sandbox.pay(order())).state).toBe('failed');
    const nobody = await sandbox.pay(order({ confirmUrl: 'http://127.0.0.1:1/confirm' }));
    expect(nobody).toMatchObject({ state: 'failed', confirm: { status: null } });
  });

  it('hangs up in the middle: the merchant sees the connection go, the payment fails', async () => {
    merchant.onConfirm = () => ({ delayMs: 5_000 });
    const outcome = await sandbox.pay(order({ buyer: 'hang_up', hangUpAfterMs: 500 }));
    expect(outcome).toMatchObject({
      state: 'failed',
      confirm: { aborted: true, timedOut: false, status: null },
    });
    await until('the merchant sees it', () => merchant.abandoned === 1);
  });

  it('is skipped without a URL: the payment just proceeds', async () => {
    const outcome = await sandbox.pay(order({ confirmUrl: null }));
    expect(outcome).toMatchObject({ state: 'paid', confirm: { asked: false }, confirms: [] });
    expect(merchant.confirms).toHaveLength(0);
  });

  it.each(['concurrent', 'after', 'after_paid'] as const)('repeats %s', async (when) => {
    merchant.onConfirm = () => ({ delayMs: 200 });
    const outcome = await sandbox.pay(order({ buyer: 'repeat', repeat: { times: 2, when } }));
    expect(outcome.state).toBe('paid');
    expect(outcome.confirms).toHaveLength(3);
    expect(new Set(merchant.confirms.map(({ raw }) => raw)).size).toBe(1);
    const { confirmLog: log } = merchant;
    const together = log.lastIndexOf('asked') < log.indexOf('answered');
    expect(together).toBe(when === 'concurrent');
  });

  it('asks again for a known id, even with other contents, without moving money', async () => {
    const first = await sandbox.pay(order());
    const again = await sandbox.pay(order({ paymentId: first.paymentId, amount: 1 }));
    expect(json(merchant.confirms[1])).toMatchObject({ imp_uid: first.paymentId, amount: 1 });
    expect(again.state).toBe('paid');
    expect(sandbox.books().totals).toMatchObject({ attempts: 1, kept: 30_000, confirms: 2 });
  });

  it('asks a thousand at once and no id twice', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 1_000 }, (_, n) => sandbox.pay(order({ merchantUid: `order-${n}` }))),
    );
    expect(outcomes.every(({ state }) => state === 'paid')).toBe(true);
    expect(new Set(outcomes.map(({ paymentId }) => paymentId)).size).toBe(1_000);
    await sandbox.idle();
    expect(merchant.webhooks).toHaveLength(1_000);
  });
});

describe('the window', () => {
  it('refuses a paid order up front and allows another attempt after a failure', async () => {
    merchant.onConfirm = (_, n) => ({ status: n === 1 ? 500 : 200 });
    const failed = await sandbox.pay(order());
    const paid = await sandbox.pay(order());
    expect([failed.state, paid.state]).toEqual(['failed', 'paid']);
    expect(failed.paymentId).not.toBe(paid.paymentId);
    expect(await sandbox.pay(order())).toMatchObject({ notOpened: 'already_paid' });
    expect(merchant.confirms).toHaveLength(2);
    expect(sandbox.books().totals).toMatchObject({ attempts: 2, notOpened: 1, everPaid: 1 });
  });

  it('lets one attempt of an order at most succeed on V2, but two at once on V1', async () => {
    merchant.onConfirm = () => ({ delayMs: 20 });
    const twice = (dialect: 'v1' | 'v2') =>
      Promise.all([1, 2].map(() => sandbox.pay(order({ dialect })))).then((outcomes) =>
        outcomes.map(({ state }) => state).sort(),
      );
    expect(await twice('v2')).toEqual(['failed', 'paid']);
    expect(await twice('v1')).toEqual(['paid', 'paid']);
  });
});

describe('V1 webhooks', () => {
  it('tell of a payment in three fields, JSON or form', async () => {
    const { paymentId } = await sandbox.pay(order());
    await sandbox.idle();
    const told = { imp_uid: paymentId, merchant_uid: 'order-1', status: 'paid' };
    expect(merchant.webhooks.map(json)).toEqual([told]);
    await sandbox.pay(order({ merchantUid: 'order-2', form: true }));
    await sandbox.idle();
    expect(form(merchant.webhooks[1])).toMatchObject({ merchant_uid: 'order-2', status: 'paid' });
  });

  it('are silent about refusals, declines, closed windows and hang-ups', async () => {
    expect((await sandbox.pay(order({ buyer: 'decline' }))).state).toBe('failed');
    expect((await sandbox.pay(order({ buyer: 'vanish' }))).state).toBe('ready');
    expect((await sandbox.pay(order({ buyer: 'hang_up', hangUpAfterMs: 0 }))).state).toBe('failed');
    merchant.onConfirm = () => ({ status: 409 });
    expect((await sandbox.pay(order())).state).toBe('failed');
    await sandbox.idle();
    expect(merchant.webhooks).toHaveLength(0);
  });

  it('are sent once; resends, where asked for, follow 5xx up to five times but never 4xx', async () => {
    merchant.onWebhook = () => ({ status: 500 });
    await sandbox.pay(order());
    await sandbox.idle();
    expect(merchant.webhooks).toHaveLength(1);
    const resending = await another({ v1Resend: true });
    await resending.pay(order());
    await resending.idle();
    expect(merchant.webhooks).toHaveLength(7);
    merchant.onWebhook = () => ({ status: 404 });
    await resending.pay(order({ merchantUid: 'order-2' }));
    await resending.idle();
    expect(merchant.webhooks).toHaveLength(8);
  });

  it('come late, twice, never, or to the URL of the payment', async () => {
    const delayed = { mode: 'delayed', delayMs: 60 } as const;
    const { webhooksSent } = await sandbox.pay(order({ webhooks: delayed }));
    expect(webhooksSent).toBe(0);
    expect(merchant.webhooks).toHaveLength(0);
    await sandbox.idle();
    expect(merchant.webhooks).toHaveLength(1);
    const pay = (merchantUid: string, more: Partial<PayRequest>) =>
      sandbox.pay(order({ merchantUid, ...more })).then(() => sandbox.idle());
    await pay('b', { webhooks: { mode: 'repeated', times: 3 } });
    expect(merchant.webhooks).toHaveLength(4);
    await pay('c', { webhooks: { mode: 'lost' } });
    await pay('d', { webhookUrl: null });
    expect(merchant.webhooks).toHaveLength(4);
    await pay('e', { webhookUrl: `${merchant.url}/mine` });
    expect(merchant.webhooks[4]?.path).toBe('/mine');
    sandbox.faults.set({ webhooksSilenced: true });
    await pay('f', {});
    expect(merchant.webhooks).toHaveLength(5);
  });

  it('tell of late payments and of failures that became payments', async () => {
    const late = await sandbox.pay(order({ buyer: 'pay_late', lateMs: 40 }));
    expect(late.state).toBe('ready');
    const turned = await sandbox.pay(
      order({ merchantUid: 'order-2', buyer: 'fail_then_paid', lateMs: 40 }),
    );
    expect(turned.state).toBe('failed');
    await sandbox.idle();
    expect(sandbox.books().payments.map(({ state }) => state)).toEqual(['paid', 'paid']);
    expect(merchant.webhooks.map((webhook) => json(webhook).status)).toEqual(['paid', 'paid']);
  });
});

describe('V2 webhooks', () => {
  it('tell of the window, the payment and the failure, signed', async () => {
    await sandbox.pay(order({ dialect: 'v2', buyer: 'decline' }));
    await sandbox.pay(order({ dialect: 'v2' }));
    await sandbox.idle();
    expect(v2Types().sort()).toEqual([
      'Transaction.Failed',
      'Transaction.Paid',
      'Transaction.Ready',
      'Transaction.Ready',
    ]);
    for (const { raw, headers } of merchant.webhooks) {
      const told = new Webhook(SANDBOX_V2.webhookSecret).verify(raw, headers);
      expect(told).toMatchObject({ data: { paymentId: 'order-1', storeId: expect.any(String) } });
    }
  });

  it('speak 2024-01-01 in its own shape', async () => {
    const { paymentId } = await sandbox.pay(order({ dialect: 'v2-2024-01-01' }));
    await sandbox.idle();
    const paid = { payment_id: 'order-1', tx_id: paymentId, status: 'Paid' };
    expect(merchant.webhooks.map(json)).toContainEqual(paid);
  });

  it('are tried again up to five times, same id and timestamp of the event, stamped anew', async () => {
    merchant.onWebhook = ({ raw }) => ({ status: raw.includes('Paid') ? 503 : 200 });
    await sandbox.pay(order({ dialect: 'v2' }));
    await sandbox.idle();
    const tries = merchant.webhooks.filter(({ raw }) => raw.includes('Transaction.Paid'));
    expect(tries).toHaveLength(6);
    expect(new Set(tries.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(tries.map(({ raw }) => raw)).size).toBe(1);
    const record = sandbox.books().payments[0]?.webhooks.find(({ event }) => event === 'paid');
    expect(record).toMatchObject({ fate: 'given_up', attempts: { length: 6 } });
  });

  it('stop retrying at the first 200', async () => {
    merchant.onWebhook = (_, n) => ({ status: n <= 3 ? 500 : 200 });
    await sandbox.pay(order({ dialect: 'v2', buyer: 'vanish' }));
    await sandbox.idle();
    expect(merchant.webhooks).toHaveLength(4);
  });

  it('arrive in the wrong order when the plan says so', async () => {
    const webhooks = { mode: 'reordered', delayMs: 1_000 } as const;
    await sandbox.pay(order({ dialect: 'v2', webhooks }));
    await sandbox.idle();
    expect(v2Types()).toEqual(['Transaction.Paid', 'Transaction.Ready']);
  });
});

describe('virtual accounts', () => {
  it('are issued as ready, paid by a deposit, and told of both times', async () => {
    const { paymentId, state } = await sandbox.pay(order({ method: 'vbank' }));
    expect(state).toBe('ready');
    expect(sandbox.deposit(paymentId)).toEqual({ accepted: true, afterDue: false });
    expect(sandbox.deposit(paymentId)).toMatchObject({ why: 'already_deposited' });
    await sandbox.idle();
    const statuses = merchant.webhooks.map((webhook) => json(webhook).status);
    expect(statuses.sort()).toEqual(['paid', 'ready']);
  });

  it('can be paid after the due date, but not once closed', async () => {
    let now = Date.now();
    const box = await another({ clock: () => now });
    const first = await box.pay(order({ dialect: 'v2', method: 'vbank', dueInMs: 1_000 }));
    now += 2_000;
    expect(box.deposit(first.paymentId)).toEqual({ accepted: true, afterDue: true });
    const second = await box.pay(order({ merchantUid: 'order-2', dialect: 'v2', method: 'vbank' }));
    const close = () =>
      fetch(`${box.v2Url}/payments/order-2/virtual-account/close`, {
        method: 'POST',
        headers: { authorization: `PortOne ${SANDBOX_V2.apiSecret}` },
      });
    expect((await close()).status).toBe(200);
    expect((await close()).status).toBe(409);
    expect(box.deposit(second.paymentId)).toMatchObject({ why: 'account_closed' });
    await box.idle();
    expect(v2Types()).toContain('Transaction.VirtualAccountIssued');
  });
});

describe('for testers', () => {
  it('sends forged webhooks as told', async () => {
    const verify = (n: number) => () =>
      new Webhook(SANDBOX_V2.webhookSecret).verify(
        merchant.webhooks[n]?.raw ?? '',
        merchant.webhooks[n]?.headers ?? {},
      );
    for (const signature of ['good', 'bad', 'stale', 'none'] as const) {
      await sandbox.sendWebhook({ body: { type: 'Transaction.Paid' }, signature });
    }
    expect(verify(0)).not.toThrow();
    for (const n of [1, 2, 3]) expect(verify(n)).toThrow();
  });

  it('comes through the proxy that it is told, in every call, unless a loose one says another', async () => {
    const from = ({ headers }: Received) => headers['x-forwarded-for'];
    const behind = await another({ forwardedFor: '192.0.2.1' });
    await behind.pay(order());
    await behind.idle();
    const loose = { body: { status: 'paid' } };
    await behind.sendWebhook(loose);
    await behind.sendWebhook({ ...loose, forwardedFor: '192.0.2.1, 198.51.100.9' });
    await sandbox.sendWebhook(loose);
    expect(merchant.confirms.map(from)).toEqual(['192.0.2.1']);
    expect(merchant.webhooks.map(from)).toEqual([
      '192.0.2.1',
      '192.0.2.1',
      '192.0.2.1, 198.51.100.9',
      undefined,
    ]);
  });

  it('gives the same ids for the same seed and others for another', async () => {
    const ids = async (seed: number) => {
      const box = await another({ seed });
      const v1 = await box.pay(order());
      const v2 = await box.pay(order({ dialect: 'v2' }));
      return [v1.paymentId, v2.paymentId];
    };
    expect(await ids(1)).toEqual(await ids(1));
    expect(await ids(1)).not.toEqual(await ids(2));
  });

  it('can be driven over HTTP', async () => {
    const call = async (method: string, path: string, body?: Json) => {
      const response = await fetch(`${sandbox.url}/sandbox${path}`, {
        method,
        // As curl -d does it.
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    };
    const paid = await call('POST', '/payments', { merchantUid: 'order-1', amount: 1_000 });
    expect(paid).toMatchObject({ status: 200, body: { state: 'paid' } });
    const wrong = await call('POST', '/payments', { merchantUid: 'x', amount: 1, byer: 'pay' });
    expect(wrong).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('byer') },
    });
    expect(await call('GET', '/books')).toMatchObject({ body: { totals: { kept: 1_000 } } });
    const fault = { rest: [{ kind: 'error' }] };
    expect(await call('PUT', '/faults', fault)).toMatchObject({
      body: { rest: [{ kind: 'error', status: 500 }], webhooksSilenced: false },
    });
    expect(await call('PUT', '/faults', { rest: 1 })).toMatchObject({ status: 400 });
    const help = await (await fetch(`${sandbox.url}/`)).text();
    expect(help).toContain(sandbox.url);
  });

  it('ends late work when closed', async () => {
    await sandbox.pay(order({ buyer: 'pay_late', lateMs: 60_000 }));
    await sandbox.close();
    await sandbox.idle();
    expect(sandbox.books().totals.states.ready).toBe(1);
  });
});
