import { describe, expect, test } from 'vitest';
import { createConfirmTokens } from '../../src/confirm/token.ts';

const tokens = createConfirmTokens('a-secret-of-some-length');

describe('confirm tokens', () => {
  test('the token of an order opens that order', () => {
    expect(tokens.verify('order-1', tokens.issue('order-1'))).toBe(true);
  });

  test('issued twice they are the same, and safe in a url', () => {
    const token = tokens.issue('주문-1 & more');
    expect(tokens.issue('주문-1 & more')).toBe(token);
    expect(token).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });

  const good = tokens.issue('order-1');
  test.each([
    ['of another order', tokens.issue('order-2')],
    ['of another secret', createConfirmTokens('another-secret-here').issue('order-1')],
    ['that is empty', ''],
    ['cut short', good.slice(0, -2)],
    ['made longer', `${good}AAAA`],
    ['with one letter changed', `${good[0] === 'A' ? 'B' : 'A'}${good.slice(1)}`],
    ['that is the order itself', 'order-1'],
    ['of signs that base64 has not', '!!!!!!!!!!!!!!!!!!!!!!'],
    ['of immense length', 'A'.repeat(100_000)],
  ])('a token %s does not', (_what, token) => {
    expect(tokens.verify('order-1', token)).toBe(false);
  });

  test('an order whose name looks like a prefix of another has a token of its own', () => {
    expect(tokens.issue('order-1')).not.toBe(tokens.issue('order-11'));
    expect(tokens.verify('order-11', tokens.issue('order-1'))).toBe(false);
  });
});
