// The V2 API over real HTTP: against the sandbox, and against a stub for what that cannot play.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type CancelRequest,
  GatewayUnreachable,
  type ManualConfirm,
  type PaymentApi,
  type PaymentRef,
  type PaymentSnapshot,
} from '../../src/portone/payment.ts';
import { createPortOne } from '../../src/portone/portone.ts';
import { createV2Api } from '../../src/portone/v2.ts';
import { SANDBOX_V2, startSandbox } from '../../src/sandbox/server.ts';
import type { PayRequest, Sandbox } from '../../src/sandbox/types.ts';
import { until } from '../support/wait.ts';
import { type Stub, type StubReply, startStub } from './portone-stub.ts';

const START_MS = Date.UTC(2026, 7, 6);
const KEY = 'refund-0123456789';

let nowMs: number;
let sandbox: Sandbox;
let stub: Stub;
/** On the sandbox, and on the stub. */
let api: PaymentApi;
let stubbed: PaymentApi;
let operations: string[];
let unreadable: number;

const connect = (baseUrl: string, limits: { timeoutMs?: number; confirmTimeoutMs?: number } = {}) =>
  createV2Api({
    baseUrl,
    secret: SANDBOX_V2.apiSecret,
    timeoutMs: 10_000,
    confirmTimeoutMs: 20_000,
    ...limits,
    onCall: ({ operation, status }) => operations.push(`${operation} ${status}`),
    onUnreadable: () => {
      unreadable += 1;
    },
  });

beforeEach(async () => {
  nowMs = START_MS;
  operations = [];
  unreadable = 0;
  sandbox = await startSandbox({ seed: 7, clock: () => nowMs });
  stub = await startStub();
  api = connect(sandbox.v2Url);
  stubbed = connect(stub.url);
});

afterEach(() => Promise.all([sandbox.close(), stub.close()]));

const ref = (merchantUid = 'o-1'): PaymentRef => ({ gateway: 'v2', paymentId: 't-1', merchantUid });

const pay = (request: Partial<PayRequest> = {}) =>
  sandbox.pay({ dialect: 'v2', merchantUid: 'o-1', amount: 30_000, ...request });

async function snapshot(merchantUid = 'o-1'): Promise<PaymentSnapshot> {
  const payment = await api.read(ref(merchantUid));
  if (!payment) throw new Error('PortOne does not know it');
  return payment;
}

const cancelOf = (
  payment: PaymentSnapshot,
  request: Partial<CancelRequest> = {},
): CancelRequest => ({
  payment,
  amount: null,
  reason: 'no seat',
  key: KEY,
  account: null,
  ...request,
});

const kept = () => sandbox.books().totals.kept;
const error = (status: number, type: string): StubReply => ({ status, body: { type } });

const PAID = {
  status: 'PAID',
  id: 'o-1',
  transactionId: 't-1',
  version: 'V2',
  amount: { total: 30_000, cancelled: 0 },
  currency: 'KRW',
  channel: { type: 'LIVE' },
  method: { type: 'PaymentMethodCard' },
};

