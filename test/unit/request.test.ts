import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readConfirmRequest } from '../../src/confirm/request.ts';

const V1 = { imp_uid: 'imp_1', merchant_uid: 'order-1', amount: 1_000 };
const EARLY = { payment_id: 'order-1', tx_id: 'tx-1', total_amount: 1_000 };
const V2 = {
  type: 'Transaction.Confirm',
  timestamp: '2026-01-01T00:00:00.000Z',
  data: { paymentId: 'order-1', transactionId: 'tx-1', totalAmount: 1_000, storeId: 'store-1' },
};

function read(body: unknown) {
  const result = readConfirmRequest(body);
  return result.ok ? result.request : result.faults;
}

describe('the three dialects', () => {
  test('V1', () => {
    expect(read(V1)).toEqual({
      gateway: 'v1',
      paymentId: 'imp_1',
      merchantUid: 'order-1',
      amount: 1_000,
      signed: false,
    });
  });

  test('V2 of 2024-01-01: payment_id is the order, tx_id the payment', () => {
    expect(read(EARLY)).toEqual({
      gateway: 'v2',
      paymentId: 'tx-1',
      merchantUid: 'order-1',
      amount: 1_000,
      signed: false,
    });
  });

  test('V2 of 2024-04-25', () => {
    expect(read(V2)).toEqual({
      gateway: 'v2',
      paymentId: 'tx-1',
      merchantUid: 'order-1',
      amount: 1_000,
      signed: true,
    });
  });
});

describe('amounts', () => {
  test.each([
    [1_000, 1_000],
    ['1000', 1_000],
    ['1000.00', 1_000],
    [0, 0],
    [2_147_483_647, 2_147_483_647],
    [null, null],
    [undefined, null],
  ])('%j is read as %j', (amount, expected) => {
    expect(read({ ...V1, amount })).toMatchObject({ amount: expected });
  });

  test.each([
    -1,
    0.5,
    '1000.50',
    '-1',
    '1,000',
    '1e3',
    '0x10',
    ' ',
    '',
    'free',
    2_147_483_648,
    '99999999999',
    Number.NaN,
    true,
    [1_000],
    { value: 1_000 },
  ])('%j is refused', (amount) => {
    expect(readConfirmRequest({ ...V1, amount }).ok).toBe(false);
  });

  test('only V1 may leave it out', () => {
    expect(readConfirmRequest({ ...EARLY, total_amount: undefined }).ok).toBe(false);
    const data = { paymentId: 'order-1', transactionId: 'tx-1' };
    expect(readConfirmRequest({ ...V2, data }).ok).toBe(false);
  });
});

describe('what else may come', () => {
  test('status and unknown fields are tolerated', () => {
    expect(read({ ...V1, status: 'ready', more: { x: 1 } })).toMatchObject({ paymentId: 'imp_1' });
  });

  test('ids are trimmed', () => {
    expect(read({ ...V1, imp_uid: ' imp_1 ' })).toMatchObject({ paymentId: 'imp_1' });
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'imp_uid=1'],
    ['a list', [V1]],
    ['an empty object', {}],
    ['a webhook of another type', { ...V2, type: 'Transaction.Paid' }],
    ['an empty id', { ...V1, imp_uid: '  ' }],
    ['an id of 201 letters', { ...V1, imp_uid: 'x'.repeat(201) }],
    ['an id that is a number', { ...V1, imp_uid: 7 }],
    ['no order', { imp_uid: 'imp_1', amount: 1 }],
  ])('%s is refused', (_what, body) => {
    expect(readConfirmRequest(body).ok).toBe(false);
  });

  test('each fault is named', () => {
    expect(read({ imp_uid: '', merchant_uid: 5, amount: 'x' })).toHaveLength(3);
  });

  test('whatever arrives, it is read or refused, and never thrown', () => {
    fc.assert(
      fc.property(fc.anything(), (body) => {
        expect(typeof readConfirmRequest(body).ok).toBe('boolean');
      }),
    );
  });
});
