/** PortOne's own SDK talks to the sandbox as it would to PortOne, and understands what comes back. */

import http from 'node:http';
import { text } from 'node:stream/consumers';
import { PaymentClient, type Webhook as Sdk, Webhook } from '@portone/server-sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { helpText } from '../../src/sandbox/help.ts';
import { merchantEnv } from '../../src/sandbox/merchant-env.ts';
import { SANDBOX_V2, startSandbox } from '../../src/sandbox/server.ts';
import type { PayRequest, Sandbox } from '../../src/sandbox/types.ts';
import { type Merchant, type Received, startMerchant } from './sandbox-merchant.ts';

let merchant: Merchant;
let sandbox: Sandbox;
let client: ReturnType<typeof PaymentClient>;
let now = 0;

beforeEach(async () => {
  now = Date.now();
  merchant = await startMerchant();
  sandbox = await startSandbox({
    seed: 7,
    clock: () => now,
    webhookUrl: merchant.webhookUrl,
    timeScale: 60_000,
  });
  client = PaymentClient({ secret: SANDBOX_V2.apiSecret, baseUrl: sandbox.url });
});

afterEach(async () => {
  await sandbox.close();
  await merchant.close();
});

const PAYMENT = { paymentId: 'order-1' };

const order = (request: Partial<PayRequest> = {}): PayRequest => ({
  dialect: 'v2',
  merchantUid: 'order-1',
  amount: 30_000,
  ...request,
});

/** The type of the SDK's error, or what came instead of one. */
async function refusal(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (answer) => ({ answered: answer }),
    (error: { name: string; data?: { type: string } }) => `${error.name} ${error.data?.type}`,
  );
}

const read = () => client.getPayment(PAYMENT);

async function told(): Promise<Sdk.Webhook[]> {
  await sandbox.idle();
  const { webhookSecret } = SANDBOX_V2;
  return Promise.all(
    merchant.webhooks.map(({ raw, headers }) => Webhook.verify(webhookSecret, raw, headers)),
  );
}

/** Sorted: two that are sent in the same moment may overtake each other. */
const types = async (): Promise<unknown[]> => (await told()).map(({ type }) => type).sort();

describe('getPayment', () => {
  it('tells of a paid one with everything the schema requires', async () => {
    const { paymentId } = await sandbox.pay(order({ customData: '{"seat":"A-1"}' }));
    const payment = await read();
    expect(payment).toMatchObject({
      status: 'PAID',
      id: 'order-1',
      transactionId: paymentId,
      merchantId: expect.any(String),
      storeId: expect.any(String),
      version: 'V2',
      channel: { type: 'LIVE', pgProvider: expect.any(String), pgMerchantId: expect.any(String) },
      requestedAt: new Date(now).toISOString(),
      updatedAt: expect.any(String),
      statusChangedAt: expect.any(String),
      paidAt: new Date(now).toISOString(),
      orderName: expect.any(String),
      amount: { total: 30_000, taxFree: 0, discount: 0, paid: 30_000, cancelled: 0 },
      currency: 'KRW',
      customer: {},
      customData: '{"seat":"A-1"}',
      disputes: [],
    });
  });

  it('lists the webhooks that were sent, with what was answered', async () => {
    merchant.onWebhook = ({ raw }) => ({
      status: raw.includes('Ready') ? 404 : 200,
      body: 'thanks',
    });
    await sandbox.pay(order());
    await sandbox.idle();
    const payment = await read();
    if (!('webhooks' in payment)) throw new Error('no webhooks');
    expect(payment.webhooks).toMatchObject([
      {
        paymentStatus: 'READY',
        status: 'FAILED_NOT_OK_RESPONSE',
        currentExecutionCount: 6,
        maxExecutionCount: 6,
        response: { code: '404', body: 'thanks', header: expect.any(String) },
      },
      {
        paymentStatus: 'PAID',
        status: 'SUCCEEDED',
        url: merchant.webhookUrl,
        isAsync: false,
        request: { body: expect.stringContaining('Transaction.Paid') },
        response: { code: '200', respondedAt: expect.any(String) },
      },
    ]);
  });

  it('refuses the unknown and the uninvited in words the SDK knows', async () => {
    expect(await refusal(read())).toBe('GetPaymentError PAYMENT_NOT_FOUND');
    client = PaymentClient({ secret: 'nope', baseUrl: sandbox.url });
    expect(await refusal(read())).toBe('GetPaymentError UNAUTHORIZED');
  });
});

