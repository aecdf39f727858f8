import { describe, expect, test } from 'vitest';
import { readWebhook } from '../../src/settlement/read-webhook.ts';

const V1 = { imp_uid: 'imp_1', merchant_uid: 'order-1' };
const EARLY = { payment_id: 'order-1', tx_id: 'tx-1' };

function v2(type: string, data: Record<string, unknown> = {}): unknown {
  const ids = { paymentId: 'order-1', transactionId: 'tx-1', storeId: 'store-1' };
  return { type, timestamp: '2026-08-01T10:00:00.000Z', data: { ...ids, ...data } };
}

/** V2's words, the same in both versions. */
const WORDS: [string, string][] = [
  ['Ready', 'other'],
  ['Confirm', 'confirm'],
  ['Paid', 'payment'],
  ['VirtualAccountIssued', 'payment'],
  ['PartialCancelled', 'payment'],
  ['Cancelled', 'payment'],
  ['Failed', 'payment'],
  ['PayPending', 'payment'],
  ['CancelPending', 'payment'],
  ['DisputeCreated', 'dispute_opened'],
  ['DisputeResolved', 'dispute_resolved'],
  ['SomethingNew', 'payment'],
  ['constructor', 'payment'],
];

describe('V1', () => {
  const named = { gateway: 'v1', paymentId: 'imp_1', merchantUid: 'order-1' };

  test.each(['ready', 'paid', 'failed', 'cancelled', 'something_new', undefined])(
    'status %s is about a payment',
    (status) => {
      expect(readWebhook({ ...V1, status })).toEqual({ ...named, kind: 'payment' });
    },
  );

  test.each([{ cancellation_id: 'c-1' }, { cancellation_id: null }, { event: null }, { x: [1] }])(
    '%j changes nothing',
    (more) => {
      expect(readWebhook({ ...V1, status: 'cancelled', ...more })).toMatchObject({
        kind: 'payment',
      });
    },
  );

  test('an issued billing key that names an order is asked about, and one that names none is kept', () => {
    const issued = { ...V1, status: 'paid', customer_uid: 'card-1' };
    expect(readWebhook(issued)).toEqual({ ...named, kind: 'payment' });
    expect(readWebhook({ customer_uid: 'card-1', status: 'paid' })).toEqual({
      gateway: 'v1',
      kind: 'other',
      paymentId: null,
      merchantUid: null,
    });
  });

  test.each(['Inicis.Escrow.Changed', 'Galaxia.Cvs.Confirm', 'Some.New.Event'])(
    'event %s is nothing to settle, with the ids or without',
    (event) => {
      const extra = { barcode: '1', payType: 'card' };
      expect(readWebhook({ event, ...V1, status: 'ready', extra })).toEqual({
        ...named,
        kind: 'other',
      });
      expect(readWebhook({ event, imp_uid: 'imp_1', extra })).toMatchObject({
        gateway: 'v1',
        kind: 'other',
        paymentId: null,
      });
      expect(readWebhook({ event, extra })).toMatchObject({ gateway: 'v1', kind: 'other' });
    },
  );

  test.each([
    { imp_uid: 'imp_1' },
    { merchant_uid: 'order-1' },
    { imp_uid: 5, merchant_uid: 'order-1' },
    { imp_uid: '', merchant_uid: 'order-1' },
    { imp_uid: 'x'.repeat(201), merchant_uid: 'order-1' },
    { imp_uid: null, merchant_uid: null },
  ])('ids that are none are not asked about', (body) => {
    expect(readWebhook(body)).toEqual({
      gateway: 'v1',
      kind: 'other',
      paymentId: null,
      merchantUid: null,
    });
  });
});

describe('V2', () => {
  const named = { gateway: 'v2', paymentId: 'tx-1', merchantUid: 'order-1' };

  test.each(WORDS)('2024-01-01 status %s is of the kind %s', (status, kind) => {
    expect(readWebhook({ ...EARLY, status })).toEqual({ ...named, kind });
  });

  test.each(WORDS)('2024-04-25 type Transaction.%s is of the kind %s', (word, kind) => {
    const body = v2(`Transaction.${word}`, { cancellationId: 'c-1', totalAmount: 1_000 });
    expect(readWebhook(body)).toEqual({ ...named, kind });
  });

  test('2024-01-01 without a status is a payment, or with an amount the confirm call', () => {
    expect(readWebhook(EARLY)).toEqual({ ...named, kind: 'payment' });
    expect(readWebhook({ ...EARLY, total_amount: 1_000 })).toEqual({ ...named, kind: 'confirm' });
  });

  test.each(['BillingKey.Ready', 'BillingKey.Issued', 'BillingKey.Failed', 'BillingKey.Deleted'])(
    '%s names no payment',
    (type) => {
      const data = { storeId: 'store-1', billingKey: 'key-1' };
      expect(readWebhook({ type, timestamp: 't', data })).toEqual({
        gateway: 'v2',
        kind: 'other',
        paymentId: null,
        merchantUid: null,
      });
    },
  );

  test('a type outside of Transaction is nothing to settle, whatever it names', () => {
    expect(readWebhook(v2('Something.New'))).toEqual({ ...named, kind: 'other' });
    expect(readWebhook(v2('transaction.Paid'))).toMatchObject({ kind: 'other' });
  });

  test.each([
    { type: 'Transaction.Paid' },
    { type: 'Transaction.Paid', data: null },
    { type: 'Transaction.Paid', data: { paymentId: 'order-1' } },
    { type: 5, data: { paymentId: 'order-1', transactionId: 'tx-1' } },
    { payment_id: 'order-1' },
  ])('half a message is kept only', (body) => {
    expect(readWebhook(body)).toMatchObject({ gateway: 'v2', kind: 'other', paymentId: null });
  });
});

test.each([[[]], ['text'], [5], [null], [undefined], [true], [{}], [{ constructor: 1 }]])(
  '%j is of V2, which must be signed, and names nothing',
  (body) => {
    expect(readWebhook(body)).toEqual({
      gateway: 'v2',
      kind: 'other',
      paymentId: null,
      merchantUid: null,
    });
  },
);
