// When two accounts of one payment differ, which windows the schedule asks for, and how it reads.

import { describe, expect, test } from 'vitest';
import type { PaymentSnapshot, PaymentStatus } from '../../src/portone/payment.ts';
import {
  type Account,
  compare,
  type Difference,
  type OurSide,
} from '../../src/reconciliation/compare.ts';
import { printed } from '../../src/reconciliation/print.ts';
import type { Finding, Report } from '../../src/reconciliation/report.ts';
import { windowsUntil } from '../../src/reconciliation/schedule.ts';
import { FINDINGS_MAX, Tally } from '../../src/reconciliation/tally.ts';
import { textOf } from '../../src/reconciliation/words.ts';

const PAID = 10_000;

function theirs(status: PaymentStatus, over: Partial<PaymentSnapshot> = {}): PaymentSnapshot {
  return {
    gateway: 'v1',
    paymentId: 'imp_1',
    merchantUid: 'order-1',
    status,
    amount: PAID,
    cancelledAmount: status === 'cancelled' ? PAID : 0,
    currency: 'KRW',
    test: false,
    method: 'card',
    virtualAccount: false,
    depositBy: null,
    cancelPending: false,
    paidAt: null,
    ...over,
  };
}

function account(status: PaymentStatus, over: Partial<Account> = {}): Account {
  const cancelledAmount = status === 'cancelled' ? PAID : 0;
  return { status, amount: PAID, cancelledAmount, currency: 'KRW', cancelPending: false, ...over };
}

function ours(status: PaymentStatus | null, hold: OurSide['hold'] = null): OurSide {
  return {
    account: status && account(status),
    flag: null,
    virtualAccounts: 'allow',
    hold,
    holdAgeMs: hold && 120_000,
  };
}

describe('two accounts of one payment', () => {
  const cases: [PaymentStatus | null, PaymentStatus | null, OurSide['hold'], Difference | null][] =
    [
      // PortOne, here, live hold
      ['paid', 'paid', 'sold', null],
      ['paid', 'paid', null, null],
      ['paid', null, null, 'paid_there_not_here'],
      ['paid', null, 'held', 'paid_there_not_here'],
      ['paid', 'ready', 'held', 'paid_there_not_here'],
      ['paid', 'failed', null, 'paid_there_not_here'],
      ['paid', 'waiting_deposit', 'held', 'paid_there_not_here'],
      ['paid', 'cancelled', null, 'paid_there_not_here'],
      ['cancelled', 'paid', 'sold', 'paid_here_not_there'],
      ['failed', 'paid', 'sold', 'paid_here_not_there'],
      ['ready', 'paid', 'sold', 'paid_here_not_there'],
      ['cancelled', 'cancelled', null, null],
      ['cancelled', null, null, 'status_differs'],
      ['cancelled', 'failed', null, 'status_differs'],
      ['failed', 'cancelled', null, 'status_differs'],
      ['waiting_deposit', null, 'held', 'status_differs'],
      ['waiting_deposit', null, null, 'status_differs'],
      ['waiting_deposit', 'ready', 'held', 'status_differs'],
      ['waiting_deposit', 'waiting_deposit', 'held', null],
      ['failed', 'waiting_deposit', 'held', 'status_differs'],
      ['failed', null, 'held', 'status_differs'],
      // Refused and given up: nobody's money and nobody's seat.
      ['failed', null, null, null],
      ['failed', 'ready', null, null],
      ['ready', null, 'held', null],
      ['ready', null, null, null],
      ['pending', null, 'held', 'status_differs'],
      // We are further on than the answer.
      ['ready', 'waiting_deposit', 'held', null],
      ['ready', 'failed', null, null],
      // PortOne knows none.
      [null, 'paid', 'sold', 'unknown_there'],
      [null, 'paid', null, 'unknown_there'],
      [null, null, 'held', 'unknown_there'],
      [null, 'waiting_deposit', 'held', 'unknown_there'],
      [null, 'waiting_deposit', null, null],
      [null, 'cancelled', null, null],
      [null, null, null, null],
    ];

  test.each(cases)('%s at PortOne, %s here, hold %s: %s', (there, here, hold, difference) => {
    expect(compare(there && theirs(there), ours(here, hold))).toBe(difference);
  });

  test('amounts, what was given back, the currency, and a cancellation under way must agree', () => {
    const here = ours('paid', 'sold');
    expect(compare(theirs('paid', { amount: 9_999 }), here)).toBe('amount_differs');
    expect(compare(theirs('paid', { cancelledAmount: 1 }), here)).toBe('amount_differs');
    expect(compare(theirs('paid', { currency: 'USD' }), here)).toBe('amount_differs');
    expect(compare(theirs('paid', { cancelPending: true }), here)).toBe('status_differs');
  });

  test('an amount that cannot be written down is no difference to how it was written down', () => {
    const here = { ...ours('paid'), account: account('paid', { amount: 2_147_483_647 }) };
    expect(compare(theirs('paid', { amount: 1e15 }), here)).toBeNull();
    const cents = { ...ours('paid'), account: account('paid', { amount: 10_001 }) };
    expect(compare(theirs('paid', { amount: 10_000.5 }), cents)).toBeNull();
  });

  test('a forbidden account that waits is to be closed, unless it was refused already', () => {
    const waits = theirs('waiting_deposit');
    const here = { ...ours('waiting_deposit'), virtualAccounts: 'forbid' } as const;
    expect(compare(waits, here)).toBe('status_differs');
    expect(compare(waits, { ...here, flag: 'virtual_account_forbidden' })).toBeNull();
    expect(compare(waits, { ...here, virtualAccounts: 'allow' })).toBeNull();
    expect(compare(waits, { ...here, account: account('failed') })).toBeNull();
  });

  test('a hold that was made just now may be unknown to PortOne', () => {
    expect(compare(null, { ...ours(null, 'held'), holdAgeMs: 5_000 })).toBeNull();
  });
});