describe('a webhook secret that is rotated', () => {
  const { webhookSecret, nextWebhookSecret } = SANDBOX_V2;

  /** Which secrets the SDK takes a message for signed with. */
  async function signersOf({ raw, headers }: Received): Promise<string[]> {
    const found = { old: webhookSecret, new: nextWebhookSecret };
    const good = await Promise.all(
      Object.entries(found).map(async ([name, secret]) =>
        Webhook.verify(secret, raw, headers).then(
          () => name,
          () => null,
        ),
      ),
    );
    return good.filter((name) => name !== null);
  }

  it('signs with the old, then both, then the new: confirms, webhooks, resends and loose ones', async () => {
    const rotate = (signWith: string) =>
      fetch(`${sandbox.url}/sandbox/signing`, {
        method: 'PUT',
        body: JSON.stringify({ signWith }),
      });
    const { paymentId } = await sandbox.pay(order({ confirmUrl: merchant.confirmUrl }));
    await sandbox.idle();
    const signers: Record<string, string[]> = { old: ['old'], both: ['old', 'new'], new: ['new'] };
    for (const [which, expected] of Object.entries(signers)) {
      expect((await rotate(which)).status).toBe(200);
      merchant.confirms.length = 0;
      merchant.webhooks.length = 0;
      await sandbox.pay(order({ merchantUid: which, confirmUrl: merchant.confirmUrl }));
      sandbox.resendInConsole(paymentId);
      await sandbox.sendWebhook({ body: { type: 'BillingKey.Ready' }, signature: 'good' });
      await sandbox.idle();
      const sent = [...merchant.confirms, ...merchant.webhooks];
      expect(sent).toHaveLength(5);
      expect(await Promise.all(sent.map(signersOf))).toEqual(sent.map(() => expected));
    }
    expect((await rotate('none')).status).toBe(400);
  });

  it('makes a forgery no better', async () => {
    sandbox.signWith('both');
    await sandbox.sendWebhook({ body: { type: 'BillingKey.Ready' }, signature: 'bad' });
    expect(await Promise.all(merchant.webhooks.map(signersOf))).toEqual([[]]);
  });

  it('needs a second one, and is not pretended without', async () => {
    const single = await startSandbox({ v2: { apiSecret: 'x', webhookSecret } });
    expect(() => single.signWith('new')).toThrow(TypeError);
    single.signWith('old');
    await single.close();
  });

  it('is known beforehand to a merchant who was told the settings', () => {
    const setting = `${webhookSecret},${nextWebhookSecret}`;
    expect(merchantEnv(sandbox).PORTONE_WEBHOOK_SECRET).toBe(setting);
    const printed = helpText(sandbox.url, sandbox.credentials);
    expect(printed).toContain(`export PORTONE_WEBHOOK_SECRET=${setting}\n`);
  });
});

