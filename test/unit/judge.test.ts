// The judge is pure: what was read goes in, what is to be written and answered comes out.

import { describe, expect, test } from 'vitest';
import type { EnrolledRequest } from '../../src/confirm/batch.ts';
import { type BatchFacts, judge } from '../../src/confirm/decide/judge.ts';
import {
  asks,
  at,
  earlier,
  facts,
  HOLD_SECONDS,
  heldBy,
  item,
  NOW,
  order,
  row,
  sale,
  seats,
} from '../support/facts.ts';

function decide(requests: EnrolledRequest[], given: Partial<BatchFacts>) {
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `hold-${ids}`;
  };
  return judge(requests, facts(given), NOW, newId);
}

const codes = (plan: ReturnType<typeof judge>) => plan.decisions.map((d) => d.code);

describe('one request', () => {
  test('for a free seat: that seat, a hold and a verdict', () => {
    const plan = decide([asks(1)], { orders: [order(1)], free: seats(3) });
    expect(plan.decisions).toEqual([
      {
        code: 'still_held',
        holdId: 'hold-1',
        position: 1,
        holdExpiresAt: at(HOLD_SECONDS),
        seats: [{ label: '1-1', ticketType: 'ga' }],
      },
    ]);
    expect(plan.holds).toEqual([
      {
        id: 'hold-1',
        orderId: 1,
        buyerId: 'buyer-1',
        paymentId: 'pay-1',
        gateway: 'v1',
        quantity: 1,
        expiresAt: at(HOLD_SECONDS),
        answerBy: at(4),
        seatIds: [1_001],
      },
    ]);
    expect(plan.verdicts).toEqual([
      {
        paymentId: 'pay-1',
        gateway: 'v1',
        orderId: 1,
        code: 'confirmed',
        amount: 1_000,
        position: 1,
        holdId: 'hold-1',
      },
    ]);
    expect(plan).toMatchObject({ moved: [], positionsUsed: 1, wantsMoreSeats: false });
  });

  const closed = sale({ closesAt: new Date(at(-1)) });
  const REFUSED: [code: string, request: EnrolledRequest, given: Partial<BatchFacts>][] = [
    ['amount_mismatch', asks(1, { amount: 999 }), { orders: [order(1)], free: seats(1) }],
    ['already_paid', asks(1), { orders: [order(1, { status: 'paid' })], free: seats(1) }],
    ['already_paid', asks(1), { orders: [order(1, { status: 'refunded' })], free: seats(1) }],
    ['order_cancelled', asks(1), { orders: [order(1, { status: 'cancelled' })], free: seats(1) }],
    [
      'not_open',
      asks(1),
      { sale: sale({ opensAt: new Date(at(1)) }), orders: [order(1)], free: seats(1) },
    ],
    ['sale_closed', asks(1), { sale: closed, orders: [order(1)], free: seats(1) }],
    [
      'limit_reached',
      asks(1),
      { sale: sale({ maxPerOrder: 1 }), orders: [order(1, { items: [item(2)] })], free: seats(2) },
    ],
    [
      'limit_reached',
      asks(1),
      { sale: sale({ maxPerBuyer: 2 }), orders: [order(1, { buyerSeats: 2 })], free: seats(1) },
    ],
    ['sold_out', asks(1), { orders: [order(1)], free: [] }],
    ['all_held', asks(1), { orders: [order(1)], nextHoldEnds: new Map([[1, at(30)]]) }],
    [
      'seat_taken',
      asks(1),
      { orders: [order(1, { items: [item(1, { labels: ['1-9'] })] })], free: seats(3) },
    ],
    [
      'no_adjacent_seats',
      asks(1),
      {
        orders: [order(1, { items: [item(2, { together: true })] })],
        free: row('A', [1, 3, 5]),
      },
    ],
    ['hold_ended', asks(1), { orders: [order(1, heldBy('pay-0', { createdAt: at(-900) }))] }],
  ];

  test.each(REFUSED)('%s: refused with a position, and nothing is held', (code, request, given) => {
    const plan = decide([request], given);
    expect(plan.decisions).toMatchObject([{ code, position: 1 }]);
    expect(plan.verdicts).toMatchObject([{ code, position: 1, holdId: null }]);
    expect(plan).toMatchObject({ holds: [], moved: [], positionsUsed: 1 });
  });

  test('whose caller has stopped waiting: timed_out, recorded, without a position', () => {
    const late = asks(1, { decideBy: NOW.getTime() - 1 });
    const plan = decide([late, asks(2)], { orders: [order(1), order(2)], free: seats(1) });
    expect(plan.decisions[0]).toEqual({ code: 'timed_out' });
    expect(plan.verdicts[0]).toMatchObject({ code: 'timed_out', position: null, holdId: null });
    expect(plan.decisions[1]).toMatchObject({ code: 'still_held', position: 1 });
    expect(plan.positionsUsed).toBe(1);
  });

  test('at the very last instant is still decided', () => {
    const plan = decide([asks(1, { decideBy: NOW.getTime() })], {
      orders: [order(1)],
      free: seats(1),
    });
    expect(codes(plan)).toEqual(['still_held']);
  });

  test('of an unknown order: refused, and nothing is recorded', () => {
    const plan = decide([asks(1)], { free: seats(1) });
    expect(plan.decisions).toEqual([{ code: 'unknown_order' }]);
    expect(plan).toMatchObject({ verdicts: [], positionsUsed: 0 });
  });

  test('without an amount is not checked for one', () => {
    const plan = decide([asks(1, { amount: null })], { orders: [order(1)], free: seats(1) });
    expect(codes(plan)).toEqual(['still_held']);
    expect(plan.verdicts[0]?.amount).toBeNull();
  });

  test('of a buyer with seats set aside, after the sale has closed: still the same seats', () => {
    const held = order(1, heldBy('pay-0'));
    expect(codes(decide([asks(1)], { sale: closed, orders: [held] }))).toEqual(['still_held']);
  });

  test('not_open says when it opens, all_held when the next hold ends', () => {
    const opensAt = new Date(at(60));
    const early = decide([asks(1)], { sale: sale({ opensAt }), orders: [order(1)] });
    expect(early.decisions[0]).toMatchObject({ code: 'not_open', at: at(60) });
    const none = decide([asks(1)], { orders: [order(1)], nextHoldEnds: new Map([[1, at(30)]]) });
    expect(none.decisions[0]).toMatchObject({ code: 'all_held', at: at(30) });
  });

  test('seat_taken names the seats that are gone', () => {
    const orders = [order(1, { items: [item(2, { labels: ['1-1', '1-9'] })] })];
    const plan = decide([asks(1)], { orders, free: seats(3) });
    expect(plan.decisions[0]).toMatchObject({ code: 'seat_taken', labels: ['1-9'] });
  });
});