describe('the windows of the schedule', () => {
  const HOUR = 3_600_000;
  const now = new Date('2026-05-10T12:00:00Z');
  const to = new Date(now.getTime() - 60_000);
  const ago = (ms: number) => new Date(now.getTime() - ms);
  const run = (endedMs: number, lengthMs = 24 * HOUR, good = true) => ({
    fromAt: ago(endedMs + lengthMs),
    toAt: ago(endedMs),
    startedAt: ago(endedMs),
    good,
    owed: [],
  });
  const lengths = (past: ReturnType<typeof run>[]) =>
    windowsUntil(to, past, now).map((window) => Math.round((+window.to - +window.from) / HOUR));

  test('the first one looks a day back', () => {
    expect(windowsUntil(to, [], now)).toEqual([{ from: new Date(+to - 24 * HOUR), to }]);
  });

  test('the next one begins an hour before the last good one ended', () => {
    const wide = run(20 * HOUR, 7 * 24 * HOUR);
    const past = [run(600_000, HOUR, false), run(1_200_000, HOUR), wide];
    const [window] = windowsUntil(to, past, now);
    expect(window).toEqual({ from: ago(1_200_000 + HOUR), to });
  });

  test('once a day it looks a week back, for what has changed since it began', () => {
    const WEEK = 7 * 24 * HOUR;
    expect(lengths([run(HOUR, HOUR), run(25 * HOUR)])).toEqual([7 * 24]);
    expect(lengths([run(HOUR, HOUR), run(2 * HOUR, WEEK), run(30 * HOUR, WEEK)])).toEqual([2]);
    expect(lengths([run(HOUR, HOUR), run(25 * HOUR, WEEK)])).toEqual([7 * 24]);
  });

  test('a long gap is closed by several, as far back as PortOne lists', () => {
    const windows = windowsUntil(to, [run(20 * 24 * HOUR)], now);
    expect(windows).toHaveLength(3);
    expect(windows[0]?.from).toEqual(ago(20 * 24 * HOUR + HOUR));
    for (const [i, window] of windows.entries()) {
      expect(+window.to - +window.from).toBeLessThanOrEqual(7 * 24 * HOUR);
      if (i > 0) expect(window.from).toEqual(windows[i - 1]?.to);
    }
    expect(windows.at(-1)?.to).toEqual(to);
    const [first] = windowsUntil(to, [run(400 * 24 * HOUR)], now);
    expect(first?.from).toEqual(new Date(+to - 90 * 24 * HOUR));
  });
});