describe('confirmPayment', () => {
  const claims = { currency: 'KRW', totalAmount: 30_000, isTest: false };

  it('charges what the buyer authenticated, once; no confirm_url is asked', async () => {
    const confirmUrl = merchant.confirmUrl;
    const { paymentToken, txId, merchantUid } = await sandbox.authenticate(order({ confirmUrl }));
    expect(merchantUid).toBe('order-1');
    expect(await read()).toMatchObject({ status: 'READY', transactionId: txId });
    const done = await client.confirmPayment({ ...PAYMENT, paymentToken, txId, ...claims });
    expect(done).toEqual({ pgTxId: expect.any(String), paidAt: new Date(now).toISOString() });
    expect(await read()).toMatchObject({ status: 'PAID', transactionId: txId });
    expect(await types()).toEqual(['Transaction.Paid', 'Transaction.Ready']);
    expect(merchant.confirms).toHaveLength(0);
    const again = client.confirmPayment({ ...PAYMENT, paymentToken });
    expect(await refusal(again)).toBe('ConfirmPaymentError ALREADY_PAID');
  });

  it('refuses whatever differs, and leaves the token good', async () => {
    const { paymentToken } = await sandbox.authenticate(order());
    const wrong = [
      { txId: 'other' },
      { currency: 'USD' },
      { totalAmount: 1 },
      { isTest: true },
      { taxFreeAmount: 1 },
    ];
    for (const claim of wrong) {
      const answer = await refusal(client.confirmPayment({ ...PAYMENT, paymentToken, ...claim }));
      expect(answer).toBe('ConfirmPaymentError INFORMATION_MISMATCH');
    }
    expect(sandbox.books().totals.everPaid).toBe(0);
    expect(await client.confirmPayment({ ...PAYMENT, paymentToken })).toMatchObject({});
  });

  it('knows unknown payments, unknown tokens and those of another order', async () => {
    const { paymentToken } = await sandbox.authenticate(order());
    await sandbox.authenticate(order({ merchantUid: 'order-2' }));
    const confirm = (paymentId: string, token: string) =>
      refusal(client.confirmPayment({ paymentId, paymentToken: token }));
    expect(await confirm('none', paymentToken)).toBe('ConfirmPaymentError PAYMENT_NOT_FOUND');
    expect(await confirm('order-1', 'nope')).toBe('ConfirmPaymentError INVALID_PAYMENT_TOKEN');
    expect(await confirm('order-2', paymentToken)).toBe(
      'ConfirmPaymentError INVALID_PAYMENT_TOKEN',
    );
    expect(await confirm('order-1', '')).toBe('ConfirmPaymentError INVALID_REQUEST');
  });

  it('comes too late when the authentication is over', async () => {
    const { paymentToken } = await sandbox.authenticate(order({ authLastsMs: 60_000 }));
    now += 60_000;
    expect(await refusal(client.confirmPayment({ ...PAYMENT, paymentToken }))).toBe(
      'ConfirmPaymentError INVALID_PAYMENT_TOKEN',
    );
    expect(await read()).toMatchObject({ status: 'READY' });
  });

  it('is declined by the PG, which uses the token up', async () => {
    const { paymentToken } = await sandbox.authenticate(order({ buyer: 'decline' }));
    expect(await refusal(client.confirmPayment({ ...PAYMENT, paymentToken }))).toBe(
      'ConfirmPaymentError PG_PROVIDER',
    );
    expect(await read()).toMatchObject({ status: 'FAILED', failure: { pgCode: 'SANDBOX' } });
    expect(await refusal(client.confirmPayment({ ...PAYMENT, paymentToken }))).toBe(
      'ConfirmPaymentError INVALID_PAYMENT_TOKEN',
    );
    expect(await types()).toEqual(['Transaction.Failed', 'Transaction.Ready']);
  });

  it('takes two calls with one token for one charge', async () => {
    const { paymentToken } = await sandbox.authenticate(order({ pgDelayMs: 1_000 }));
    const calls = [1, 2].map(() => refusal(client.confirmPayment({ ...PAYMENT, paymentToken })));
    const [first, second] = await Promise.all(calls);
    expect([first, second]).toContainEqual({ answered: expect.objectContaining({}) });
    expect([first, second]).toContain('ConfirmPaymentError INVALID_PAYMENT_TOKEN');
    expect(sandbox.books().totals).toMatchObject({ everPaid: 1, kept: 30_000 });
  });

  it('lets one of two attempts succeed', async () => {
    const tokens = await Promise.all([1, 2].map(() => sandbox.authenticate(order())));
    const answers = [];
    for (const { paymentToken } of tokens) {
      answers.push(await refusal(client.confirmPayment({ ...PAYMENT, paymentToken })));
    }
    expect(answers[1]).toBe('ConfirmPaymentError ALREADY_PAID');
    expect((await client.getPaymentTransactions(PAYMENT)).items).toMatchObject([
      { status: 'PAID', id: tokens[0]?.txId, paymentId: 'order-1' },
      { status: 'READY', id: tokens[1]?.txId, paymentId: 'order-1' },
    ]);
    expect((await sandbox.authenticate(order())).notOpened).toBe('already_paid');
  });

  it('issues a virtual account, paid into later', async () => {
    const { paymentToken, txId } = await sandbox.authenticate(order({ method: 'vbank' }));
    const done = await client.confirmPayment({ ...PAYMENT, paymentToken });
    expect(done).toEqual({ pgTxId: expect.any(String) });
    expect(await read()).toMatchObject({
      status: 'VIRTUAL_ACCOUNT_ISSUED',
      method: { type: 'PaymentMethodVirtualAccount', accountNumber: expect.any(String) },
    });
    expect(sandbox.deposit(txId)).toMatchObject({ accepted: true });
    expect(await types()).toEqual([
      'Transaction.Paid',
      'Transaction.Ready',
      'Transaction.VirtualAccountIssued',
    ]);
    const payment = await read();
    if (!('webhooks' in payment)) throw new Error('no webhooks');
    expect(payment.webhooks?.at(-1)).toMatchObject({
      trigger: 'VIRTUAL_ACCOUNT_DEPOSIT',
      isAsync: true,
    });
  });

  it('keeps quiet when asked to, but not about the deposit that follows', async () => {
    const { paymentToken, txId } = await sandbox.authenticate(
      order({ method: 'vbank', paidAtAlways: true }),
    );
    const answer = await fetch(`${sandbox.v2Url}/payments/order-1/confirm`, {
      method: 'POST',
      headers: { authorization: `PortOne ${SANDBOX_V2.apiSecret}` },
      body: JSON.stringify({ paymentToken, skipWebhook: true }),
    });
    expect(await answer.json()).toMatchObject({ paidAt: expect.any(String) });
    expect(await types()).toEqual(['Transaction.Ready']);
    sandbox.deposit(txId);
    expect(await types()).toEqual(['Transaction.Paid', 'Transaction.Ready']);
  });
});

