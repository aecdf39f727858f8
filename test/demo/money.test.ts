// The demo's judgement about money: orders against the gateway's books, events on both sides, cases.

import { describe, expect, test } from 'vitest';
import type { Audit } from '../../src/audit/audit.ts';
import { caseOfPaying, caseOutcomes, type MoneyCase } from '../../src/demo/cases.ts';
import { Deals } from '../../src/demo/deals.ts';
import { addMoney, eventMoney, moneyProblems } from '../../src/demo/event-money.ts';
import { planEvents } from '../../src/demo/events.ts';
import { compareMoney, type MoneyFacts } from '../../src/demo/money.ts';
import type { OrderSeen } from '../../src/demo/organizer.ts';
import type { BookEntry } from '../../src/sandbox/types.ts';

const paid = (over: Partial<BookEntry> = {}): BookEntry => ({
  dialect: 'v1',
  paymentId: 'p1',
  merchantUid: 'e-1',
  amount: 100,
  currency: 'KRW',
  method: 'card',
  test: false,
  state: 'paid',
  everPaid: true,
  cancelledAmount: 0,
  kept: 100,
  confirms: [],
  webhooks: [],
  cancellations: [],
  cancelRequests: [],
  chargeRequests: [],
  disputes: [],
  history: [{ atMs: 50, state: 'paid', why: '' }],
  failReason: null,
  ...over,
});
const order = (over: object = {}) => ({
  merchantUid: 'e-1',
  status: 'paid',
  amount: 100,
  seats: [{ label: 'A' }],
  payments: [],
  ...over,
});
const facts = (over: Partial<MoneyFacts> = {}): MoneyFacts => ({
  payments: [paid()],
  orders: [order()],
  quantities: new Map([['e-1', 1]]),
  soldSeats: 1,
  deals: new Deals(),
  ...over,
});

describe('money against seats', () => {
  const problems = (over: Partial<MoneyFacts>) => compareMoney(facts(over)).problems.join('; ');

  test('agrees', () => {
    expect(compareMoney(facts())).toMatchObject({ agrees: true, kept: 1, soldSeats: 1 });
  });

  test.each([
    ['paid without a seat', { orders: [order({ status: 'pending', seats: [] })], soldSeats: 0 }],
    ['paid for no order', { orders: [], soldSeats: 0 }],
    ['too few seats', { quantities: new Map([['e-1', 2]]) }],
    ['another amount', { orders: [order({ amount: 90 })] }],
    ['paid twice', { payments: [paid(), paid({ paymentId: 'p2' })] }],
    ['sold and refunded', { payments: [paid({ kept: 0 })] }],
    ['a seat sold without a payment', { soldSeats: 2 }],
  ])('tells of %s', (_, over) => {
    expect(problems(over)).not.toBe('');
  });

  test('tells of a seat that two orders have', () => {
    const other = { merchantUid: 'e-2' };
    const two = {
      payments: [paid(), paid({ ...other, paymentId: 'p2' })],
      orders: [order(), order(other)],
      quantities: new Map([
        ['e-1', 1],
        ['e-2', 1],
      ]),
      soldSeats: 2,
    };
    expect(problems(two)).toContain('sold to e-1 and to e-2');
  });

  test('tells of a payment made in time and refunded; not of one made too late', () => {
    const answer = (endsAtMs: number) => ({
      asked: true,
      status: 200,
      body: { holdExpiresAt: new Date(endsAtMs).toISOString() },
      latencyMs: 1,
      timedOut: false,
      aborted: false,
      error: null,
    });
    const refunded = (endsAtMs: number) => ({
      payments: [paid({ kept: 0, state: 'cancelled', confirms: [answer(endsAtMs)] })],
      orders: [order({ status: 'refunded', seats: [] })],
      soldSeats: 0,
    });
    expect(problems(refunded(51))).toContain('paid while its seats were held');
    expect(problems(refunded(49))).toBe('');
  });

  const halfBack = { payments: [paid({ amount: 200, kept: 100, cancelledAmount: 100 })] };
  const twoSeats = { quantities: new Map([['e-1', 2]]) };
  const dealt = (seatsBack: number, allowance: number) => {
    const deals = new Deals();
    deals.add('e-1', { seatsBack, allowance });
    return { deals };
  };

  test('a part that went back with its seat, or without, agrees; unexplained it does not', () => {
    const one = { ...halfBack, ...twoSeats, orders: [order({ amount: 200 })] };
    expect(problems({ ...one, ...dealt(1, 0) })).toBe('');
    expect(problems(one)).toContain('1 seats instead of 2');
    const both = order({ amount: 200, seats: [{ label: 'A' }, { label: 'B' }] });
    const kept = { ...one, orders: [both], soldSeats: 2 };
    expect(problems({ ...kept, ...dealt(0, 100) })).toBe('');
    expect(problems(kept)).toContain('100 kept instead of 200');
    expect(compareMoney(facts({ ...kept, ...dealt(0, 100) }))).toMatchObject({
      keptAmount: 100,
      soldAmount: 200,
      allowances: 100,
      partBack: 1,
      partBackAmount: 100,
    });
  });

  test('a fee that was kept of a seat that went back agrees', () => {
    const orders = [order({ amount: 200 })];
    const payments = [paid({ amount: 200, kept: 110, cancelledAmount: 90 })];
    expect(problems({ payments, orders, ...twoSeats, ...dealt(1, -10) })).toBe('');
    expect(problems({ payments, orders, ...twoSeats, ...dealt(1, 0) })).not.toBe('');
  });

  test('money that somebody wished back was not lost', () => {
    const body = { holdExpiresAt: new Date(51).toISOString() };
    const yes = {
      asked: true,
      status: 200,
      body,
      latencyMs: 1,
      timedOut: false,
      aborted: false,
      error: null,
    };
    const own = (over: object) => [
      order({
        status: 'refunded',
        seats: [],
        payments: [{ paymentId: 'p1', flag: null, refunds: [], ...over }],
      }),
    ];
    const back = (orders: OrderSeen[], over: Partial<BookEntry> = {}) =>
      compareMoney(
        facts({
          payments: [paid({ kept: 0, state: 'cancelled', confirms: [yes], ...over })],
          orders,
          soldSeats: 0,
        }),
      );
    const refund = { state: 'done', reason: 'cannot come', requestedBy: 'organizer:api' };
    expect(back(own({ refunds: [refund] }))).toMatchObject({
      paidInTimeLost: 0,
      refundedWhy: { 'cannot come': 1 },
    });
    expect(back(own({ flag: 'virtual_account_forbidden' })).paidInTimeLost).toBe(0);
    const cancellation = { requester: 'console' } as BookEntry['cancellations'][number];
    expect(back(own({}), { cancellations: [cancellation] })).toMatchObject({
      paidInTimeLost: 0,
      refundedWhy: { 'cancelled in the console': 1 },
    });
    const owed = { state: 'done', reason: 'no_seats_left', requestedBy: 'settlement' };
    expect(back(own({ refunds: [owed] })).paidInTimeLost).toBe(1);
  });
});

