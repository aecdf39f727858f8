// The V1 API over real HTTP: against the sandbox, and against a stub for what that cannot play.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type CancelRequest,
  GatewayUnreachable,
  type PaymentApi,
  type PaymentRef,
  type PaymentSnapshot,
  UnusableAnswer,
} from '../../src/portone/payment.ts';
import { createV1Api } from '../../src/portone/v1.ts';
import { SANDBOX_V1, startSandbox } from '../../src/sandbox/server.ts';
import type { PayRequest, Sandbox } from '../../src/sandbox/types.ts';
import { until } from '../support/wait.ts';
import { type Heard, type StubReply, startStub } from './portone-stub.ts';
import { type Answer, envelope, PAID, refusal, TOKEN, type Work, withV1Stub } from './v1-stub.ts';

const START_MS = Date.UTC(2026, 7, 6);

let nowMs: number;
let sandbox: Sandbox;
let api: PaymentApi;
let operations: string[];

const connect = (baseUrl: string, credentials = SANDBOX_V1) =>
  createV1Api({
    baseUrl,
    ...credentials,
    timeoutMs: 10_000,
    clock: { now: () => new Date(nowMs) },
    onCall: ({ operation, status }) => operations.push(`${operation} ${status}`),
  });

beforeEach(async () => {
  nowMs = START_MS;
  operations = [];
  sandbox = await startSandbox({ seed: 7, clock: () => nowMs });
  api = connect(sandbox.v1Url);
});

afterEach(() => sandbox.close());

const ref = (paymentId: string): PaymentRef => ({ gateway: 'v1', paymentId, merchantUid: 'o-1' });

async function pay(request: Partial<PayRequest> = {}): Promise<string> {
  return (await sandbox.pay({ merchantUid: 'o-1', amount: 30_000, ...request })).paymentId;
}

async function snapshot(paymentId: string): Promise<PaymentSnapshot> {
  const payment = await api.read(ref(paymentId));
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
  key: 'refund-0123456789',
  account: null,
  ...request,
});

const books = () => sandbox.books().payments;

const withStub = (answer: Answer, work: Work) => withV1Stub(connect, answer, work);

