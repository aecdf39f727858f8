import { describe, expect, test } from 'vitest';
import { answerRepeat, type EarlierVerdict, sameContent } from '../../src/confirm/repeat.ts';

const confirmed: EarlierVerdict = {
  paymentId: 'pay-1',
  merchantUid: 'order-1',
  code: 'confirmed',
  amount: 1_000,
  position: 7,
  holdId: 'hold-1',
  holdState: 'held',
  holdPaymentId: 'pay-1',
  holdExpiresAt: '2026-01-01T00:05:00+00:00',
};
const asked = { merchantUid: 'order-1', amount: 1_000 };

describe('a payment that was confirmed asks again', () => {
  test.each(['held', 'sold'])('while its hold is %s it gets the same answer', (holdState) => {
    expect(answerRepeat({ ...confirmed, holdState }, asked)).toEqual({
      code: 'still_held',
      holdId: 'hold-1',
      position: 7,
      holdExpiresAt: '2026-01-01T00:05:00.000Z',
    });
  });

  test.each([
    ['its hold has ended', { holdState: 'ended' }],
    ['a later payment of the order has the hold', { holdPaymentId: 'pay-2' }],
    ['its hold is not there', { holdId: null, holdState: null }],
  ])('%s: it is refused', (_why, change) => {
    expect(answerRepeat({ ...confirmed, ...change }, asked)).toEqual({ code: 'hold_ended' });
  });

  test.each([
    ['another order', { merchantUid: 'order-2', amount: 1_000 }],
    ['another amount', { merchantUid: 'order-1', amount: 999 }],
  ])('with %s: a conflict, and no word of the hold', (_what, other) => {
    expect(answerRepeat(confirmed, other)).toEqual({ code: 'conflicting_repeat' });
  });
});

describe('a payment that was refused asks again', () => {
  test('it gets the same refusal at the same position', () => {
    const refused = { ...confirmed, code: 'sold_out', holdId: null, holdState: null };
    expect(answerRepeat(refused, asked)).toEqual({ code: 'sold_out', position: 7 });
  });

  test('a refusal without a position stays without', () => {
    const refused = { ...confirmed, code: 'timed_out', position: null, holdId: null };
    expect(answerRepeat(refused, asked)).toEqual({ code: 'timed_out' });
  });

  test('with other content it is a conflict all the same', () => {
    const refused = { ...confirmed, code: 'sold_out' };
    expect(answerRepeat(refused, { ...asked, amount: 1 }).code).toBe('conflicting_repeat');
  });
});

test.each([
  [1_000, 1_000, true],
  [1_000, 999, false],
  [null, 1_000, true],
  [1_000, null, true],
  [null, null, true],
])('amounts %s and %s are the same content: %s', (a, b, same) => {
  expect(sameContent({ merchantUid: 'o', amount: a }, { merchantUid: 'o', amount: b })).toBe(same);
});
