// What became of a charge, over every pair of an answer and a look at the books.

import { describe, expect, test } from 'vitest';
import {
  type ChargeAnswer,
  type Fate,
  fateOf,
  type ReadBack,
  refusalOf,
} from '../../src/confirm/manual/fate.ts';
import { REFUSAL_STATUS } from '../../src/confirm/verdict.ts';
import type { PaymentStatus } from '../../src/portone/payment.ts';
import { paidPayment } from '../support/sale.ts';

const MINE = 'tx-mine';

const ANSWERS = {
  paid: { outcome: 'paid', paidAt: '2026-01-01T00:00:00Z' },
  accepted: { outcome: 'accepted' },
  already: { outcome: 'already_paid' },
  refused: { outcome: 'refused', type: 'PG_PROVIDER', message: 'no' },
  none: { outcome: 'unknown' },
} satisfies Record<string, ChargeAnswer>;

const seen = (status: PaymentStatus, paymentId = MINE): ReadBack =>
  paidPayment('order-1', paymentId, { gateway: 'v2', status });

const LOOKS: Record<string, ReadBack> = {
  unread: 'unread',
  nothing: null,
  ready: seen('ready'),
  pending: seen('pending'),
  account: seen('waiting_deposit'),
  paid: seen('paid'),
  failed: seen('failed'),
  cancelled: seen('cancelled'),
  otherReady: seen('ready', 'tx-other'),
  otherAccount: seen('waiting_deposit', 'tx-other'),
  otherFailed: seen('failed', 'tx-other'),
  otherPaid: seen('paid', 'tx-other'),
};

const TABLE: Record<keyof typeof ANSWERS, Record<string, Fate>> = {
  paid: {
    unread: 'paid',
    nothing: 'paid',
    ready: 'paid',
    pending: 'waiting',
    account: 'waiting',
    paid: 'paid',
    failed: 'not_paid',
    cancelled: 'paid',
    otherReady: 'paid',
    otherAccount: 'paid',
    otherFailed: 'paid',
    otherPaid: 'paid_elsewhere',
  },
  accepted: {
    unread: 'unknown',
    nothing: 'unknown',
    ready: 'unknown',
    pending: 'waiting',
    account: 'waiting',
    paid: 'paid',
    failed: 'not_paid',
    cancelled: 'not_paid',
    otherReady: 'unknown',
    otherAccount: 'unknown',
    otherFailed: 'unknown',
    otherPaid: 'paid_elsewhere',
  },
  already: {
    unread: 'unknown',
    nothing: 'unknown',
    ready: 'unknown',
    pending: 'waiting',
    account: 'waiting',
    paid: 'paid',
    failed: 'not_paid',
    cancelled: 'not_paid',
    otherReady: 'unknown',
    otherAccount: 'unknown',
    otherFailed: 'unknown',
    otherPaid: 'paid_elsewhere',
  },
  refused: {
    unread: 'unknown',
    nothing: 'not_paid',
    ready: 'not_paid',
    pending: 'waiting',
    account: 'waiting',
    paid: 'paid',
    failed: 'not_paid',
    cancelled: 'not_paid',
    otherReady: 'not_paid',
    otherAccount: 'not_paid',
    otherFailed: 'not_paid',
    otherPaid: 'paid_elsewhere',
  },
  none: {
    unread: 'unknown',
    nothing: 'unknown',
    ready: 'unknown',
    pending: 'waiting',
    account: 'waiting',
    paid: 'paid',
    failed: 'not_paid',
    cancelled: 'not_paid',
    otherReady: 'unknown',
    otherAccount: 'unknown',
    otherFailed: 'unknown',
    otherPaid: 'paid_elsewhere',
  },
};

describe('the fate of a charge', () => {
  const cases = Object.entries(TABLE).flatMap(([answer, row]) =>
    Object.entries(row).map(([look, fate]) => ({ answer, look, fate })),
  );

  test('the table is whole', () => {
    expect(cases).toHaveLength(Object.keys(ANSWERS).length * Object.keys(LOOKS).length);
  });

  test.each(cases)('PortOne said $answer, its books say $look: $fate', ({ answer, look, fate }) => {
    const given = ANSWERS[answer as keyof typeof ANSWERS];
    expect(fateOf(given, LOOKS[look] ?? null, MINE)).toBe(fate);
  });

  test('seats are given up only where the books were read, or say it themselves', () => {
    for (const answer of Object.values(ANSWERS)) {
      expect(fateOf(answer, 'unread', MINE)).not.toBe('not_paid');
    }
  });
});

describe("the gateway's word", () => {
  test.each([
    ['INFORMATION_MISMATCH', 'amount_mismatch'],
    ['INVALID_PAYMENT_TOKEN', 'invalid_request'],
    ['INVALID_REQUEST', 'invalid_request'],
    ['PAYMENT_NOT_FOUND', 'invalid_request'],
    ['ALREADY_PAID', 'already_paid'],
    ['PG_PROVIDER', 'hold_ended'],
    ['toString', 'hold_ended'],
    ['WHAT_COMES_NEXT_YEAR', 'hold_ended'],
  ])('%s is told as %s', (type, code) => {
    expect(refusalOf(type).code).toBe(code);
    expect(REFUSAL_STATUS[refusalOf(type).code]).toBeGreaterThanOrEqual(400);
  });
});