describe('one payment', () => {
  test('that was confirmed before gets the same answer, and nothing is written', () => {
    const plan = decide([asks(1)], {
      orders: [order(1, heldBy('pay-1'))],
      earlier: [earlier(1)],
      free: seats(1),
    });
    expect(plan.decisions).toEqual([
      { code: 'still_held', holdId: 'hold-0', position: 5, holdExpiresAt: at(240) },
    ]);
    expect(plan).toMatchObject({ holds: [], moved: [], verdicts: [], positionsUsed: 0 });
  });

  test('twice in one batch: one seat, one verdict, one answer', () => {
    const plan = decide([asks(1), asks(1)], { orders: [order(1)], free: seats(2) });
    const answer = { code: 'still_held', holdId: 'hold-1', position: 1 };
    expect(plan.decisions).toMatchObject([answer, answer]);
    expect(plan.holds).toHaveLength(1);
    expect(plan.verdicts).toHaveLength(1);
    expect(plan.positionsUsed).toBe(1);
  });

  test('twice in one batch with other content: the second is a conflict', () => {
    const plan = decide([asks(1), asks(1, { merchantUid: 'order-2' })], {
      orders: [order(1), order(2)],
      free: seats(2),
    });
    expect(codes(plan)).toEqual(['still_held', 'conflicting_repeat']);
    expect(plan.verdicts).toHaveLength(1);
  });

  test('refused and asked again in one batch: the same refusal, also if a seat were there', () => {
    const plan = decide([asks(1, { amount: 5 }), asks(1, { amount: 5 })], {
      orders: [order(1)],
      free: seats(1),
    });
    expect(codes(plan)).toEqual(['amount_mismatch', 'amount_mismatch']);
    expect(plan.positionsUsed).toBe(1);
  });
});