describe('read', () => {
  test('tells a paid payment, without its envelope', async () => {
    const paymentId = await pay();
    expect(await api.read(ref(paymentId))).toEqual({
      gateway: 'v1',
      paymentId,
      merchantUid: 'o-1',
      status: 'paid',
      amount: 30_000,
      cancelledAmount: 0,
      currency: 'KRW',
      test: false,
      method: 'card',
      virtualAccount: false,
      depositBy: null,
      cancelPending: false,
      paidAt: new Date(START_MS + 999),
    });
  });

  test('tells a test payment from one that does not exist', async () => {
    expect(await api.read(ref(await pay({ test: true })))).toMatchObject({ test: true });
    expect(await api.read(ref('imp_none'))).toBeNull();
    expect(await api.read(ref('..'))).toBeNull();
  });

  test('tells an account that waits, until when, and that its money came', async () => {
    const paymentId = await pay({ method: 'vbank', dueInMs: 60_000 });
    const depositBy = new Date(START_MS + 60_000);
    const account = { virtualAccount: true, depositBy };
    expect(await snapshot(paymentId)).toMatchObject({ status: 'waiting_deposit', ...account });
    sandbox.deposit(paymentId);
    expect(await snapshot(paymentId)).toMatchObject({ status: 'paid', ...account });
  });

  test('tells a part paid back as paid, and all of it as cancelled', async () => {
    const paymentId = await pay();
    sandbox.cancelInConsole(paymentId, 10_000);
    const part = { status: 'paid', cancelledAmount: 10_000, amount: 30_000 };
    expect(await snapshot(paymentId)).toMatchObject(part);
    sandbox.cancelInConsole(paymentId);
    const all = { status: 'cancelled', cancelledAmount: 30_000 };
    expect(await snapshot(paymentId)).toMatchObject(all);
  });

  test.each([
    [{ status: 'paid', cancel_amount: null }, 'paid', 0],
    [{ status: 'cancelled', cancel_amount: null }, 'cancelled', 30_000],
    [{ status: 'cancelled', cancel_amount: null, cancel_history: [{ amount: 9 }] }, 'paid', 9],
    [{ status: 'pending' }, 'pending', 0],
    // Part of it went back, or is going to: it was paid.
    [{ status: 'cancelled', cancel_amount: 9, paid_at: 1_785_000_000 }, 'paid', 9],
    [{ status: 'cancelled', cancel_amount: 0, paid_at: 1_785_000_000 }, 'paid', 0],
    [{ status: 'cancelled', cancel_amount: 9, paid_at: 0 }, 'paid', 9],
    // Never paid: an account that was closed.
    [{ status: 'cancelled', cancel_amount: 0, paid_at: 0 }, 'failed', 0],
    [{ status: 'cancelled', cancel_amount: null, cancel_history: [], paid_at: 0 }, 'failed', 0],
    [{ status: 'cancelled', cancel_amount: 0 }, 'failed', 0],
  ])('tells what happened to the money: %j', async (fields, status, cancelledAmount) => {
    await withStub(
      () => envelope({ ...PAID, ...fields }),
      async (_, stubbed) =>
        expect(await stubbed.read(ref('imp_1'))).toMatchObject({ status, cancelledAmount }),
    );
  });

  test.each([
    ['a page of something before PortOne', { status: 404, text: '<html>no</html>' }],
    ['a code other than 0 at HTTP 200', refusal('점검중')],
    ['a payment in an unknown shape', envelope({ ...PAID, status: 'frozen' })],
  ])('never takes %s for a payment that does not exist', async (_, reply) => {
    await withStub(
      () => reply,
      async (_stub, stubbed) =>
        await expect(stubbed.read(ref('imp_1'))).rejects.toBeInstanceOf(GatewayUnreachable),
    );
  });

  test('is tried again where the answer was lost', async () => {
    const paymentId = await pay();
    sandbox.faults.rest({ kind: 'answer_lost', endpoint: 'payment', times: 2 });
    expect(await snapshot(paymentId)).toMatchObject({ status: 'paid' });
  });
});