describe("an event's money on both sides", () => {
  const audit = (over: object = {}) =>
    ({
      money: [
        {
          currency: 'KRW',
          paid: 300,
          refunded: 110,
          byHand: 0,
          kept: 190,
          seatsSold: 200,
          allowances: 10,
          openCases: { count: 0, amount: 0 },
          difference: 0,
          ...over,
        },
      ],
    }) as Audit;
  const books = [
    paid({ kept: 90, cancelledAmount: 10 }),
    paid({ paymentId: 'p2' }),
    paid({ paymentId: 'p3', kept: 0, cancelledAmount: 100 }),
    paid({ paymentId: 'p4', everPaid: false, kept: 0, state: 'failed' }),
  ];

  test('agrees to the won', () => {
    const money = eventMoney(audit(), books);
    expect(money).toMatchObject({ agrees: true, portone: { paid: 300, refunded: 110, kept: 190 } });
    expect(moneyProblems('e', money)).toEqual([]);
    expect(addMoney([money, money])).toMatchObject({ agrees: true, kept: 380, seatsSold: 400 });
  });

  test.each([
    ['a payment that Seatline has not heard of', audit({ paid: 200, kept: 90 }), '200 paid here'],
    ['a refund that never happened', audit({ refunded: 210 }), "110 by PortOne's books"],
    ['a difference', audit({ difference: -10 }), '-10 won that nothing explains'],
    ['an open case', audit({ openCases: { count: 1, amount: 0 } }), '1 cases are still open'],
  ])('tells of %s', (_, seen, words) => {
    const money = eventMoney(seen, books);
    expect(money.agrees).toBe(false);
    expect(moneyProblems('e', money).join('; ')).toContain(words);
    expect(addMoney([eventMoney(audit(), books), money]).agrees).toBe(false);
  });
});

describe('the money cases', () => {
  const [stadium, hall] = planEvents({ buyers: 90, seats: 30, events: 3 });
  if (!stadium || !hall) throw new Error('no events');

  test('what a way of paying is called depends on the event', () => {
    expect(caseOfPaying('bypasses', stadium)).toBe('bypassed');
    expect(caseOfPaying('bypasses', hall)).toBe('bypassed_refunded');
    expect(caseOfPaying('transfers', stadium)).toBe('deposited');
    expect(caseOfPaying('never_transfers', hall)).toBe('account_forbidden');
    expect(caseOfPaying('pays', stadium)).toBeNull();
  });

  test('one event at least forbids virtual accounts, and one allows them', () => {
    expect(hall).toMatchObject({ virtualAccounts: 'forbid', bypassedPayments: 'refund' });
    expect(stadium).toMatchObject({ virtualAccounts: 'allow', bypassedPayments: 'seat-if-free' });
  });

  test("are counted by what came of the money, by the gateway's books", () => {
    const played = new Map<string, MoneyCase>([
      ['p1', 'part_cancelled'],
      ['p2', 'part_cancelled'],
      ['p3', 'part_cancelled'],
      ['forged', 'forged'],
    ]);
    const books = [
      paid({ kept: 40, cancelledAmount: 60 }),
      paid({ paymentId: 'p2' }),
      paid({ paymentId: 'p3', kept: 0 }),
    ];
    expect(caseOutcomes(played, books)).toEqual({
      forged: { played: 1, kept: 0, partBack: 0, allBack: 0, neverPaid: 1 },
      part_cancelled: { played: 3, kept: 1, partBack: 1, allBack: 1, neverPaid: 0 },
    });
  });
});
