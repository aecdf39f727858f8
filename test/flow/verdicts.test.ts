// Every reason to refuse, with its status and the buyer's words in the event's language.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buyerText } from '../../src/confirm/texts.ts';
import type { RefusalCode } from '../../src/confirm/verdict.ts';
import { becomes, labels, pay } from '../support/buyer.ts';
import {
  CARRIERS,
  type HttpResult,
  type OrderView,
  openWorld,
  type World,
} from '../support/world.ts';

const HOUR_MS = 3_600_000;

function expectRefusal(answer: HttpResult, code: RefusalCode, language: 'ko' | 'en' = 'en'): void {
  const text = buyerText({ code }, language);
  expect(answer.body).toMatchObject({ code, reason: text, errorMessage: text });
  expect(answer.status).toBe(code === 'amount_mismatch' ? 422 : 409);
}

describe.each(CARRIERS)('verdicts on %s', (carrier) => {
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ carrier });
  });
  afterAll(() => world?.close());

  async function confirmed(order: OrderView): Promise<HttpResult> {
    const answer = await world.confirm(order);
    expect(answer).toMatchObject({ status: 200, body: { code: 'confirmed' } });
    return answer;
  }

  test('the last seat held: all_held, with the time at which its hold ends', async () => {
    const event = await world.event(1);
    const [first, second] = await world.orders(event, 2);
    if (!first || !second) throw new Error('no orders');
    const { holdExpiresAt } = (await confirmed(first)).body;
    const answer = await world.confirm(second);
    expectRefusal(answer, 'all_held');
    expect(answer.body.at).toBe(holdExpiresAt);
  });

  test('the last seat sold: sold_out', async () => {
    const event = await world.event(1);
    const [first, second] = await world.orders(event, 2);
    if (!first || !second) throw new Error('no orders');
    await pay(world, first);
    await becomes(world, first, 'paid');
    expectRefusal(await world.confirm(second), 'sold_out');
  });

  test('an event without any seats is sold out, in Korean where it speaks Korean', async () => {
    const event = await world.event(0, { language: 'ko' });
    expectRefusal(await world.confirm(await world.order(event)), 'sold_out', 'ko');
  });

  test('a party that insists on sitting together: no_adjacent_seats; one that does not is seated apart', async () => {
    const event = await world.event(0);
    const rows = ['A', 'B', 'C'].map((row) => ({ section: 'S', row, from: 1, to: 2 }));
    await world.call('POST', `/api/events/${event}/seats`, { ticketType: 'ga', rows });
    const three = { ticketType: 'ga', quantity: 3 };
    const together = await world.order(event, [{ ...three, together: true }]);
    expectRefusal(await world.confirm(together), 'no_adjacent_seats');
    const apart = await confirmed(await world.order(event, [three]));
    expect(apart.body.seats).toHaveLength(3);
    const pair = await confirmed(
      await world.order(event, [{ ...three, quantity: 2, together: true }]),
    );
    const [one, two] = pair.body.seats;
    expect(one.row).toBe(two.row);
  });

  test('a named seat that is gone: seat_taken, and says which', async () => {
    const event = await world.event(5);
    const named = (...seats: string[]) =>
      world.order(event, [{ ticketType: 'ga', quantity: seats.length, seats }]);
    const taken = await confirmed(await named('ga-3', 'ga-5'));
    expect(labels(taken.body)).toEqual(['ga-3', 'ga-5']);
    const answer = await world.confirm(await named('ga-4', 'ga-5'));
    expectRefusal(answer, 'seat_taken');
    expect(answer.body.seats).toEqual(['ga-5']);
    await confirmed(await named('ga-4'));
  });

  test('more seats than an order may have: limit_reached', async () => {
    const event = await world.event(10, { maxPerOrder: 2 });
    const of = (quantity: number) => world.order(event, [{ ticketType: 'ga', quantity }]);
    expectRefusal(await world.confirm(await of(3)), 'limit_reached');
    await confirmed(await of(2));
  });

  test('more seats than a buyer may have over all orders: limit_reached', async () => {
    const event = await world.event(10, { maxPerBuyer: 3 });
    const orderOf = async (buyer: string, quantity: number): Promise<OrderView> => {
      const order = {
        merchantUid: world.name('limited'),
        event,
        buyer: { id: buyer },
        items: [{ ticketType: 'ga', quantity }],
      };
      return (await world.call('POST', '/api/orders', order)).body;
    };
    const greedy = await Promise.all([1, 2, 3, 4].map(() => orderOf('greedy', 1)));
    const answers = await Promise.all(greedy.map((order) => world.confirm(order)));
    expect(answers.map((a) => a.body.code).sort()).toEqual([
      'confirmed',
      'confirmed',
      'confirmed',
      'limit_reached',
    ]);
    const refused = answers.find((a) => a.status !== 200);
    if (refused) expectRefusal(refused, 'limit_reached');
    expectRefusal(await world.confirm(await orderOf('modest', 4)), 'limit_reached');
    await confirmed(await orderOf('modest', 3));
  });

  test('before the sale opens: not_open, with its time; after it closed: sale_closed', async () => {
    const opensAt = new Date(Date.now() + HOUR_MS).toISOString();
    const early = await world.event(1, { opensAt, language: 'ko' });
    const answer = await world.confirm(await world.order(early));
    expectRefusal(answer, 'not_open', 'ko');
    expect(answer.body.at).toBe(opensAt);
    const late = await world.event(1, { closesAt: new Date(Date.now() - HOUR_MS).toISOString() });
    expectRefusal(await world.confirm(await world.order(late)), 'sale_closed');
  });

  test('who held a seat when the sale closed may still try again', async () => {
    const event = await world.event(1);
    const order = await world.order(event);
    await confirmed(order);
    await world.sql(
      "UPDATE events SET closes_at = now() - interval '1 second' WHERE slug = $1",
      event,
    );
    await confirmed(order);
  });

  test('a paid order: already_paid', async () => {
    const event = await world.event(3);
    const order = await world.order(event);
    await pay(world, order);
    await becomes(world, order, 'paid');
    expectRefusal(await world.confirm(order), 'already_paid');
    expect(await world.seats(event)).toMatchObject({ sold: 1, held: 0 });
  });

  test('a cancelled order: order_cancelled', async () => {
    const event = await world.event(3);
    const order = await world.order(event);
    await world.sql(
      "UPDATE orders SET status = 'cancelled' WHERE merchant_uid = $1",
      order.merchantUid,
    );
    expectRefusal(await world.confirm(order), 'order_cancelled');
  });

  test('another amount than the order’s: amount_mismatch, in both languages', async () => {
    for (const language of ['ko', 'en'] as const) {
      const order = await world.order(await world.event(3, { language }));
      expectRefusal(await world.confirm(order, undefined, 1), 'amount_mismatch', language);
    }
  });

  test('positions are gap-free over confirmed and refused alike', async () => {
    const event = await world.event(3);
    const answers = await Promise.all(
      (await world.orders(event, 6)).map((order) => world.confirm(order)),
    );
    expect(
      answers
        .filter((a) => a.status === 200)
        .map((a) => a.body.position)
        .sort(),
    ).toEqual([1, 2, 3]);
    expect(await world.audit(event)).toMatchObject({ positionGaps: 0, clean: true });
  });
});