describe('reading many', () => {
  test('takes one call, and leaves out those that PortOne does not know', async () => {
    const ids = [await pay(), await pay({ merchantUid: 'o-2', test: true })];
    const read = async (wanted: string[]) =>
      (await api.readMany(wanted.map(ref))).known.map(({ paymentId }) => paymentId).sort();
    expect(await read(ids)).toEqual([...ids].sort());
    expect(await read([...ids, 'imp_none'])).toEqual([...ids].sort());
    expect(await read(['imp_none', 'imp_nobody'])).toEqual([]);
    expect(await read([])).toEqual([]);
    const reads = operations.filter((operation) => operation.startsWith('read_many'));
    expect(reads).toEqual(['read_many 200', 'read_many 207', 'read_many 404']);
  });

  test('takes more calls for long ids, and refuses more than 100', async () => {
    const refs = Array.from({ length: 100 }, (_, n) => ref(`${'imp_'.repeat(23)}${n}`));
    expect(await api.readMany(refs)).toEqual({ known: [], unread: [] });
    expect(operations.slice(1)).toEqual(Array(2).fill('read_many 404'));
    await expect(api.readMany([...refs, ref('x')])).rejects.toBeInstanceOf(RangeError);
  });

  test('takes what it got where some are missing, and trusts nothing it cannot read', async () => {
    await withStub(
      (_, n) => ({
        status: 207,
        body: { code: 1, message: '일부', response: n === 1 ? [null, PAID] : [{ imp_uid: 'x' }] },
      }),
      async (_, stubbed) => {
        expect((await stubbed.readMany([ref('a'), ref('b')])).known).toHaveLength(1);
        const second = await stubbed.readMany([ref('a')]);
        expect(second).toEqual({ known: [], unread: [ref('a')] });
      },
    );
  });

  test.each<[string, (heard: Heard) => StubReply | null]>([
    ['is refused', ({ path }) => (path.includes('imp_odd') ? refusal('잘못된 요청', 400) : null)],
    [
      'comes in a shape that is new',
      ({ path }) =>
        path.includes('imp_odd')
          ? envelope([{ ...PAID, imp_uid: 'imp_odd', status: 'new' }])
          : null,
    ],
    ['makes the answer too long', ({ path }) => (path.includes('imp_odd') ? { text: '{' } : null)],
  ])('one that %s keeps none of the others from being read', async (_, odd) => {
    const ids = Array.from({ length: 100 }, (_, n) => (n === 41 ? 'imp_odd' : `imp_${n}`));
    const named = (path: string) => [...path.matchAll(/imp_uid\[\]=(\w+)/g)].map(([, id]) => id);
    await withStub(
      (heard) => odd(heard) ?? envelope(named(heard.path).map((imp_uid) => ({ ...PAID, imp_uid }))),
      async (stub, stubbed) => {
        const { known, unread } = await stubbed.readMany(ids.map(ref));
        expect(known.map(({ paymentId }) => paymentId)).toEqual(
          ids.filter((id) => id !== 'imp_odd'),
        );
        expect(unread).toEqual([ref('imp_odd')]);
        // The token, and two for each time that a hundred can be halved, at most.
        expect(stub.heard.length).toBeLessThanOrEqual(1 + 1 + 2 * 7);
      },
    );
  });

  test('where PortOne is away all fail as one', async () => {
    await withStub(
      () => ({ status: 503 }),
      async (_, stubbed) => {
        const away = stubbed.readMany([ref('imp_1'), ref('imp_2')]);
        await expect(away).rejects.not.toBeInstanceOf(UnusableAnswer);
      },
    );
  });

  test('an id that PortOne would never make is known to nobody, and is not sent', async () => {
    for (const id of ["imp_1'", 'imp 1', '', 'é', 'x'.repeat(101)]) {
      expect(await api.readMany([ref(id)])).toEqual({ known: [], unread: [] });
      expect(await api.read(ref(id))).toBeNull();
    }
    expect(operations).toEqual([]);
  });
});

describe('the attempts to pay an order', () => {
  test('are told of, the latest first, also when a part was paid back', async () => {
    expect(await api.readAttempts('o-1')).toEqual([]);
    const first = await pay({ buyer: 'decline' });
    const second = await pay({ test: true });
    const failed = { paymentId: first, status: 'failed' };
    const told = () => api.readAttempts('o-1');
    const sorted = async () => (await told()).toSorted((a, b) => a.status.localeCompare(b.status));
    expect(await sorted()).toMatchObject([
      failed,
      { paymentId: second, status: 'paid', test: true },
    ]);
    sandbox.cancelInConsole(second, 10_000);
    expect(await sorted()).toMatchObject([failed, { status: 'paid', cancelledAmount: 10_000 }]);
    sandbox.cancelInConsole(second);
    expect(await sorted()).toMatchObject([{ paymentId: second, status: 'cancelled' }, failed]);
  });
});