describe('a report for people', () => {
  const bare: Omit<Finding, 'text'> = {
    kind: 'paid_there_not_here',
    event: 'gala',
    merchantUid: 'order-1',
    paymentId: 'imp_1',
    gateway: 'v1',
    portone: account('paid'),
    ours: null,
    hold: 'held',
    repair: 'settled',
    outcome: 'sold',
    left: false,
  };
  const finding: Finding = { ...bare, text: textOf(bare) };
  const money = { paid: PAID, cancelled: 0, kept: PAID };
  const report: Report = {
    id: 1,
    event: 'gala',
    from: '2026-05-01T00:00:00.000Z',
    to: '2026-05-02T00:00:00.000Z',
    askedBy: 'organizer:cli:kim',
    dryRun: false,
    startedAt: '2026-05-02T00:00:00.000Z',
    finishedAt: '2026-05-02T00:00:01.000Z',
    compared: 1_200,
    foreign: 3,
    notAsked: 0,
    findings: [finding],
    more: 0,
    left: 0,
    casesClosed: 0,
    totals: [{ event: 'gala', currency: 'KRW', portone: money, ours: money, agree: true }],
    complete: true,
    agree: true,
    error: null,
  };

  test('says who has what, what was done, and whether both sides agree', () => {
    const text = printed(report);
    expect(text).toContain('gala, 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC');
    expect(text).toContain('1,200 payments compared, 1 difference found');
    expect(text).toMatch(
      /order-1 +imp_1 +paid at PortOne, not here: no webhook told of it +paid 10,000 KRW +nothing, seats held +its seats were sold to it/,
    );
    expect(text).toMatch(/gala \(KRW\) +PortOne +10,000 +0 +10,000\n +here +10,000 .*agree/);
    expect(text).toMatch(/Both sides agree\.$/);
    expect(finding.text).toContain('Done: its seats were sold to it.');
  });

  test('never says that both sides agree where they do not', () => {
    const differs = { ...report, agree: false };
    expect(printed({ ...differs, left: 1, dryRun: true })).toMatch(/1 difference to be mended;/);
    expect(printed({ ...differs, left: 2 })).toMatch(/2 differences left\.$/);
    expect(printed({ ...differs, notAsked: 4 })).toMatch(/4 payments .* not compared\.$/);
    expect(printed(differs)).toMatch(/The totals differ\.$/);
    const cut = { ...differs, complete: false, error: 'PortOne is down' };
    expect(printed(cut)).toMatch(/Not finished: PortOne is down$/);
  });

  test('of very many findings the first are kept, and all are counted', () => {
    const tally = new Tally();
    for (let n = 0; n < FINDINGS_MAX + 5; n += 1) tally.finding({ ...finding, left: n % 2 === 0 });
    expect(tally.findings).toHaveLength(FINDINGS_MAX);
    expect(tally).toMatchObject({
      found: FINDINGS_MAX + 5,
      left: FINDINGS_MAX / 2 + 3,
      agree: false,
    });
  });

  test('a long list is cut, and says so', () => {
    const many = { ...report, findings: Array.from({ length: 150 }, () => finding), more: 7 };
    expect(printed(many)).toContain('and 57 more');
  });
});