describe('read', () => {
  test('tells a paid payment', async () => {
    const { paymentId } = await pay();
    expect(await api.read(ref())).toEqual({
      gateway: 'v2',
      paymentId,
      merchantUid: 'o-1',
      status: 'paid',
      amount: 30_000,
      cancelledAmount: 0,
      currency: 'KRW',
      test: false,
      method: 'PaymentMethodCard',
      virtualAccount: false,
      depositBy: null,
      cancelPending: false,
      paidAt: new Date(START_MS),
    });
    expect(await api.read(ref('none'))).toBeNull();
    expect(await api.read(ref('../..'))).toBeNull();
  });

  test('tells an account that waits, until when, and that its money came', async () => {
    const { paymentId } = await pay({ method: 'vbank', dueInMs: 60_000, test: true });
    const account = { virtualAccount: true, depositBy: new Date(START_MS + 60_000), test: true };
    expect(await snapshot()).toMatchObject({ status: 'waiting_deposit', ...account });
    sandbox.deposit(paymentId);
    expect(await snapshot()).toMatchObject({ status: 'paid', ...account });
  });

  test('tells an account that was closed unpaid as failed, whatever it is called', async () => {
    for (const closedAs of ['failed', 'cancelled'] as const) {
      const { paymentId } = await pay({ merchantUid: closedAs, method: 'vbank', closedAs });
      await api.closeAccount(ref(closedAs));
      const unpaid = { paymentId, status: 'failed', cancelledAmount: 0 };
      expect(await api.read(ref(closedAs))).toMatchObject(unpaid);
      expect(await api.readAttempts(closedAs)).toMatchObject([unpaid]);
    }
  });

  test('tells a part paid back as paid, and all of it as cancelled', async () => {
    const { paymentId } = await pay();
    sandbox.cancelInConsole(paymentId, 10_000);
    expect(await snapshot()).toMatchObject({ status: 'paid', cancelledAmount: 10_000 });
    expect(await api.readAttempts('o-1')).toMatchObject([{ paymentId, status: 'paid' }]);
    sandbox.cancelInConsole(paymentId);
    expect(await snapshot()).toMatchObject({ status: 'cancelled', cancelledAmount: 30_000 });
    expect(await api.readAttempts('o-1')).toMatchObject([{ paymentId, status: 'cancelled' }]);
  });

  test('tells of the attempt that was asked for, though a later window is open', async () => {
    const first = await pay({ method: 'vbank', dueInMs: 60_000 });
    const second = await pay({ buyer: 'vanish' });
    const ref = { gateway: 'v2', merchantUid: 'o-1' } as const;
    const read = (paymentId: string) => api.read({ ...ref, paymentId });
    expect(await read(first.paymentId)).toMatchObject({ status: 'waiting_deposit' });
    expect(await read(second.paymentId)).toMatchObject({ status: 'ready' });
    expect(await api.readAttempts('o-1')).toMatchObject(
      [second, first].map(({ paymentId }) => ({ paymentId })),
    );
    expect(await api.readAttempts('nobody')).toEqual([]);
  });

  test.each([
    [{ status: 'PAY_PENDING' }, { status: 'pending' }],
    [
      { status: 'READY', method: null },
      { status: 'ready', virtualAccount: false },
    ],
    [
      { status: 'VIRTUAL_ACCOUNT_ISSUED', method: null },
      { virtualAccount: true, depositBy: null },
    ],
    [{ cancellations: [{ status: 'FAILED' }] }, { status: 'paid', cancelPending: false }],
    [
      { cancellations: [{ status: 'SUCCEEDED' }, { status: 'REQUESTED' }] },
      { status: 'paid', cancelPending: true },
    ],
    [{ method: { type: 'PaymentMethodVirtualAccount', expiredAt: 'soon' } }, { depositBy: null }],
  ])('makes %j out to be %j', async (fields, expected) => {
    stub.answer = () => ({ body: { ...PAID, ...fields } });
    expect(await stubbed.read(ref())).toMatchObject(expected);
  });

  test.each([
    ['a page of something before PortOne', { status: 404, text: '<html>no</html>' }],
    ['a path that PortOne does not have', error(404, 'NOT_FOUND')],
    ['a secret that is refused', error(401, 'UNAUTHORIZED')],
    ['a status that is new', { body: { ...PAID, status: 'FROZEN' } }],
  ])('never takes %s for a payment that does not exist', async (_, reply) => {
    stub.answer = () => reply;
    await expect(stubbed.read(ref())).rejects.toBeInstanceOf(GatewayUnreachable);
  });

  test('of many asks for 8 at a time, for each order once', async () => {
    stub.answer = async ({ path }) => {
      await until('8 calls to be at work', () => stub.concurrentMax >= 8);
      const id = path.slice('/payments/'.length);
      return id === 'o-7' ? error(404, 'PAYMENT_NOT_FOUND') : { body: { ...PAID, id } };
    };
    const refs = Array.from({ length: 40 }, (_, n) => ref(`o-${n}`));
    expect((await stubbed.readMany([...refs, ...refs])).known).toHaveLength(39);
    expect(stub.heard).toHaveLength(40);
    expect(stub.concurrentMax).toBe(8);
    const tooMany = Array.from({ length: 101 }, (_, n) => ref(`o-${n}`));
    await expect(stubbed.readMany(tooMany)).rejects.toBeInstanceOf(RangeError);
  });

  test('of many one that is refused, or cannot be read, keeps no other from being read', async () => {
    const odd: Record<string, StubReply> = {
      'o-1': error(400, 'INVALID_REQUEST'),
      'o-2': { body: { ...PAID, status: 'FROZEN' } },
    };
    stub.answer = ({ path }) => {
      const id = path.slice('/payments/'.length);
      return odd[id] ?? { body: { ...PAID, id } };
    };
    const refs = ['o-1', 'o-2', 'o-3'].map(ref);
    expect(await stubbed.readMany(refs)).toMatchObject({
      known: [{ merchantUid: 'o-3' }],
      unread: refs.slice(0, 2),
    });
  });

  test('of many fails as one, and asks for no more', async () => {
    stub.answer = () => error(401, 'UNAUTHORIZED');
    const refs = Array.from({ length: 40 }, (_, n) => ref(`o-${n}`));
    await expect(stubbed.readMany(refs)).rejects.toBeInstanceOf(GatewayUnreachable);
    expect(stub.heard.length).toBeLessThanOrEqual(16);
  });
});