describe('one order, paid again', () => {
  test('its hold moves to the new payment and lasts anew', () => {
    const plan = decide([asks(1, { paymentId: 'pay-1b' })], {
      orders: [order(1, heldBy('pay-1'))],
      free: seats(5),
    });
    expect(plan.holds).toEqual([]);
    expect(plan.moved).toEqual([
      {
        holdId: 'hold-0',
        paymentId: 'pay-1b',
        gateway: 'v1',
        expiresAt: at(300),
        answerBy: at(4),
      },
    ]);
    expect(plan.verdicts[0]).toMatchObject({ paymentId: 'pay-1b', holdId: 'hold-0' });
  });

  test.each([
    ['is stretched to three hold times at most', at(-800), at(-500), at(100)],
    ['is never made shorter', at(-800), at(250), at(250)],
    ['is stretched by one hold time', at(-10), at(290), at(300)],
  ])('the hold %s', (_what, createdAt, expiresAt, expected) => {
    const held = heldBy('pay-1', { createdAt, expiresAt });
    const plan = decide([asks(1, { paymentId: 'pay-1b' })], { orders: [order(1, held)] });
    expect(plan.moved[0]?.expiresAt).toBe(expected);
  });

  test('by two payments in one batch: one hold, which the later one has', () => {
    const plan = decide([asks(1), asks(1, { paymentId: 'pay-1b' })], {
      orders: [order(1)],
      free: seats(5),
    });
    expect(codes(plan)).toEqual(['still_held', 'still_held']);
    expect(plan.holds).toMatchObject([{ paymentId: 'pay-1b', seatIds: [1_001] }]);
    expect(plan.moved).toEqual([]);
    expect(plan.verdicts.map((v) => v.position)).toEqual([1, 2]);
  });

  test('by two payments, and the first asks again in the same batch: it has lost the hold', () => {
    const plan = decide([asks(1), asks(1, { paymentId: 'pay-1b' }), asks(1)], {
      orders: [order(1)],
      free: seats(5),
    });
    expect(codes(plan)).toEqual(['still_held', 'still_held', 'hold_ended']);
  });

  test('by three payments in one batch on a hold that was there: it moves once, to the last', () => {
    const requests = ['b', 'c', 'd'].map((x) => asks(1, { paymentId: `pay-1${x}` }));
    const plan = decide(requests, { orders: [order(1, heldBy('pay-1'))] });
    expect(plan.moved).toMatchObject([{ holdId: 'hold-0', paymentId: 'pay-1d' }]);
  });
});

