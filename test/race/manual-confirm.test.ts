// A charge under way meets whatever else may happen to its seat. Each guard is taken out once, to
// show what it prevents.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { longestChargeMs } from '../../src/confirm/manual/charge.ts';
import { ManualDesk } from '../../src/confirm/manual/manual-desk.ts';
import type { Confirmed } from '../../src/confirm/verdict.ts';
import { openApi } from '../../src/dependencies.ts';
import { sweep } from '../../src/expiry/sweep.ts';
import { createMetrics } from '../../src/operations/metrics.ts';
import { settlePayment } from '../../src/payments/settle-payment.ts';
import type { PaymentApi } from '../../src/portone/payment.ts';
import type { PortOne } from '../../src/portone/portone.ts';
import type { Authentication } from '../../src/sandbox/types.ts';
import { becomes, books, moves, refunded, seen } from '../support/buyer.ts';
import { authenticate, chargesOf, confirmByHand } from '../support/manual.ts';
import { startProcess } from '../support/service-process.ts';
import { type Edit, Gate, Halt, type Tampering, tamper } from '../support/tamper.ts';
import { type OrderView, openWorld, type World } from '../support/world.ts';

const SECRET = 'race-confirm-secret-0123456789';

let world: World;
beforeAll(async () => {
  world = await openWorld({ carrier: 'postgres' });
});
afterAll(() => world?.close());

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  world.sandbox.faults.clear();
  for (const close of opened.splice(0)) await close();
});

/** What a desk of another process would do, with its database and its PortOne tampered with. */
async function openDesk(
  tampering: Tampering = {},
  change: (api: PaymentApi) => Partial<PaymentApi> = () => ({}),
  over: { askAgainForMs?: number; chargeMaxMs?: number } = {},
): Promise<(order: OrderView, token: Authentication) => ReturnType<ManualDesk['ask']>> {
  const d = world.service.dependencies;
  const portone: PortOne = {
    api: (gateway) => {
      const api = d.portone.api(gateway);
      return api && gateway === 'v2' ? { ...api, ...change(api) } : api;
    },
  };
  const database = tamper(d.database, tampering);
  const metrics = createMetrics(database, d.clock);
  const api = await openApi({ ...d, database, portone, metrics }, SECRET, () => world.url);
  opened.push(() => api.close());
  const chargeMaxMs = longestChargeMs(d.config.portone);
  const desk = new ManualDesk({ ...api, waitingMax: 100, chargeMaxMs, ...over });
  return ({ merchantUid, amount }, { paymentToken, txId }) =>
    desk.ask(
      { merchantUid, paymentToken, txId, amount },
      { arrivedAt: Date.now(), gone: new AbortController().signal },
    );
}

/** Stops before PortOne is asked for the charge. */
class HaltedCharge {
  readonly reached = new Gate();
  readonly go = new Gate();

  readonly change = (api: PaymentApi): Partial<PaymentApi> => ({
    confirm: async (wish) => {
      this.reached.open();
      await this.go.opened;
      return (await api.confirm?.(wish)) ?? { outcome: 'already_paid' };
    },
  });
}

async function lastSeat(): Promise<{ event: string; order: OrderView; next: OrderView }> {
  const event = await world.event(1);
  const [order, next] = await world.orders(event, 2);
  if (!order || !next) throw new Error('no orders');
  return { event, order, next };
}