describe('a list', () => {
  const window = { from: new Date(START_MS), to: new Date(START_MS + 60_000) };
  const uids = async (of: PaymentApi, range = window) => {
    const pages: string[][] = [];
    for await (const page of of.list(range)) pages.push(page.map((one) => one.merchantUid));
    return pages;
  };
  const item = (n: number, fields = {}) => ({
    payment: { ...PAID, id: `o-${n}`, ...fields },
    cursor: `cursor-${n}`,
  });
  const asked = () =>
    stub.heard.map(({ path }) =>
      JSON.parse(new URL(path, stub.url).searchParams.get('requestBody') ?? ''),
    );

  test('has every payment of the window once', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 120; n += 1) {
      await pay({ merchantUid: `o-${n}`, ...(n % 7 ? {} : { buyer: 'decline' }) });
      ids.push(`o-${n}`);
      nowMs += 100;
    }
    const found = (await uids(api)).flat();
    expect(found).toHaveLength(120);
    expect(found.sort()).toEqual(ids.sort());
    expect(await uids(api, { from: new Date(0), to: new Date(1) })).toEqual([]);
  });

  test('follows the cursor of the last payment to an empty page', async () => {
    stub.answer = (_, n) => ({ body: { items: n < 3 ? [item(2 * n), item(2 * n + 1)] : [] } });
    expect(await uids(stubbed)).toEqual([
      ['o-2', 'o-3'],
      ['o-4', 'o-5'],
    ]);
    const range = { from: window.from.toISOString(), until: window.to.toISOString(), size: 100 };
    expect(asked()).toEqual([
      range,
      { ...range, cursor: 'cursor-3' },
      { ...range, cursor: 'cursor-5' },
    ]);
  });

  test('ends too where a cursor includes its own payment', async () => {
    stub.answer = (_, n) => ({ body: { items: n === 1 ? [item(1), item(2)] : [item(2)] } });
    expect(await uids(stubbed)).toEqual([['o-1', 'o-2']]);
  });

  test('leaves payments of V1 to V1, and counts what it cannot read', async () => {
    stub.answer = (_, n) => ({
      body: {
        items: n === 1 ? [item(1, { version: 'V1' }), item(2, { status: 'FROZEN' }), item(3)] : [],
      },
    });
    expect(await uids(stubbed)).toEqual([['o-3']]);
    expect(unreadable).toBe(1);
  });

  test('that is refused, or longer than 90 days, is no short list', async () => {
    stub.answer = () => error(403, 'FORBIDDEN');
    await expect(uids(stubbed)).rejects.toBeInstanceOf(GatewayUnreachable);
    const tooLong = uids(stubbed, { from: new Date(0), to: new Date(START_MS) });
    await expect(tooLong).rejects.toBeInstanceOf(RangeError);
  });
});

