// What waits for the organizer: told in plain words, closed with a note, and square afterwards.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { answerSchemas } from '../../src/operations/openapi-answers.ts';
import { becomes, inboxEmpty, labels, moves, pay, refunded, seen } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import { type HttpResult, type OrderView, openWorld, type World } from '../support/world.ts';

const NEVER = '2999-01-01';
const ACCOUNT = '110-123-456789';

let world: World;

beforeAll(async () => {
  world = await openWorld({ carrier: 'postgres', env: { SWEEP_INTERVAL_MS: '100' } });
});
afterAll(() => world?.close());

interface Sold {
  event: string;
  order: OrderView;
  paymentId: string;
}

async function sold(quantity = 3): Promise<Sold> {
  const event = await world.event(quantity);
  const order = await world.order(event, [{ ticketType: 'ga', quantity }]);
  const { paymentId } = await pay(world, order);
  await becomes(world, order, 'paid');
  await world.sandbox.idle();
  await inboxEmpty(world, order);
  return { event, order, paymentId };
}

const list = (event: string, query = '?open=true'): Promise<HttpResult> =>
  world.call('GET', `/api/events/${event}/cases${query}`);
const close = (id: number, body: unknown): Promise<HttpResult> =>
  world.call('POST', `/api/cases/${id}/close`, body);

/** A sale of which somebody gave a part back in the console. */
async function cancelledInPart(amount: number, quantity = 3): Promise<Sold & { id: number }> {
  const sale = await sold(quantity);
  world.sandbox.cancelInConsole(sale.paymentId, amount);
  const id = await until('a case is open', async () => (await list(sale.event)).body.cases[0]?.id);
  return { ...sale, id };
}

async function insertCase({ order, paymentId }: Sold, kind: string, openedAt = 'now()') {
  const [row] = await world.sql<{ id: number }>(
    `INSERT INTO cases (event_id, order_id, payment_id, kind, amount, detail, opened_at)
     SELECT event_id, id, $2, $3, 30000, 'as told', ${openedAt} FROM orders WHERE merchant_uid = $1
     RETURNING id`,
    order.merchantUid,
    paymentId,
    kind,
  );
  return row?.id ?? 0;
}

async function insertRefund({ paymentId }: Sold, state: string, lastError: string | null) {
  const [row] = await world.sql<{ id: number }>(
    `INSERT INTO refunds (payment_id, amount, reason, requested_by, state, last_error, requested_at,
                          next_try_at, account_bank, account_number, account_holder, account_phone)
     VALUES ($1, 30000, 'no show', 'organizer:api', $2, $3, now(), '${NEVER}', 'KB', '${ACCOUNT}',
             'Hong Gildong', '010-1234-5678')
     RETURNING id`,
    paymentId,
    state,
    lastError,
  );
  return row?.id ?? 0;
}