describe('cancelPayment', () => {
  it('gives back at once, and says so in the payment', async () => {
    await sandbox.pay(order());
    const { cancellation } = await client.cancelPayment({
      ...PAYMENT,
      reason: 'sold out',
      amount: 10_000,
      currentCancellableAmount: 30_000,
    });
    expect(cancellation).toMatchObject({
      status: 'SUCCEEDED',
      totalAmount: 10_000,
      taxFreeAmount: 0,
      vatAmount: 909,
      trigger: 'API',
      reason: 'sold out',
    });
    expect(await read()).toMatchObject({
      status: 'PARTIAL_CANCELLED',
      amount: { total: 30_000, cancelled: 10_000 },
      cancellations: [{ status: 'SUCCEEDED' }],
      cancelledAt: expect.any(String),
    });
  });

  it('is only taken where the PG works later, and carried out in its time', async () => {
    const { paymentId } = await sandbox.pay(order({ cancels: { how: 'later', lateMs: null } }));
    const cancel = (amount?: number) =>
      client.cancelPayment({ ...PAYMENT, reason: 'r', ...(amount && { amount }) });
    const { cancellation } = await cancel(10_000);
    expect(cancellation).toMatchObject({ status: 'REQUESTED', totalAmount: 10_000 });
    expect(cancellation).not.toHaveProperty('cancelledAt');
    expect(await read()).toMatchObject({
      status: 'PAID',
      amount: { cancelled: 0 },
      cancellations: [{ status: 'REQUESTED' }],
    });
    expect(await refusal(cancel(20_001))).toBe(
      'CancelPaymentError CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT',
    );
    expect(sandbox.finishCancellations(paymentId)).toBe(1);
    expect(sandbox.finishCancellations(paymentId)).toBe(0);
    const messages = await told();
    const data = { cancellationId: Reflect.get(cancellation, 'id') };
    for (const type of ['Transaction.CancelPending', 'Transaction.PartialCancelled']) {
      expect(messages).toContainEqual(
        expect.objectContaining({ type, data: expect.objectContaining(data) }),
      );
    }
    expect(await read()).toMatchObject({
      status: 'PARTIAL_CANCELLED',
      amount: { cancelled: 10_000 },
    });
  });

  it('may be taken, and not carried out after all', async () => {
    await sandbox.pay(order({ cancels: { how: 'late_failure', lateMs: 20 } }));
    await client.cancelPayment({ ...PAYMENT, reason: 'r' });
    expect(sandbox.books().payments[0]).toMatchObject({ kept: 30_000, state: 'paid' });
    await sandbox.idle();
    expect(await read()).toMatchObject({ status: 'PAID', cancellations: [{ status: 'FAILED' }] });
    expect(await refusal(client.cancelPayment({ ...PAYMENT, reason: 'r' }))).toMatchObject({
      answered: { cancellation: { status: 'REQUESTED' } },
    });
  });

  it('may fail at once, in an answer of 200', async () => {
    await sandbox.pay(order({ cancels: { how: 'failed' } }));
    const answered = await client.cancelPayment({ ...PAYMENT, reason: 'r' });
    expect(answered).toMatchObject({ cancellation: { status: 'FAILED' } });
    expect(await read()).toMatchObject({ status: 'PAID', cancellations: [{ status: 'FAILED' }] });
    expect(sandbox.books().payments[0]).toMatchObject({ kept: 30_000, state: 'paid' });
  });

  it('is refused by the PG the first times, or always', async () => {
    await sandbox.pay(order({ cancels: { refusals: 2, message: '환불 불가' } }));
    await sandbox.pay(order({ merchantUid: 'order-2', cancels: { how: 'never' } }));
    const cancel = (paymentId: string) => refusal(client.cancelPayment({ paymentId, reason: 'r' }));
    expect(await cancel('order-1')).toBe('CancelPaymentError PG_PROVIDER');
    expect(await cancel('order-1')).toBe('CancelPaymentError PG_PROVIDER');
    expect(await cancel('order-1')).toMatchObject({ answered: {} });
    expect(await cancel('order-2')).toBe('CancelPaymentError PG_PROVIDER');
    const [first, second] = sandbox.books().payments;
    expect(first?.cancelRequests.map(({ outcome }) => outcome)).toEqual([
      'pg_refused',
      'pg_refused',
      'accepted',
    ]);
    expect([first?.kept, second?.kept]).toEqual([0, 30_000]);
  });

  it('of a deposited account needs another account', async () => {
    const { paymentId } = await sandbox.pay(order({ method: 'vbank' }));
    sandbox.deposit(paymentId);
    const cancel = { ...PAYMENT, reason: 'r' };
    expect(await refusal(client.cancelPayment(cancel))).toBe('CancelPaymentError INVALID_REQUEST');
    const refundAccount = { bank: 'KOOKMIN', number: '1', holderName: '구매자' } as const;
    expect(await client.cancelPayment({ ...cancel, refundAccount })).toMatchObject({
      cancellation: { status: 'SUCCEEDED' },
    });
  });
});