describe('cancel', () => {
  test('gives back a part, then all that is left', async () => {
    await pay();
    const part = cancelOf(await snapshot(), { amount: 10_000 });
    expect(await api.cancel(part)).toEqual({ outcome: 'done' });
    expect(kept()).toBe(20_000);
    const rest = cancelOf(await snapshot(), { key: `${KEY}-rest` });
    expect(await api.cancel(rest)).toEqual({ outcome: 'done' });
    expect(kept()).toBe(0);
  });

  test('asks for a fresh look where somebody else moved money', async () => {
    const { paymentId } = await pay();
    const payment = await snapshot();
    sandbox.cancelInConsole(paymentId, 10_000);
    expect(await api.cancel(cancelOf(payment))).toEqual({ outcome: 'changed' });
    sandbox.cancelInConsole(paymentId);
    const again = cancelOf(payment, { key: `${KEY}-again` });
    expect(await api.cancel(again)).toEqual({ outcome: 'changed' });
  });

  test('that the provider carries out later is pending, and seen so', async () => {
    await pay({ cancels: { how: 'later', lateMs: 60_000 } });
    expect(await api.cancel(cancelOf(await snapshot()))).toEqual({ outcome: 'pending' });
    expect(await snapshot()).toMatchObject({ status: 'paid', cancelPending: true });
  });

  test('happens once where its answer was lost', async () => {
    await pay();
    const part = cancelOf(await snapshot(), { amount: 10_000 });
    sandbox.faults.rest({ kind: 'answer_lost', endpoint: 'cancel', times: 1 });
    expect(await api.cancel(part)).toEqual({ outcome: 'done' });
    expect(operations.slice(-2)).toEqual(['cancel unreachable', 'cancel 200']);
    // The caller's own repeat, with the same key.
    expect(await api.cancel(part)).toEqual({ outcome: 'done' });
    expect(kept()).toBe(20_000);
  });

  test('is sent with its key, twice at most', async () => {
    stub.answer = () => ({ status: 500 });
    const payment = await pay().then(() => snapshot());
    await expect(stubbed.cancel(cancelOf(payment))).rejects.toBeInstanceOf(GatewayUnreachable);
    const keys = stub.heard.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([`"${KEY}"`, `"${KEY}"`]);
    for (const key of ['too-short', 'x'.repeat(257), 'a "quoted" key here', '열쇠'.repeat(8)]) {
      await expect(stubbed.cancel(cancelOf(payment, { key }))).rejects.toBeInstanceOf(RangeError);
    }
  });

  test('names the account to pay back to, and leaves out the amount of a whole refund', async () => {
    stub.answer = () => ({ body: { cancellation: { status: 'REQUESTED' } } });
    const { paymentId } = await pay({ method: 'vbank' });
    sandbox.deposit(paymentId);
    const account = { bank: 'KOOKMIN', number: '123', holder: '김구매', phone: null };
    const request = cancelOf(await snapshot(), { account });
    expect(await stubbed.cancel(request)).toEqual({ outcome: 'pending' });
    expect(stub.heard[0]?.body).toEqual({
      reason: 'no seat',
      currentCancellableAmount: 30_000,
      refundAccount: { bank: 'KOOKMIN', number: '123', holderName: '김구매' },
    });
    expect(await api.cancel(request)).toEqual({ outcome: 'done' });
  });

  test.each([
    ['REQUESTED', 'pending'],
    ['SUCCEEDED', 'done'],
    ['FAILED', 'refused'],
  ])('that PortOne calls %s is %s', async (status, outcome) => {
    stub.answer = () => ({ body: { cancellation: { status } } });
    await pay();
    expect(await stubbed.cancel(cancelOf(await snapshot()))).toMatchObject({ outcome });
  });

  test.each([
    [409, 'CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT', 'changed'],
    [409, 'PAYMENT_NOT_PAID', 'refused'],
    [400, 'INVALID_REQUEST', 'refused'],
    [404, 'PAYMENT_NOT_FOUND', 'refused'],
    [502, 'PG_PROVIDER', 'refused'],
  ])('answered with %i %s is %s', async (status, type, outcome) => {
    stub.answer = () => error(status, type);
    await pay();
    expect(await stubbed.cancel(cancelOf(await snapshot()))).toMatchObject({ outcome });
    expect(stub.heard).toHaveLength(1);
  });

  test.each([
    ['while the first call is at work', error(409, 'IDEMPOTENCY_OUTSTANDING_REQUEST')],
    ['where our secret is refused', error(401, 'UNAUTHORIZED')],
    ['after a page that is not of PortOne', { status: 400, text: '<html>no</html>' }],
    ['after a status that is new', { body: { cancellation: { status: 'FROZEN' } } }],
  ])('has no known answer %s', async (_, reply) => {
    stub.answer = () => reply;
    await pay();
    const cancelling = stubbed.cancel(cancelOf(await snapshot()));
    await expect(cancelling).rejects.toBeInstanceOf(GatewayUnreachable);
  });

  test('of an odd amount is not sent', async () => {
    await pay();
    const request = cancelOf(await snapshot(), { amount: 0 });
    await expect(stubbed.cancel(request)).rejects.toBeInstanceOf(RangeError);
    expect(stub.heard).toEqual([]);
  });
});