describe('several requests', () => {
  test('get seats in their order, best first, and positions without a gap', () => {
    const plan = decide([asks(2), asks(1), asks(3)], {
      sale: sale({ lastPosition: 40 }),
      orders: [order(1), order(2), order(3)],
      free: seats(2),
    });
    expect(plan.holds.map((h) => [h.orderId, h.seatIds])).toEqual([
      [2, [1_001]],
      [1, [1_002]],
    ]);
    expect(plan.verdicts.map((v) => v.position)).toEqual([41, 42, 43]);
    expect(plan.positionsUsed).toBe(3);
  });

  test('the last seat taken in this very batch is held, not sold out', () => {
    const plan = decide([asks(1), asks(2)], { orders: [order(1), order(2)], free: seats(1) });
    expect(plan.decisions[1]).toMatchObject({ code: 'all_held', at: at(HOLD_SECONDS) });
  });

  test('an older hold ends before those of this batch', () => {
    const plan = decide([asks(1), asks(2)], {
      orders: [order(1), order(2)],
      free: seats(1),
      nextHoldEnds: new Map([[1, at(30)]]),
    });
    expect(plan.decisions[1]).toMatchObject({ code: 'all_held', at: at(30) });
  });

  test('a large party is refused and a single buyer behind it is not', () => {
    const plan = decide([asks(1), asks(2)], {
      orders: [order(1, { items: [item(3)] }), order(2)],
      free: seats(2),
    });
    expect(codes(plan)).toEqual(['sold_out', 'still_held']);
  });

  test('a party that got no seats leaves none behind as taken', () => {
    const wants = [item(1), item(1, { ticketTypeId: 2 })];
    const plan = decide([asks(1), asks(2)], {
      orders: [order(1, { items: wants }), order(2)],
      free: seats(1),
    });
    expect(codes(plan)).toEqual(['sold_out', 'still_held']);
  });

  test("the limit of a buyer counts over that buyer's orders in the batch", () => {
    const of = (n: number) => order(n, { buyerId: 'same', buyerSeats: 1 });
    const plan = decide([asks(1), asks(2), asks(3)], {
      sale: sale({ maxPerBuyer: 3 }),
      orders: [of(1), of(2), of(3)],
      free: seats(9),
    });
    expect(codes(plan)).toEqual(['still_held', 'still_held', 'limit_reached']);
  });

  test('a refused order does not count against its buyer', () => {
    const plan = decide([asks(1), asks(2)], {
      sale: sale({ maxPerBuyer: 2 }),
      orders: [
        order(1, { buyerId: 'same', items: [item(2, { labels: ['x', 'y'] })] }),
        order(2, { buyerId: 'same', items: [item(2)] }),
      ],
      free: seats(4),
    });
    expect(codes(plan)).toEqual(['seat_taken', 'still_held']);
  });
});

test('a seat in a row is told with its section, row and number', () => {
  const plan = decide([asks(1)], { orders: [order(1)], free: row('A', [7]) });
  expect(plan.decisions[0]).toMatchObject({
    seats: [{ label: 'A-7', ticketType: 'ga', section: 'S', row: 'A', number: '7' }],
  });
});

describe('more seats are asked for', () => {
  test.each([
    ['a party that must sit together does not', [item(2, { together: true })], [1, 3], true],
    ['a party sits apart', [item(2)], [1, 3], true],
    ['a party sits together', [item(2)], [1, 2], false],
    ['one buyer sits alone', [item(1)], [1, 3], false],
  ])('where %s', (_what, items, places, wanted) => {
    const plan = decide([asks(1)], { orders: [order(1, { items })], free: row('A', places) });
    expect(plan.wantsMoreSeats).toBe(wanted);
  });

  test('not where a party named its seats, and they are apart', () => {
    const items = [item(2, { labels: ['A-1', 'A-3'] })];
    const plan = decide([asks(1)], { orders: [order(1, { items })], free: row('A', [1, 2, 3]) });
    expect(codes(plan)).toEqual(['still_held']);
    expect(plan.wantsMoreSeats).toBe(false);
  });

  test('not where there are too few', () => {
    const plan = decide([asks(1)], {
      orders: [order(1, { items: [item(3)] })],
      free: row('A', [1, 2]),
    });
    expect(codes(plan)).toEqual(['sold_out']);
    expect(plan.wantsMoreSeats).toBe(false);
  });
});