describe('cancel', () => {
  test('gives back a part, then all that is left', async () => {
    const paymentId = await pay();
    const part = await api.cancel(cancelOf(await snapshot(paymentId), { amount: 10_000 }));
    expect(part).toEqual({ outcome: 'done' });
    expect(books()[0]?.kept).toBe(20_000);
    expect(await api.cancel(cancelOf(await snapshot(paymentId)))).toEqual({ outcome: 'done' });
    expect(books()[0]?.kept).toBe(0);
  });

  test('is refused where somebody else moved money since it was read', async () => {
    const payment = await snapshot(await pay());
    sandbox.cancelInConsole(payment.paymentId, 10_000);
    expect(await api.cancel(cancelOf(payment))).toMatchObject({ outcome: 'refused' });
    expect(books()[0]?.kept).toBe(20_000);
  });

  test('is not sent where nothing is left, nor for an odd amount', async () => {
    const payment = await snapshot(await pay());
    for (const amount of [0, -1, 0.5, Number.NaN]) {
      await expect(api.cancel(cancelOf(payment, { amount }))).rejects.toBeInstanceOf(RangeError);
    }
    const gone = { ...payment, cancelledAmount: payment.amount };
    expect(await api.cancel(cancelOf(gone))).toEqual({ outcome: 'changed' });
    expect(books()[0]?.kept).toBe(30_000);
  });

  test('names the account to pay back to, and leaves out the amount of a whole refund', async () => {
    const paymentId = await pay({ method: 'vbank' });
    sandbox.deposit(paymentId);
    const payment = await snapshot(paymentId);
    expect(await api.cancel(cancelOf(payment))).toMatchObject({ outcome: 'refused' });
    const account = { bank: '004', number: '123', holder: '김구매', phone: '010' };
    await withStub(
      () => envelope({ ...PAID, status: 'cancelled', cancel_amount: 30_000 }),
      async (stub, stubbed) => {
        await stubbed.cancel(cancelOf(payment, { account }));
        expect(stub.heard[1]?.body).toEqual({
          imp_uid: paymentId,
          reason: 'no seat',
          checksum: 30_000,
          refund_holder: '김구매',
          refund_bank: '004',
          refund_account: '123',
          refund_tel: '010',
        });
      },
    );
    expect(await api.cancel(cancelOf(payment, { account }))).toEqual({ outcome: 'done' });
  });

  test('is sent once where its answer was lost, and may have been done', async () => {
    const payment = await snapshot(await pay());
    sandbox.faults.rest({ kind: 'answer_lost', endpoint: 'cancel' });
    await expect(api.cancel(cancelOf(payment))).rejects.toBeInstanceOf(GatewayUnreachable);
    expect(operations.filter((operation) => operation.startsWith('cancel'))).toHaveLength(1);
    expect(await snapshot(payment.paymentId)).toMatchObject({ status: 'cancelled' });
  });

  test('that the provider carries out later is pending', async () => {
    const payment = await snapshot(await pay({ cancels: { how: 'later', lateMs: 60_000 } }));
    expect(await api.cancel(cancelOf(payment))).toEqual({ outcome: 'pending' });
    expect(books()[0]?.kept).toBe(30_000);
  });

  test('keeps the words of the provider that refused', async () => {
    const payment = await snapshot(await pay());
    sandbox.faults.rest({ kind: 'pg_error', endpoint: 'cancel' });
    expect(await api.cancel(cancelOf(payment))).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('[PG]'),
    });
  });
});

describe('closing an account', () => {
  test('ends one that waits, and says where none does', async () => {
    const paymentId = await pay({ method: 'vbank' });
    expect(await api.closeAccount(ref(paymentId))).toBe('closed');
    expect(sandbox.deposit(paymentId)).toMatchObject({ accepted: false });
    expect(await api.closeAccount(ref(paymentId))).toBe('not_open');
    expect(await api.closeAccount(ref(await pay({ merchantUid: 'o-2' })))).toBe('not_open');
    expect(await api.closeAccount(ref('imp_none'))).toBe('not_open');
    const fixed = await pay({ merchantUid: 'o-3', method: 'vbank', closable: false });
    expect(await api.closeAccount(ref(fixed))).toBe('unsupported');
  });
});