describe('the other calls', () => {
  it('preRegisterPayment fixes the amount until it is paid', async () => {
    await client.preRegisterPayment({ ...PAYMENT, totalAmount: 30_000 });
    expect((await sandbox.authenticate(order({ amount: 1 }))).notOpened).toBe(
      'amount_not_as_registered',
    );
    await sandbox.pay(order());
    expect(await refusal(client.preRegisterPayment(PAYMENT))).toBe(
      'PreRegisterPaymentError ALREADY_PAID',
    );
  });

  it('closeVirtualAccount closes one that waits, unless the PG cannot', async () => {
    await sandbox.pay(order({ method: 'vbank', closable: false }));
    await sandbox.pay(order({ merchantUid: 'order-2', method: 'vbank' }));
    const close = (paymentId: string) => refusal(client.closeVirtualAccount({ paymentId }));
    expect(await close('order-1')).toBe('CloseVirtualAccountError PG_PROVIDER');
    expect(await close('order-2')).toEqual({ answered: { closedAt: new Date(now).toISOString() } });
    expect(await close('order-2')).toBe('CloseVirtualAccountError PAYMENT_NOT_WAITING_FOR_DEPOSIT');
    expect(await close('none')).toBe('CloseVirtualAccountError PAYMENT_NOT_FOUND');
    expect(await read()).toMatchObject({ status: 'VIRTUAL_ACCOUNT_ISSUED' });
  });

  it('closeVirtualAccount leaves one that reads as failed, or as cancelled unpaid', async () => {
    await sandbox.pay(order({ method: 'vbank' }));
    await sandbox.pay(order({ merchantUid: 'order-2', method: 'vbank', closedAs: 'cancelled' }));
    for (const paymentId of ['order-1', 'order-2']) await client.closeVirtualAccount({ paymentId });
    expect(await read()).toMatchObject({ status: 'FAILED' });
    const closed = await client.getPayment({ paymentId: 'order-2' });
    const amount = { paid: 0, cancelled: 0 };
    expect(closed).toMatchObject({ status: 'CANCELLED', amount, cancellations: [] });
    expect(closed).not.toHaveProperty('paidAt');
  });

  it('getAllPaymentsByCursor walks a window to its end, new payments or not', async () => {
    for (let n = 1; n <= 5; n += 1) {
      await sandbox.pay(order({ merchantUid: `order-${n}`, buyer: n === 2 ? 'decline' : 'pay' }));
      now += 1_000;
    }
    await sandbox.pay(order({ merchantUid: 'order-2' }));
    const seen: unknown[] = [];
    let cursor: string | undefined;
    for (;;) {
      const query = { size: 2, ...(cursor !== undefined && { cursor }) };
      const { items } = await client.getAllPaymentsByCursor(query);
      if (items.length === 0) break;
      for (const { payment } of items) seen.push([Reflect.get(payment, 'id'), payment.status]);
      cursor = items.at(-1)?.cursor;
      if (seen.length === 4) await sandbox.pay(order({ merchantUid: 'order-6' }));
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6].map((n) => [`order-${n}`, 'PAID']));
    const from = new Date(now - 2_000).toISOString();
    expect((await client.getAllPaymentsByCursor({ from })).items).toHaveLength(3);
    const until = new Date(now - 6_000).toISOString();
    expect((await client.getAllPaymentsByCursor({ until })).items).toEqual([]);
    for (const query of [{ size: 1_001 }, { cursor: 'x' }, { from, until }]) {
      expect(await refusal(client.getAllPaymentsByCursor(query))).toBe(
        'GetAllPaymentsError INVALID_REQUEST',
      );
    }
  });

  it('a GET may bring its question as a body, where no SDK does', async () => {
    await sandbox.pay(order());
    await sandbox.pay(order({ merchantUid: 'order-2' }));
    const ask = (path: string, question: string) =>
      new Promise<string>((resolve, reject) => {
        const headers = {
          authorization: `PortOne ${SANDBOX_V2.apiSecret}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(question),
        };
        const request = http.request(`${sandbox.v2Url}${path}`, { headers }, (response) => {
          text(response).then(resolve, reject);
        });
        request.on('error', reject).end(question);
      });
    const listed = await ask('/payments-by-cursor', JSON.stringify({ size: 1 }));
    expect(JSON.parse(listed).items).toMatchObject([{ payment: { id: 'order-1' } }]);
    const page = await ask('/payments', JSON.stringify({ page: { number: 1, size: 1 } }));
    expect(JSON.parse(page).items).toMatchObject([{ id: 'order-1' }]);
    expect(JSON.parse(await ask('/payments', 'nonsense')).type).toBe('INVALID_REQUEST');
  });

  it('getPayments gives pages of what fits the filter, the newest first', async () => {
    for (let n = 1; n <= 3; n += 1) {
      await sandbox.pay(order({ merchantUid: `order-${n}`, test: n === 3 }));
      now += 1_000;
    }
    const all = await client.getPayments({ page: { number: 0, size: 2 } });
    expect(all.page).toEqual({ number: 0, size: 2, totalCount: 3 });
    expect(all.items).toMatchObject([{ id: 'order-3' }, { id: 'order-2' }]);
    const tests = await client.getPayments({ filter: { isTest: true, status: ['PAID'] } });
    expect(tests.items).toMatchObject([{ id: 'order-3', channel: { type: 'TEST' } }]);
    expect((await client.getPayments()).page).toMatchObject({ size: 10, totalCount: 3 });
  });

  it('resendWebhook sends the latest once more, with the same id, up to a limit', async () => {
    merchant.onWebhook = () => ({ status: 200 });
    await sandbox.pay(order());
    await sandbox.idle();
    const { webhook } = await client.resendWebhook(PAYMENT);
    expect(webhook).toMatchObject({
      status: 'SUCCEEDED',
      trigger: 'MANUAL',
      currentExecutionCount: 2,
    });
    expect(await types()).toEqual(['Transaction.Paid', 'Transaction.Paid', 'Transaction.Ready']);
    expect(merchant.webhooks.at(-1)?.headers['webhook-id']).toBe(webhook.id);
    const unknown = client.resendWebhook({ ...PAYMENT, webhookId: 'none' });
    expect(await refusal(unknown)).toBe('ResendWebhookError WEBHOOK_NOT_FOUND');
    for (let n = 3; n <= 11; n += 1) await client.resendWebhook(PAYMENT);
    expect(await refusal(client.resendWebhook(PAYMENT))).toBe(
      'ResendWebhookError MAX_WEBHOOK_RETRY_COUNT_REACHED',
    );
  });
});

describe('Webhook.verify', () => {
  it('knows pending payments, how they end, and disputes', async () => {
    const first = await sandbox.pay(order({ buyer: 'vanish', pending: true }));
    expect(await read()).toMatchObject({ status: 'PAY_PENDING' });
    expect(sandbox.fail(first.paymentId)).toBe(true);
    expect(await read()).toMatchObject({ status: 'FAILED' });
    const late = { buyer: 'pay_late', pending: true, lateMs: 20 } as const;
    const { paymentId } = await sandbox.pay(order(late));
    await sandbox.idle();
    expect(sandbox.dispute(paymentId)).toBe(true);
    expect(await read()).toMatchObject({ status: 'PAID', disputes: [{ status: 'UNRESOLVED' }] });
    expect(sandbox.resolveDispute(paymentId)).toBe(true);
    expect(sandbox.resolveDispute(paymentId)).toBe(false);
    expect(await types()).toEqual([
      'Transaction.DisputeCreated',
      'Transaction.DisputeResolved',
      'Transaction.Failed',
      'Transaction.Paid',
      'Transaction.PayPending',
      'Transaction.PayPending',
      'Transaction.Ready',
      'Transaction.Ready',
    ]);
    expect((await told()).every((message) => !Webhook.isUnrecognizedWebhook(message))).toBe(true);
  });

  it('knows billing keys, and lets types it does not know through', async () => {
    await sandbox.sendBillingKey('Issued');
    await sandbox.sendWebhook({ body: { type: 'Transaction.Teleported' }, signature: 'good' });
    expect(await told()).toMatchObject([
      { type: 'BillingKey.Issued', data: { billingKey: expect.any(String) } },
      { type: 'Transaction.Teleported' },
    ]);
  });

  it('says nothing of disputes in 2024-01-01, and CancelPending in its own word', async () => {
    const { paymentId } = await sandbox.pay(
      order({ dialect: 'v2-2024-01-01', cancels: { how: 'later', lateMs: 0 } }),
    );
    sandbox.dispute(paymentId);
    await client.cancelPayment({ ...PAYMENT, reason: 'r' });
    await sandbox.idle();
    const words = merchant.webhooks.map(({ raw }) => JSON.parse(raw).status);
    expect(words.sort()).toEqual(['CancelPending', 'Cancelled', 'Paid', 'Ready']);
  });
});