describe('the sweep of unanswered holds while PortOne works', () => {
  const NOT_MARKED: Edit = {
    file: 'mark_answered',
    from: /answered_at = CASE[\s\S]+?check_at = a\.check_at/,
    to: 'answered_at = h.answered_at',
  };

  /** The caller of a confirm would have gone long ago; the hold itself has minutes left. */
  async function sweptMeanwhile(edits: Edit[]) {
    const at = await lastSeat();
    const token = await authenticate(world, at.order);
    const halted = new HaltedCharge();
    const ask = await openDesk({ edits }, halted.change);
    const asking = ask(at.order, token);
    await halted.reached.opened;
    const later = new Date(Date.now() + 30_000);
    await sweep({ ...world.service.dependencies, clock: { now: () => later } }, 10);
    const { status } = await world.confirm(at.next);
    halted.go.open();
    return { ...at, nextStatus: status, answer: await asking };
  }

  test('the mark keeps the seat for the charge', async () => {
    const { event, nextStatus, answer } = await sweptMeanwhile([]);
    expect(nextStatus).toBe(409);
    expect(answer).toMatchObject({ verdict: { code: 'confirmed' }, paid: true });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('CONTROL no mark: the seat is sold twice over, and one buyer must be paid back', async () => {
    const { order, nextStatus, answer } = await sweptMeanwhile([NOT_MARKED]);
    expect(nextStatus).toBe(200);
    expect(answer).toMatchObject({ verdict: { code: 'hold_ended' }, paid: true });
    expect(chargesOf(world, order)).toBe(1);
    await refunded(world, order);
  });
});

describe('the time of the hold is over while PortOne works', () => {
  const NOT_LONGER: Edit = {
    file: 'begin_charge',
    from: 'greatest(h.expires_at, $4::timestamptz)',
    to: "greatest(h.expires_at, $4::timestamptz - interval '1 day')",
  };

  /** The bank takes longer than the buyer was given. */
  async function overMeanwhile(edits: Edit[]) {
    const event = await world.event(1, { holdSeconds: 30 });
    const [order, next] = await world.orders(event, 2);
    if (!order || !next) throw new Error('no orders');
    const token = await authenticate(world, order);
    const halted = new HaltedCharge();
    const ask = await openDesk({ edits }, halted.change);
    const asking = ask(order, token);
    await halted.reached.opened;
    const later = new Date(Date.now() + 40_000);
    await sweep({ ...world.service.dependencies, clock: { now: () => later } }, 10);
    const nextStatus = (await world.confirm(next)).status;
    halted.go.open();
    return { event, order, nextStatus, answer: await asking };
  }

  test('the hold was made longer for the charge, and the seat is kept', async () => {
    const { event, nextStatus, answer } = await overMeanwhile([]);
    expect(nextStatus).toBe(409);
    expect(answer).toMatchObject({ verdict: { code: 'confirmed' }, paid: true });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('CONTROL not made longer: the seat is given away, and then the buyer is charged', async () => {
    const { order, nextStatus, answer } = await overMeanwhile([NOT_LONGER]);
    expect(nextStatus).toBe(200);
    expect(answer).toMatchObject({ verdict: { code: 'hold_ended' }, paid: true });
    expect(chargesOf(world, order)).toBe(1);
    await refunded(world, order);
  });

  test('a hold that lasts longer than any charge is not made shorter', async () => {
    const event = await world.event(1, { holdSeconds: 3_000 });
    const order = await world.order(event);
    const ask = await openDesk();
    const answer = await ask(order, await authenticate(world, order));
    const { holdExpiresAt } = answer.verdict as Confirmed;
    expect(Date.parse(holdExpiresAt)).toBeGreaterThan(Date.now() + 2_900_000);
  });
});

describe('nobody knows what became of a charge whose hold has ended', () => {
  test('unknown while it may still come; then not charged, and it is not asked for again', async () => {
    const { order } = await lastSeat();
    const token = await authenticate(world, order);
    const silent = (): Partial<PaymentApi> => ({
      confirm: async () => {
        throw new Error('lost on the way');
      },
    });
    const lost = await openDesk({}, silent, { askAgainForMs: 0 });
    expect(await lost(order, token)).toMatchObject({ paid: null });
    await world.call('POST', `/api/orders/${order.merchantUid}/cancel`);
    const soon = await openDesk();
    expect(await soon(order, token)).toMatchObject({ verdict: { code: 'timed_out' }, paid: null });
    const later = await openDesk({}, undefined, { chargeMaxMs: 0 });
    expect(await later(order, token)).toMatchObject({
      verdict: { code: 'hold_ended' },
      paid: false,
    });
    expect(chargesOf(world, order)).toBe(0);
  });
});

describe('the same charge asked for several times at once', () => {
  const CALLS = 6;

  async function together(change: (api: PaymentApi) => Partial<PaymentApi>, pgDelayMs = 300) {
    const { event, order } = await lastSeat();
    const token = await authenticate(world, order, { pgDelayMs });
    const asked: { keys: Set<string>; answers: string[] } = { keys: new Set(), answers: [] };
    const watched = (api: PaymentApi): Partial<PaymentApi> => {
      const changed = { ...api, ...change(api) };
      return {
        confirm: async (wish) => {
          asked.keys.add(wish.key);
          const result = (await changed.confirm?.(wish)) ?? { outcome: 'already_paid' };
          asked.answers.push(result.outcome);
          return result;
        },
      };
    };
    const desks = await Promise.all([openDesk({}, watched), openDesk({}, watched)]);
    const answers = await Promise.all(
      Array.from({ length: CALLS }, (_, n) => desks[n % 2]?.(order, token)),
    );
    return { event, order, answers, ...{ asked } };
  }

  test('one charge, one hold, and the same answer for all', async () => {
    const { event, order, answers, asked } = await together(() => ({}));
    expect(asked.keys.size).toBe(1);
    expect(new Set(asked.answers)).toEqual(new Set(['paid']));
    const told = answers.map((answer) => ({ verdict: answer?.verdict, paidAt: answer?.paidAt }));
    expect(answers.every((answer) => answer?.paid === true)).toBe(true);
    expect(new Set(told.map((t) => JSON.stringify(t))).size).toBe(1);
    expect(chargesOf(world, order)).toBe(1);
    const holds = await world.sql(
      'SELECT 1 FROM holds h JOIN events e ON e.id = h.event_id WHERE e.slug = $1',
      event,
    );
    expect(holds).toHaveLength(1);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('CONTROL a new key for each call: PortOne is made to charge again, and must refuse', async () => {
    let calls = 0;
    // The bank is still at it when the second call has been refused, however slow that is.
    const pgDelayMs = 5_000;
    const { event, order, answers, asked } = await together(
      (api) => ({
        confirm: async (wish) => {
          calls += 1;
          const key = `${wish.key.slice(0, 200)}-${calls}`;
          return (await api.confirm?.({ ...wish, key })) ?? { outcome: 'already_paid' };
        },
      }),
      pgDelayMs,
    );
    // Only PortOne's own guard stands between the buyer and a second charge.
    expect(asked.answers.some((outcome) => outcome !== 'paid')).toBe(true);
    expect(chargesOf(world, order)).toBe(1);
    // Its refusal of the second ended the hold under the first: anybody might have had the seat.
    expect((await moves(world, event)).map((move) => move.reason)).toContain('payment_failed');
    expect(new Set(answers.map((answer) => answer?.verdict.code)).size).toBeGreaterThan(1);
  });
});

describe('a refusal that answers a repeat of what was paid', () => {
  const END_ANY_STATE: Edit = {
    file: 'end_holds',
    from: 'h.state = ANY ($9::text[])',
    to: '$9::text[] IS NOT NULL',
  };
  const FIND_ANY_STATE: Edit = {
    file: 'find_refused_hold',
    from: "h.state = 'held'",
    to: "h.state <> 'ended'",
  };
  const USED_UP: PaymentApi['confirm'] = async () => ({
    outcome: 'refused',
    type: 'INVALID_PAYMENT_TOKEN',
    message: 'the token was used',
  });

  /** The first call was carried out; whoever sent it died, and its key is forgotten. */
  async function paidUnheard(order: OrderView): Promise<Authentication> {
    const token = await authenticate(world, order);
    const unheard = (api: PaymentApi): Partial<PaymentApi> => ({
      confirm: async (wish) => {
        await api.confirm?.(wish);
        throw new Error('died');
      },
      read: async () => null,
    });
    const died = await openDesk({}, unheard, { askAgainForMs: 0 });
    expect(await died(order, token)).toMatchObject({ paid: null });
    expect(chargesOf(world, order)).toBe(1);
    return token;
  }

  test('the payment is read back, found paid, and sold', async () => {
    const { event, order } = await lastSeat();
    const token = await paidUnheard(order);
    const ask = await openDesk({}, () => ({ confirm: USED_UP }));
    expect(await ask(order, token)).toMatchObject({ verdict: { code: 'confirmed' }, paid: true });
    expect((await seen(world, order)).status).toBe('paid');
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('CONTROL not read back: the seat of a buyer who has paid is given away', async () => {
    const { order, next } = await lastSeat();
    const token = await paidUnheard(order);
    const ask = await openDesk({}, () => ({ confirm: USED_UP, read: async () => null }));
    expect(await ask(order, token)).toMatchObject({ verdict: { code: 'invalid_request' } });
    expect((await world.confirm(next)).status).toBe(200);
    expect((await seen(world, order)).seats).toEqual([]);
    expect(books(world, order)).toMatchObject([{ kept: order.amount }]);
  });

  /** The books still said nothing; before the hold is ended, a webhook sells it. */
  async function soldMeanwhile(edits: Edit[]) {
    const { event, order } = await lastSeat();
    const token = await paidUnheard(order);
    const ending = new Halt('end_holds');
    const ask = await openDesk({ before: ending.at, edits }, () => ({
      confirm: USED_UP,
      read: async () => null,
    }));
    const asking = ask(order, token);
    await ending.reached.opened;
    const d = world.service.dependencies;
    const { merchantUid } = order;
    const paid = await d.portone
      .api('v2')
      ?.read({ gateway: 'v2', paymentId: token.txId, merchantUid });
    if (!paid) throw new Error('not paid');
    expect(await settlePayment(d, paid)).toBe('sold');
    ending.go.open();
    await asking;
    return { event, order };
  }

  test('a seat that was sold in between stays sold', async () => {
    const { event, order } = await soldMeanwhile([]);
    expect((await seen(world, order)).status).toBe('paid');
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('CONTROL no look at the state: a sold seat goes back on sale', async () => {
    const { event } = await soldMeanwhile([END_ANY_STATE, FIND_ANY_STATE]);
    expect(await world.seats(event)).toMatchObject({ available: 1, sold: 0 });
    expect(await world.audit(event)).toMatchObject({ clean: false });
  });
});

describe('two attempts of one order at once', () => {
  const ANY_ATTEMPT: Edit = {
    file: 'find_refused_hold',
    from: /AND NOT EXISTS \([\s\S]+/,
    to: '',
  };

  /** The first is at PortOne; the second takes the hold over and is not approved. */
  async function secondRefused(edits: Edit[]) {
    const at = await lastSeat();
    const first = await authenticate(world, at.order);
    const second = await authenticate(world, at.order, { buyer: 'decline' });
    const halted = new HaltedCharge();
    const askFirst = await openDesk({}, halted.change);
    const asking = askFirst(at.order, first);
    await halted.reached.opened;
    const askSecond = await openDesk({ edits });
    const refused = await askSecond(at.order, second);
    expect(refused).toMatchObject({ verdict: { code: 'hold_ended' }, paid: false });
    const nextStatus = (await world.confirm(at.next)).status;
    halted.go.open();
    return { ...at, nextStatus, answer: await asking };
  }

  test('the seat is kept for the one that may yet be charged', async () => {
    const { event, order, nextStatus, answer } = await secondRefused([]);
    expect(nextStatus).toBe(409);
    expect(answer).toMatchObject({ verdict: { code: 'confirmed' }, paid: true });
    expect((await seen(world, order)).status).toBe('paid');
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('CONTROL no look at the other attempt: its seat is gone when it is charged', async () => {
    const { order, nextStatus, answer } = await secondRefused([ANY_ATTEMPT]);
    expect(nextStatus).toBe(200);
    expect(answer).toMatchObject({ verdict: { code: 'hold_ended' }, paid: true });
    await refunded(world, order);
  });

  test('both are refused: the seat goes back with the second refusal, whichever that is', async () => {
    const { event, order } = await lastSeat();
    const first = await authenticate(world, order, { buyer: 'decline' });
    const second = await authenticate(world, order, { buyer: 'decline' });
    const halted = new HaltedCharge();
    const askFirst = await openDesk({}, halted.change);
    const asking = askFirst(order, first);
    await halted.reached.opened;
    const askSecond = await openDesk();
    await askSecond(order, second);
    expect(await world.seats(event)).toMatchObject({ held: 1 });
    halted.go.open();
    expect(await asking).toMatchObject({ verdict: { code: 'hold_ended' }, paid: false });
    expect(await world.seats(event)).toMatchObject({ available: 1 });
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });
});

describe('the process dies when the charge was carried out, before it knows', () => {
  /** It is killed between the charge and its answer, and no webhook ever comes. */
  async function diesUnknowing() {
    const event = await world.event(1, { holdSeconds: 60 });
    const [order, next] = await world.orders(event, 2);
    if (!order || !next) throw new Error('no orders');
    const token = await authenticate(world, order);
    const api = await startProcess({ ...world.env, ROLE: 'api' });
    const charge = world.sandbox.faults.at('v2', 'confirm', { answer: 'hang' });
    const asking = fetch(
      `${(api.url ?? '').replace('localhost', '127.0.0.1')}/api/payments/${order.merchantUid}/confirm`,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${world.env.API_KEY}`,
        },
        body: JSON.stringify({ paymentToken: token.paymentToken, txId: token.txId }),
      },
    ).catch(() => null);
    await charge.carriedOut;
    expect(chargesOf(world, order)).toBe(1);
    await api.kill('SIGKILL');
    charge.release('lost');
    expect(await asking).toBeNull();
    return { event, order, next, token };
  }

  /** A charge keeps its hold for minutes, which nobody waits for here. */
  async function timeIsOver(order: OrderView): Promise<void> {
    await world.sql(
      `UPDATE holds SET expires_at = now() - interval '1 s'
        WHERE order_id = (SELECT id FROM orders WHERE merchant_uid = $1)`,
      order.merchantUid,
    );
  }

  test('the seat is kept until PortOne is asked, and sold', async () => {
    const { event, order, next } = await diesUnknowing();
    const away = world.sandbox.faults.rest({ kind: 'error', endpoint: 'payment' });
    await timeIsOver(order);
    expect((await world.confirm(next)).status).toBe(409);
    away();
    await becomes(world, order, 'paid');
    expect(books(world, order)).toMatchObject([{ kept: order.amount }]);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('whoever repeats the request is told that it was paid', async () => {
    const { event, order, token } = await diesUnknowing();
    const again = await confirmByHand(world, order, token);
    expect(again).toMatchObject({ status: 200, body: { code: 'confirmed', paid: true } });
    expect(chargesOf(world, order)).toBe(1);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });

  test('CONTROL released without asking: the money is here and the seat is gone', async () => {
    const { order, next } = await diesUnknowing();
    const d = world.service.dependencies;
    const later = new Date(Date.now() + longestChargeMs(d.config.portone));
    const nobody: PortOne = { api: () => undefined };
    await sweep({ ...d, portone: nobody, clock: { now: () => later } }, 10);
    expect((await world.confirm(next)).status).toBe(200);
    expect(books(world, order)).toMatchObject([{ kept: order.amount }]);
    expect((await seen(world, order)).seats).toEqual([]);
  });
});