describe('registering an amount', () => {
  test('that PortOne does not answer, again and again, keeps no payment from being read', async () => {
    const { paymentId } = await sandbox.pay({ merchantUid: 'o-1', amount: 30_000, dialect: 'v1' });
    sandbox.faults.rest({ kind: 'error', endpoint: 'prepare', status: 503 });
    for (let n = 0; n < 8; n += 1) {
      await expect(api.register(`other-${n}`, 1, 'KRW')).rejects.toBeInstanceOf(GatewayUnreachable);
    }
    expect(await api.read(ref(paymentId))).toMatchObject({ paymentId, status: 'paid' });
  });

  test('opens the window for no other, and may be changed', async () => {
    await api.register('o-1', 30_000, 'KRW');
    await api.register('o-1', 20_000, 'KRW');
    const request = { merchantUid: 'o-1', amount: 30_000 };
    expect((await sandbox.pay(request)).notOpened).toBe('amount_not_as_registered');
    expect((await sandbox.pay({ ...request, amount: 20_000 })).state).toBe('paid');
    expect(operations.filter((one) => one.startsWith('register'))).toHaveLength(3);
  });

  test('that is refused either way is refused with the first reason', async () => {
    expect(await api.register('x'.repeat(41), 1, 'KRW')).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('merchant_uid'),
    });
  });

  test('is told again where the answer was lost', async () => {
    sandbox.faults.rest({ kind: 'error', endpoint: 'prepare', world: 'v1', times: 1 });
    expect(await api.register('o-1', 30_000, 'KRW')).toEqual({ outcome: 'done' });
  });
});

describe('the token', () => {
  const tokensAsked = () => operations.filter((operation) => operation === 'token 200').length;

  test('is asked for once by many at a time, and again only at its end', async () => {
    const paymentId = await pay();
    await Promise.all(Array.from({ length: 20 }, () => snapshot(paymentId)));
    nowMs += 29 * 60_000;
    await snapshot(paymentId);
    expect(tokensAsked()).toBe(1);
    // In its last minute it lives five minutes longer.
    nowMs += 20_000;
    await Promise.all([snapshot(paymentId), snapshot(paymentId)]);
    nowMs += 200_000;
    await snapshot(paymentId);
    expect(tokensAsked()).toBe(2);
    expect(operations).not.toContain('read 401');
  });

  test('that died early is replaced once, for changing calls too', async () => {
    const payment = await snapshot(await pay());
    sandbox.faults.expireTokens();
    await Promise.all([snapshot(payment.paymentId), api.readAttempts('o-1')]);
    expect(tokensAsked()).toBe(2);
    sandbox.faults.expireTokens();
    expect(await api.cancel(cancelOf(payment))).toEqual({ outcome: 'done' });
  });

  test('in use is kept when the refusal of an older one comes late', async () => {
    const stub = await startStub();
    let given = 0;
    let refuseLate = () => {};
    stub.answer = ({ path, headers }) => {
      if (path === '/users/getToken') {
        given += 1;
        return envelope({ ...TOKEN, access_token: `token-${given}` });
      }
      if (headers.authorization !== 'Bearer token-1') return envelope(PAID);
      if (!path.includes('late')) return { status: 401, body: { code: -1, response: null } };
      return new Promise((resolve) => {
        refuseLate = () => resolve({ status: 401, body: { code: -1, response: null } });
      });
    };
    const stubbed = connect(stub.url);
    const late = stubbed.read(ref('late'));
    await until('the late call to have been sent', () => stub.heard.length === 2);
    await stubbed.read(ref('quick'));
    refuseLate();
    expect(await late).toMatchObject({ status: 'paid' });
    expect(given).toBe(2);
    await stub.close();
  });

  test('that is refused again and again says nothing about a payment', async () => {
    await withStub(
      () => ({ status: 401, body: { code: -1, message: 'Unauthorized', response: null } }),
      async (stub, stubbed) => {
        const payment = await snapshot(await pay());
        const cancelling = stubbed.cancel(cancelOf(payment));
        await expect(cancelling).rejects.toBeInstanceOf(GatewayUnreachable);
        expect(stub.heard.filter(({ path }) => path === '/payments/cancel')).toHaveLength(2);
      },
    );
  });

  test('is not given for wrong keys, which the error does not quote', async () => {
    const secret = 'wrong-secret';
    const stranger = connect(sandbox.v1Url, { key: 'wrong-key', secret });
    const error: Error = await stranger.read(ref('imp_1')).catch((e) => e);
    expect(error).toBeInstanceOf(GatewayUnreachable);
    expect(`${error.stack}`).not.toMatch(/wrong-(key|secret)/);
  });
});