describe('closing an account', () => {
  test('ends one that waits, and says where none does', async () => {
    const { paymentId } = await pay({ method: 'vbank' });
    sandbox.faults.rest({ kind: 'answer_lost', endpoint: 'closeAccount', times: 1 });
    expect(await api.closeAccount(ref())).toBe('closed');
    expect(sandbox.deposit(paymentId)).toMatchObject({ accepted: false });
    expect(await api.closeAccount(ref())).toBe('not_open');
    expect(await api.closeAccount(ref('none'))).toBe('not_open');
    await pay({ merchantUid: 'o-2', method: 'vbank', closable: false });
    expect(await api.closeAccount(ref('o-2'))).toBe('unsupported');
  });

  test.each([
    ['VIRTUAL_ACCOUNT_ISSUED', 'unsupported'],
    ['FAILED', 'not_open'],
  ])('that the provider refused is decided by the status: %s', async (status, result) => {
    stub.answer = ({ method }) =>
      method === 'POST' ? error(502, 'PG_PROVIDER') : { body: { ...PAID, status } };
    expect(await stubbed.closeAccount(ref())).toBe(result);
  });
});

describe('registering an amount', () => {
  test('that PortOne does not answer, again and again, keeps no payment from being read', async () => {
    const { paymentId } = await sandbox.pay({
      merchantUid: 'o-1',
      amount: 30_000,
      dialect: 'v2-2024-04-25',
    });
    sandbox.faults.rest({ kind: 'error', endpoint: 'prepare', status: 503 });
    for (let n = 0; n < 8; n += 1) {
      await expect(api.register(`other-${n}`, 1, 'KRW')).rejects.toBeInstanceOf(GatewayUnreachable);
    }
    expect(await api.read(ref())).toMatchObject({ paymentId, status: 'paid' });
  });

  test('opens the window for no other, and may be changed', async () => {
    await api.register('o-1', 30_000, 'KRW');
    await api.register('o-1', 20_000, 'KRW');
    expect((await pay()).notOpened).toBe('amount_not_as_registered');
    expect((await pay({ amount: 20_000 })).state).toBe('paid');
    expect(await api.register('o-1', 1, 'KRW')).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('ALREADY_PAID'),
    });
  });
});