describe('the list', () => {
  test('is empty where all is well, and 404 for an event that is none', async () => {
    const { event } = await sold(1);
    expect(await list(event)).toMatchObject({ status: 200, body: { cases: [], next: null } });
    expect(await list('nowhere')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('says of a part cancelled in the console what happened and what can be done', async () => {
    const { event, order, paymentId, id } = await cancelledInPart(5_000);
    const { body } = await list(event);
    expect(answerSchemas.Cases.parse(body)).toEqual(body);
    expect(body.cases).toMatchObject([
      {
        kind: 'partial_cancel',
        id,
        merchantUid: order.merchantUid,
        paymentId,
        currency: 'KRW',
        amount: 5_000,
        open: true,
        what: expect.stringContaining('5,000 won'),
        todo: expect.stringContaining(`POST /api/cases/${id}/close`),
        refund: null,
      },
    ]);
    expect(Date.now() - Date.parse(body.cases[0].since)).toBeLessThan(60_000);
  });

  test.each([
    ['requested', null, 'on their way back', 'Nothing'],
    ['requested', 'out of order', 'out of order', 'Nothing'],
    ['needs_person', 'needs_account', 'account is not known', '/account'],
    ['needs_person', 'too late', 'too late', '/retry'],
    ['needs_person', 'to be paid back by hand', 'by hand', '/by-hand'],
  ])('has a refund that is %s (%s), and never the account', async (state, error, what, todo) => {
    const sale = await sold();
    const id = await insertRefund(sale, state, error);
    const { body } = await list(sale.event);
    expect(answerSchemas.Cases.parse(body)).toEqual(body);
    expect(body.cases).toMatchObject([
      { kind: 'refund', id, amount: 30_000, open: true, refund: { state, lastError: error } },
    ]);
    expect(body.cases[0].what).toContain(what);
    expect(body.cases[0].todo).toContain(todo);
    expect(JSON.stringify(body)).not.toMatch(/110-123|Hong|010-1234/);
  });

  test('goes from page to page, each once, the oldest first', async () => {
    const sale = await sold();
    // Two of one instant, so that the place between them must be kept by more than the time.
    const at = (minutes: number) => `date_trunc('minute', now()) - interval '${minutes} min'`;
    await insertCase(sale, 'unknown_payment', at(5));
    await insertCase(sale, 'partial_cancel', at(5));
    await insertCase(sale, 'dispute', at(9));
    await insertRefund(sale, 'requested', null);
    const kinds: string[] = [];
    let after = '';
    for (let pages = 1; pages <= 4; pages += 1) {
      const { body } = await list(sale.event, `?open=true&limit=1${after}`);
      kinds.push(...body.cases.map((one: { kind: string }) => one.kind));
      expect(body.next === null).toBe(pages === 4);
      after = `&after=${body.next}`;
    }
    expect(kinds).toEqual(['dispute', 'unknown_payment', 'partial_cancel', 'refund']);
  });

  test('tells open from closed', async () => {
    const sale = await sold();
    const id = await insertCase(sale, 'dispute');
    await close(id, { note: 'the buyer was right' });
    await insertRefund(sale, 'requested', null);
    const kinds = async (query: string) =>
      (await list(sale.event, query)).body.cases.map((one: { kind: string }) => one.kind);
    expect(await kinds('?open=true')).toEqual(['refund']);
    expect(await kinds('?open=false')).toEqual(['dispute']);
    expect(await kinds('')).toEqual(['dispute', 'refund']);
    expect((await list(sale.event, '?open=false')).body.cases).toMatchObject([
      { open: false, closedBy: 'organizer:api', note: 'the buyer was right', todo: 'Nothing.' },
    ]);
  });

  test.each([
    '?open=maybe',
    '?limit=0',
    '?limit=501',
    '?after=yesterday',
    '?shut=true',
    '?open=true&open=true',
  ])('%s is 422', async (query) => {
    const event = await world.event(0);
    expect(await list(event, query)).toMatchObject({
      status: 422,
      body: { code: 'invalid_request' },
    });
  });
});

describe('closing', () => {
  test('with seats: they go back to the sale, the rest stays, and the ledger is square', async () => {
    const { event, order, id } = await cancelledInPart(8_000);
    const [gone = '', ...rest] = labels(await seen(world, order));
    const note = 'one of the party fell ill; 2,000 won fee';
    const closed = await close(id, { note, releaseSeats: [gone], amount: 8_000 });
    expect(answerSchemas.CaseClosed.parse(closed.body)).toEqual(closed.body);
    expect(closed).toMatchObject({
      status: 200,
      body: { id, amount: 8_000, accepted: -2_000, released: [gone] },
    });
    expect(labels(await seen(world, order))).toEqual(rest);
    expect(await world.seats(event)).toMatchObject({ available: 1, sold: 2 });
    expect((await moves(world, event)).at(-1)).toEqual({
      label: gone,
      from: 'sold',
      to: 'available',
      actor: 'organizer:api',
      reason: 'case_closed',
    });
    expect(await world.audit(event)).toMatchObject({
      clean: true,
      money: [{ kept: 22_000, seatsSold: 20_000, allowances: -2_000, difference: 0 }],
    });
    const ledger = await world.call('GET', `/api/orders/${order.merchantUid}/ledger`);
    expect(answerSchemas.Ledger.parse(ledger.body)).toEqual(ledger.body);
    expect(ledger.body).toMatchObject({ balance: 0, closed: true });
    // Somebody else may have it now.
    const next = await world.order(event);
    expect(await world.confirm(next)).toMatchObject({
      status: 200,
      body: { seats: [{ label: gone }] },
    });
  });

  test('with all seats: the order is over, and what was kept is a fee', async () => {
    const { event, order, id } = await cancelledInPart(15_000, 2);
    const all = labels(await seen(world, order));
    const closed = await close(id, { note: 'all of it', releaseSeats: all });
    expect(closed.body).toMatchObject({ accepted: -5_000, released: all });
    expect(await seen(world, order)).toMatchObject({ status: 'refunded', seats: [] });
    expect(await world.audit(event)).toMatchObject({ clean: true, money: [{ kept: 5_000 }] });
    const ledger = await world.call('GET', `/api/orders/${order.merchantUid}/ledger`);
    expect(ledger.body).toMatchObject({ balance: 0, closed: true });
  });

  test('is on the order, step by step', async () => {
    const { order, paymentId, id } = await cancelledInPart(5_000);
    await close(id, { note: 'a present' });
    const { body } = await world.call('GET', `/api/orders/${order.merchantUid}`);
    expect(answerSchemas.Order.parse(body)).toEqual(body);
    expect(body.cases).toMatchObject([
      { id, kind: 'partial_cancel', amount: 5_000, accepted: 5_000, note: 'a present' },
    ]);
    const steps = body.steps.map((one: { step: string; actor: string }) => [one.step, one.actor]);
    expect(steps).toEqual([
      ['sold', 'settlement'],
      ['partial_cancel', 'settlement'],
      ['case_closed', 'organizer:api'],
    ]);
    expect(body.steps.at(-1)).toMatchObject({
      paymentId,
      detail: 'partial_cancel 5000; a present',
    });
  });

  test('a dispute takes a note, and no seats', async () => {
    const kind = 'dispute';
    const sale = await sold();
    const id = await insertCase(sale, kind);
    const [label] = labels(await seen(world, sale.order));
    expect(await close(id, { note: 'x', releaseSeats: [label] })).toMatchObject({
      status: 422,
      body: { code: 'invalid_request' },
    });
    expect(await close(id, { note: 'seen to' })).toMatchObject({
      status: 200,
      body: { kind, accepted: 0, released: [] },
    });
    expect(await world.audit(sale.event)).toMatchObject({ clean: true });
  });

  describe('money that PortOne knows nothing of', () => {
    const all = { paid: 0, kept: 0, difference: 0 };
    const ledgerOf = async ({ merchantUid }: OrderView) =>
      (await world.call('GET', `/api/orders/${merchantUid}/ledger`)).body;

    test('is counted no more, and seats that stay were given away', async () => {
      const sale = await sold();
      const id = await insertCase(sale, 'unknown_payment');
      expect(await close(id, { note: 'not there' })).toMatchObject({
        status: 200,
        body: { accepted: 30_000, released: [] },
      });
      expect(await ledgerOf(sale.order)).toMatchObject({
        accounts: { money: 0, seats: -30_000, allowance: 30_000 },
        balance: 0,
      });
      const money = [{ ...all, allowances: 30_000, seatsSold: 30_000 }];
      expect(await world.audit(sale.event)).toMatchObject({ clean: true, money });
    });

    test('leaves its seats to others where the organizer says so', async () => {
      const sale = await sold();
      const id = await insertCase(sale, 'unknown_payment');
      const own = labels(await seen(world, sale.order));
      expect(await close(id, { note: 'not there', releaseSeats: own })).toMatchObject({
        status: 200,
        body: { accepted: 0, released: own },
      });
      expect(await world.seats(sale.event)).toMatchObject({ available: 3, sold: 0 });
      expect(await ledgerOf(sale.order)).toMatchObject({
        accounts: { money: 0, seats: 0, allowance: 0 },
      });
      const money = [{ ...all, allowances: 0, seatsSold: 0 }];
      expect(await world.audit(sale.event)).toMatchObject({ clean: true, money });
    });

    test('is taken out once, however often its case is closed', async () => {
      const sale = await sold();
      await close(await insertCase(sale, 'unknown_payment'), { note: 'not there' });
      const again = await insertCase(sale, 'unknown_payment');
      const own = labels(await seen(world, sale.order));
      expect(await close(again, { note: 'x', releaseSeats: own })).toMatchObject({ status: 422 });
      expect(await close(again, { note: 'nor here' })).toMatchObject({ body: { accepted: 0 } });
      const money = [{ ...all, allowances: 30_000, seatsSold: 30_000 }];
      expect(await world.audit(sale.event)).toMatchObject({ clean: true, money });
    });

    test('counts again when PortOne tells of it after all', async () => {
      const sale = await sold();
      await close(await insertCase(sale, 'unknown_payment'), { note: 'not there' });
      world.sandbox.resendInConsole(sale.paymentId);
      await until('it is read anew', async () => {
        const [money] = (await world.audit(sale.event)).money;
        return money?.kept === 30_000;
      });
      const money = [{ paid: 30_000, allowances: 0, seatsSold: 30_000, difference: 0 }];
      expect(await world.audit(sale.event)).toMatchObject({ clean: true, money });
    });

    test('of some seats only: refused, for nobody paid for any', async () => {
      const sale = await sold();
      const id = await insertCase(sale, 'unknown_payment');
      const own = labels(await seen(world, sale.order));
      const some = { note: 'x', releaseSeats: own.slice(0, 1) };
      expect(await close(id, some)).toMatchObject({ status: 409, body: { seats: own } });
      expect(await world.seats(sale.event)).toMatchObject({ sold: 3 });
    });

    const reconcile = (event: string) => world.call('POST', `/api/events/${event}/reconcile`, {});

    test('and that is there after all: found by reconciliation, and what was given away is sold', async () => {
      const sale = await sold();
      await close(await insertCase(sale, 'unknown_payment'), { note: 'not there' });
      expect((await reconcile(sale.event)).body).toMatchObject({
        agree: true,
        findings: [{ kind: 'paid_there_not_here', outcome: 'already_sold' }],
      });
      const money = [{ kept: 30_000, allowances: 0, seatsSold: 30_000 }];
      expect(await world.audit(sale.event)).toMatchObject({ clean: true, money });
    });

    test.each(['free', 'gone'] as const)(
      'and that is there after all, its seats taken back and %s: a late payment',
      async (seats) => {
        const sale = await sold();
        const id = await insertCase(sale, 'unknown_payment');
        const own = labels(await seen(world, sale.order));
        await close(id, { note: 'not there', releaseSeats: own });
        if (seats === 'gone') {
          expect((await world.confirm(await world.order(sale.event))).status).toBe(200);
        }
        const { findings } = (await reconcile(sale.event)).body;
        const outcome = seats === 'free' ? 'same_seats' : 'refund_requested';
        expect(findings).toMatchObject([{ kind: 'paid_there_not_here', outcome }]);
        if (seats === 'free') {
          expect(labels(await becomes(world, sale.order, 'paid'))).toEqual(own);
        } else {
          const view = await refunded(world, sale.order);
          expect(view.payments[0]?.refund).toMatchObject({ reason: 'no_seats_left' });
        }
        expect(await world.audit(sale.event)).toMatchObject({ clean: true });
      },
    );

    test('of which only a part is missing: a note, and all stands', async () => {
      const sale = await sold();
      const id = await insertCase(sale, 'unknown_payment');
      await world.sql('UPDATE cases SET amount = 10000 WHERE id = $1', id);
      const [label] = labels(await seen(world, sale.order));
      expect(await close(id, { note: 'x', releaseSeats: [label] })).toMatchObject({
        status: 422,
        body: { code: 'invalid_request' },
      });
      expect(await close(id, { note: 'seen to' })).toMatchObject({ body: { accepted: 0 } });
      const money = [{ kept: 30_000, allowances: 0, difference: 0 }];
      expect(await world.audit(sale.event)).toMatchObject({ clean: true, money });
    });
  });

  test('twice at once: one does it, the other is told', async () => {
    const { event, order, id } = await cancelledInPart(10_000);
    const [label] = labels(await seen(world, order));
    const answers = await Promise.all(
      [1, 2, 3].map(() => close(id, { note: 'mine', releaseSeats: [label] })),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409, 409]);
    expect(await world.seats(event)).toMatchObject({ available: 1 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('while the gateway tells of more: the case and the money agree in the end', async () => {
    const { event, order, paymentId, id } = await cancelledInPart(5_000);
    world.sandbox.cancelInConsole(paymentId, 3_000);
    await close(id, { note: 'whatever it is' });
    await world.sandbox.idle();
    await inboxEmpty(world, order);
    expect(await world.audit(event)).toMatchObject({ clean: true, money: [{ difference: 0 }] });
    const ledger = (await world.call('GET', `/api/orders/${order.merchantUid}/ledger`)).body;
    // Whichever came first, what came after it is told apart.
    const { balance, openCases } = ledger;
    expect([
      { balance: 0, openCases: 0 },
      { balance: -3_000, openCases: 1 },
    ]).toContainEqual({ balance, openCases });
  });

  test.each(['0', '999999999', '99999999999999', 'x', '-1'])(
    'case %s, which there is not, is 404',
    async (id) => {
      expect(await close(id as unknown as number, { note: 'x' })).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
    },
  );

  test.each<[string, unknown]>([
    ['no note', {}],
    ['an empty note', { note: ' ' }],
    ['seats that are none', { note: 'x', releaseSeats: 'A-1' }],
    ['an unknown word', { note: 'x', accept: true }],
  ])('with %s is 422', async (_what, body) => {
    expect(await close(1, body)).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
  });
});

describe('a case is not closed', () => {
  let sale: Awaited<ReturnType<typeof cancelledInPart>>;

  beforeEach(async () => {
    sale = await cancelledInPart(5_000);
  });

  async function stays(answer: HttpResult, more: Record<string, unknown> = {}): Promise<void> {
    expect(answer).toMatchObject({ status: 409, body: { code: 'conflict', ...more } });
    expect((await list(sale.event)).body.cases).toMatchObject([{ id: sale.id }]);
    expect(await world.seats(sale.event)).toMatchObject({ sold: 3 });
  }

  test('for another amount than the organizer saw', async () => {
    await stays(await close(sale.id, { note: 'x', amount: 4_000 }), { amount: 5_000 });
  });

  test('with a seat that is not the order’s', async () => {
    const body = {
      note: 'x',
      releaseSeats: [...labels(await seen(world, sale.order)), 'nobody-1'],
    };
    await stays(await close(sale.id, body), { missing: ['nobody-1'] });
  });

  test('with seats while a refund of the payment is under way', async () => {
    await insertRefund(sale, 'requested', null);
    const releaseSeats = labels(await seen(world, sale.order)).slice(0, 1);
    const refused = await close(sale.id, { note: 'x', releaseSeats });
    expect(refused).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(await world.seats(sale.event)).toMatchObject({ sold: 3 });
    expect(await close(sale.id, { note: 'without seats' })).toMatchObject({ status: 200 });
  });
});

test('an order shows its refunds, and never the account they go to', async () => {
  const sale = await sold();
  const id = await insertRefund(sale, 'needs_person', 'needs_account');
  const { body } = await world.call('GET', `/api/orders/${sale.order.merchantUid}`);
  expect(answerSchemas.Order.parse(body)).toEqual(body);
  expect(body.payments).toMatchObject([
    {
      method: 'card',
      bypassed: false,
      cancelPending: false,
      depositBy: null,
      refund: { state: 'needs_person', amount: 30_000, reason: 'no show' },
      refunds: [
        { id, whole: true, seats: [], requestedBy: 'organizer:api', byHand: false, doneAt: null },
      ],
    },
  ]);
  expect(JSON.stringify(body)).not.toMatch(/110-123|Hong|010-1234/);
});