describe('confirm', () => {
  const request = (fields: Partial<ManualConfirm> = {}): ManualConfirm => ({
    merchantUid: 'o/1',
    paymentToken: 'token-of-the-buyer',
    amount: 30_000,
    currency: 'KRW',
    paymentId: 't-1',
    testAllowed: false,
    key: 'confirm-0123456789',
    ...fields,
  });
  const confirm = (of: PaymentApi, fields: Partial<ManualConfirm> = {}) => {
    if (!of.confirm) throw new Error('this version has no manual confirm');
    return of.confirm(request(fields));
  };

  test('tells everything that PortOne is to compare, with its key', async () => {
    stub.answer = () => ({ body: { pgTxId: 'pg-1', paidAt: '2026-08-06T00:00:00Z' } });
    const paid = { outcome: 'paid', paidAt: '2026-08-06T00:00:00Z' };
    expect(await confirm(stubbed)).toEqual(paid);
    expect(await confirm(stubbed, { testAllowed: true, paymentId: null })).toEqual(paid);
    const body = { paymentToken: 'token-of-the-buyer', currency: 'KRW', totalAmount: 30_000 };
    expect(stub.heard[0]).toMatchObject({ method: 'POST', path: '/payments/o%2F1/confirm' });
    expect(stub.heard[0]?.headers['idempotency-key']).toBe('"confirm-0123456789"');
    expect(stub.heard[0]?.body).toEqual({ ...body, txId: 't-1', isTest: false });
    expect(stub.heard[1]?.body).toEqual(body);
  });

  test('charges the buyer once, whoever asks again', async () => {
    const order = { dialect: 'v2', merchantUid: 'o-1', amount: 30_000 } as const;
    const { paymentToken, paymentId } = await sandbox.authenticate(order);
    const asked = { merchantUid: 'o-1', paymentToken, paymentId };
    const differs = { ...asked, amount: 100, key: 'confirm-of-another-amount' };
    expect(await confirm(api, differs)).toMatchObject({ type: 'INFORMATION_MISMATCH' });
    expect(kept()).toBe(0);
    const paid = await confirm(api, asked);
    expect(paid).toEqual({ outcome: 'paid', paidAt: new Date(START_MS).toISOString() });
    expect(await confirm(api, asked)).toEqual(paid);
    const again = { ...asked, key: 'confirm-with-a-new-key' };
    expect(await confirm(api, again)).toEqual({ outcome: 'already_paid' });
    expect(kept()).toBe(30_000);
  });

  test('is refused for a test payment where those are refused', async () => {
    const order = { dialect: 'v2', merchantUid: 'o-1', amount: 30_000, test: true } as const;
    const { paymentToken } = await sandbox.authenticate(order);
    const asked = { merchantUid: 'o-1', paymentToken, paymentId: null };
    expect(await confirm(api, asked)).toMatchObject({ type: 'INFORMATION_MISMATCH' });
    const allowed = { ...asked, testAllowed: true, key: 'confirm-of-a-test' };
    expect(await confirm(api, allowed)).toMatchObject({ outcome: 'paid' });
  });

  test('that lost its answer is not repeated, and charged all the same', async () => {
    const order = { dialect: 'v2', merchantUid: 'o-1', amount: 30_000 } as const;
    const { paymentToken } = await sandbox.authenticate(order);
    sandbox.faults.rest({ kind: 'answer_lost', endpoint: 'confirm' });
    const asked = { merchantUid: 'o-1', paymentToken, paymentId: null };
    await expect(confirm(api, asked)).rejects.toBeInstanceOf(GatewayUnreachable);
    expect(operations).toEqual(['confirm unreachable']);
    expect(await snapshot()).toMatchObject({ status: 'paid' });
  });

  test('that issues an account leaves the money to come', async () => {
    const order = { dialect: 'v2', merchantUid: 'o-1', amount: 30_000, method: 'vbank' } as const;
    const { paymentToken } = await sandbox.authenticate(order);
    const asked = { merchantUid: 'o-1', paymentToken, paymentId: null };
    expect(await confirm(api, asked)).toEqual({ outcome: 'accepted' });
    expect(await snapshot()).toMatchObject({ status: 'waiting_deposit' });
  });

  test('that only issued an account is accepted, not paid', async () => {
    stub.answer = () => ({ body: { pgTxId: 'pg-1' } });
    expect(await confirm(stubbed)).toEqual({ outcome: 'accepted' });
  });

  test.each([
    [409, 'ALREADY_PAID', { outcome: 'already_paid' }],
    [409, 'INFORMATION_MISMATCH', { outcome: 'refused', type: 'INFORMATION_MISMATCH' }],
    [400, 'INVALID_PAYMENT_TOKEN', { outcome: 'refused', type: 'INVALID_PAYMENT_TOKEN' }],
    [404, 'PAYMENT_NOT_FOUND', { outcome: 'refused', type: 'PAYMENT_NOT_FOUND' }],
    [401, 'UNAUTHORIZED', { outcome: 'refused', type: 'UNAUTHORIZED' }],
    [502, 'PG_PROVIDER', { outcome: 'refused', type: 'PG_PROVIDER' }],
  ])('answered with %i %s is decided', async (status, type, result) => {
    stub.answer = () => error(status, type);
    expect(await confirm(stubbed)).toMatchObject(result);
    expect(stub.heard).toHaveLength(1);
  });

  test.each([
    ['a 5xx', { status: 503, text: '<html>' }],
    ['a lost answer', { broken: 'half', body: { paidAt: 'x' } }],
    ['a key that is at work', error(409, 'IDEMPOTENCY_OUTSTANDING_REQUEST')],
    ['an answer that cannot be read', { text: 'paid' }],
  ] as const)('is sent once, and not known, after %s', async (_, reply) => {
    stub.answer = () => reply;
    await expect(confirm(stubbed)).rejects.toBeInstanceOf(GatewayUnreachable);
    expect(stub.heard).toHaveLength(1);
  });

  test('has a time limit and a circuit of its own', async () => {
    const hasty = connect(stub.url, { timeoutMs: 50, confirmTimeoutMs: 10_000 });
    stub.answer = ({ method }) =>
      method === 'GET'
        ? { silent: true }
        : new Promise((resolve) => {
            setTimeout(() => resolve({ body: { paidAt: 'now' } }), 150);
          });
    const reads = [0, 1, 2].map(() => hasty.read(ref()).catch((e: Error) => e.message));
    await Promise.all(reads);
    expect(await hasty.read(ref()).catch((e: Error) => e.message)).toBe('PortOne is down');
    expect(await confirm(hasty)).toEqual({ outcome: 'paid', paidAt: 'now' });
    const impatient = connect(stub.url, { confirmTimeoutMs: 50 });
    await expect(confirm(impatient)).rejects.toBeInstanceOf(GatewayUnreachable);
    expect(operations.at(-1)).toBe('confirm timeout');
  });
});

describe('PortOne', () => {
  test('has the versions that are configured, and none of them asks with a broken secret', () => {
    const clock = { now: () => new Date(nowMs) };
    const options = { v1: undefined, timeoutMs: 1_000, clock };
    const portone = createPortOne({ ...options, v2: { url: stub.url, secret: 'secret' } });
    expect(portone.api('v1')).toBeUndefined();
    expect(portone.api('v2')?.confirm).toBeTypeOf('function');
    const open = () => createPortOne({ ...options, v2: { url: stub.url, secret: 'very\nsecret' } });
    expect(open).toThrow(TypeError);
    expect(open).not.toThrow(/very/);
  });
});
