// Verdict or void: the answer of a request, its time-out and the caller who hangs up meet in the
// database. Each guard is taken out once to show what it prevents.

import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Confirmed, Verdict } from '../../src/confirm/verdict.ts';
import { VerdictOrVoid } from '../../src/confirm/verdict-or-void.ts';
import type { Database } from '../../src/db/database.ts';
import { loadSql } from '../../src/db/sql.ts';
import { sweep } from '../../src/expiry/sweep.ts';
import { request, Sale, type SaleOptions, silentLog, withoutGateway } from '../support/sale.ts';
import { type Edit, Halt, tamper } from '../support/tamper.ts';

let opened: Sale | undefined;
afterEach(() => opened?.close());

async function openSale(options: Partial<SaleOptions> = {}): Promise<Sale> {
  opened = await Sale.open({ seats: 1, orders: 2, ...options });
  return opened;
}

const answers = (database: Database, clock = systemClock) =>
  new VerdictOrVoid(database, clock, silentLog, 1_000);

async function orderId(sale: Sale, merchantUid: string): Promise<number> {
  const sql = 'SELECT id FROM orders WHERE merchant_uid = $1';
  return (await sale.rows<{ id: number }>(sql, merchantUid))[0]?.id ?? 0;
}

async function timeOut(sale: Sale, database: Database, n: number): Promise<Verdict> {
  return answers(database).settle({
    request: request(`order-${n}`, `pay-${n}`),
    eventId: sale.eventId,
    orderId: await orderId(sale, `order-${n}`),
    code: 'timed_out',
  });
}

describe('the record of a time-out against the verdict', () => {
  const PK_GONE = 'ALTER TABLE verdicts DROP CONSTRAINT verdicts_pkey';
  const NO_CONFLICT: Edit = {
    file: 'record_no_verdict',
    from: 'ON CONFLICT (payment_id) DO NOTHING',
    to: '',
  };

  test('the verdict commits first: it is the answer', async () => {
    const sale = await openSale();
    const halt = new Halt('write_batch');
    const deciding = sale.decide(
      [request('order-1', 'pay-1')],
      tamper(sale.database, { after: halt.at }),
    );
    await halt.reached.opened;
    const settling = timeOut(sale, sale.another(), 1);
    await sale.untilWaiting();
    halt.go.open();
    const [verdict] = await deciding;
    expect(verdict?.code).toBe('confirmed');
    expect(await settling).toEqual(verdict);
  });

  test('CONTROL no key: told "timed out" while a hold lives', async () => {
    const sale = await openSale({ without: [PK_GONE] });
    const halt = new Halt('write_batch');
    const deciding = sale.decide(
      [request('order-1', 'pay-1')],
      tamper(sale.database, { after: halt.at }),
    );
    await halt.reached.opened;
    const told = await timeOut(sale, tamper(sale.another(), { edits: [NO_CONFLICT] }), 1);
    halt.go.open();
    expect((await deciding)[0]?.code).toBe('confirmed');
    expect(told.code).toBe('timed_out');
    expect(await sale.count("holds WHERE state = 'held'")).toBe(1);
  });

  test('the time-out commits first: the worker seats nobody', async () => {
    const sale = await openSale();
    const halt = new Halt('write_batch');
    const deciding = sale.decide(
      [request('order-1', 'pay-1'), request('order-2', 'pay-2')],
      tamper(sale.database, { before: halt.at }),
    );
    await halt.reached.opened;
    expect((await timeOut(sale, sale.another(), 1)).code).toBe('timed_out');
    halt.go.open();
    // The seat goes to the next in line, in the same batch.
    expect((await deciding).map((v) => v.code)).toEqual(['timed_out', 'confirmed']);
    expect(await sale.orderStatus('order-1')).toBe('pending');
    expect(await sale.audit()).toMatchObject({ clean: true });
  });

  test('CONTROL no key: the worker seats somebody who was told "timed out"', async () => {
    const sale = await openSale({ without: [PK_GONE] });
    const halt = new Halt('write_batch');
    const deciding = sale.decide(
      [request('order-1', 'pay-1')],
      tamper(sale.database, { before: halt.at }),
    );
    await halt.reached.opened;
    await timeOut(sale, tamper(sale.another(), { edits: [NO_CONFLICT] }), 1);
    halt.go.open();
    expect((await deciding)[0]?.code).toBe('confirmed');
    expect(await sale.count("verdicts WHERE payment_id = 'pay-1'")).toBe(2);
  });

  test('a batch against time-outs of its payments in the opposite order: no deadlock', async () => {
    const sale = await openSale({ seats: 3, orders: 3 });
    const before = await deadlocks(sale);
    // Somebody else holds the middle one, so that the batch stops in the midst of its verdicts.
    const holder = await sale.database.pool.connect();
    await holder.query('BEGIN');
    await holder.query(
      `INSERT INTO verdicts (payment_id, gateway, event_id, order_id, code, decided_at)
       SELECT 'pay-2', 'v1', event_id, id, 'timed_out', now() FROM orders
        WHERE merchant_uid = 'order-2'`,
    );
    const ids = await sale.rows<{ id: number }>('SELECT id FROM orders ORDER BY id');
    const deciding = sale.decide([3, 2, 1].map((n) => request(`order-${n}`, `pay-${n}`)));
    await sale.untilWaiting();
    const rows = [1, 3].map((n) => ({
      paymentId: `pay-${n}`,
      gateway: 'v1',
      eventId: sale.eventId,
      orderId: ids[n - 1]?.id,
      code: 'timed_out',
    }));
    const settling = sale
      .another()
      .query(loadSql('record_no_verdict'), JSON.stringify(rows), new Date())
      .then((written) => written);
    await sale.untilWaiting(2);
    await holder.query('ROLLBACK');
    holder.release();
    expect((await deciding).map((v) => v.code)).toEqual(['confirmed', 'confirmed', 'confirmed']);
    expect(await settling).toEqual([]);
    expect(await deadlocks(sale)).toBe(before);
    expect(await sale.audit()).toMatchObject({ clean: true });
  });
});

async function deadlocks(sale: Sale): Promise<number> {
  const sql = 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()';
  // Counters reach the view when a backend is idle for a moment.
  await new Promise((resolve) => setTimeout(resolve, 50));
  return Number((await sale.rows<{ deadlocks: string }>(sql))[0]?.deadlocks);
}

describe('a caller who hangs up against a repeat of the same payment', () => {
  const IGNORE_MARK: Edit = {
    file: 'end_holds',
    from: 'AND (NOT $7::bool OR h.answered_at IS NULL OR h.answered_at = $10::timestamptz)',
    to: 'AND ($7::bool IS NOT NULL OR $10::timestamptz IS NULL)',
  };

  async function confirmedTwice(sale: Sale): Promise<[Confirmed, Confirmed]> {
    const [first] = await sale.decide([request('order-1', 'pay-1')]);
    const [again] = await sale.decide([request('order-1', 'pay-1')], sale.another());
    if (first?.code !== 'confirmed' || again?.code !== 'confirmed') throw new Error('not held');
    expect(again).toEqual(first);
    return [first, again];
  }

  test('the repeat is marked first: the void leaves its hold alone', async () => {
    const sale = await openSale();
    const [first, again] = await confirmedTwice(sale);
    expect(await answers(sale.another()).mark(again, 'pay-1')).not.toBeNull();
    await answers(sale.database).void(first, 'pay-1');
    expect(await sale.count("holds WHERE state = 'held'")).toBe(1);
  });

  test('CONTROL a void that ignores the mark takes the seat behind a 200', async () => {
    const sale = await openSale();
    const [first, again] = await confirmedTwice(sale);
    expect(await answers(sale.another()).mark(again, 'pay-1')).not.toBeNull();
    await answers(tamper(sale.database, { edits: [IGNORE_MARK] })).void(first, 'pay-1');
    expect(await sale.count("holds WHERE state = 'held'")).toBe(0);
  });

  test('the void commits first: the repeat gets no 200', async () => {
    const sale = await openSale();
    const [first, again] = await confirmedTwice(sale);
    await answers(sale.database).void(first, 'pay-1');
    expect(await answers(sale.another()).mark(again, 'pay-1')).toBeNull();
    expect(await sale.seatStates()).toEqual([{ label: 'ga-1', state: 'available' }]);
    const [asked] = await sale.decide([request('order-1', 'pay-1')]);
    expect(asked?.code).toBe('hold_ended');
    expect(await sale.audit()).toMatchObject({ clean: true });
  });

  test('void and mark at once, many times: a 200 exactly where the hold lives', async () => {
    const sale = await openSale({ seats: 60, orders: 60 });
    const numbers = Array.from({ length: 60 }, (_, i) => i + 1);
    const verdicts = await sale.decide(numbers.map((n) => request(`order-${n}`, `pay-${n}`)));
    const [here, there] = [answers(sale.database), answers(sale.another())];
    const marked = await Promise.all(
      verdicts.map(async (verdict, i) => {
        if (verdict.code !== 'confirmed') throw new Error(verdict.code);
        const gone = here.void(verdict, `pay-${i + 1}`);
        const mark = await there.mark(verdict, `pay-${i + 1}`);
        await gone;
        return mark ? verdict.holdId : null;
      }),
    );
    const live = await sale.rows<{ id: string }>("SELECT id FROM holds WHERE state = 'held'");
    expect(live.map((hold) => hold.id).sort()).toEqual(marked.filter((id) => id !== null).sort());
    expect(await sale.audit()).toMatchObject({ clean: true });
  });

  const instant = { now: () => new Date('2026-01-01T00:00:00Z') };

  test('a mark is taken back by the caller who made it', async () => {
    const sale = await openSale();
    const [first] = await confirmedTwice(sale);
    const desk = answers(sale.database, instant);
    const markedAt = await desk.mark(first, 'pay-1');
    await desk.void(first, 'pay-1', markedAt);
    expect(await sale.count("holds WHERE state = 'held'")).toBe(0);
  });

  test('marked by two callers in one batch: one who hangs up does not end it for the other', async () => {
    const sale = await openSale();
    const [first, again] = await confirmedTwice(sale);
    const other = await sale.decide([request('order-2', 'pay-2')]);
    expect(other[0]?.code).toBe('all_held');
    const desk = answers(sale.database, instant);
    // Two marks occupy both places in flight, so that the next two leave together.
    const [, , a, b] = await Promise.all(
      [first, first, first, again].map((v) => desk.mark(v, 'pay-1')),
    );
    expect([a, b]).not.toContain(null);
    await desk.void(first, 'pay-1', a ?? null);
    expect(await sale.count("holds WHERE state = 'held'")).toBe(1);
  });

  test('marked by two processes at the same instant: neither takes it from the other', async () => {
    const sale = await openSale();
    const [first, again] = await confirmedTwice(sale);
    const here = answers(sale.database, instant);
    const there = answers(sale.another(), instant);
    const markedHere = await here.mark(first, 'pay-1');
    expect(await there.mark(again, 'pay-1')).not.toBeNull();
    await here.void(first, 'pay-1', markedHere);
    expect(await sale.count("holds WHERE state = 'held'")).toBe(1);
  });

  test('the sweep ends what nobody was answered for, and only that', async () => {
    const sale = await openSale({ seats: 2 });
    const late = { answerBy: Date.now() - 5_000 };
    const [kept] = await sale.decide([
      request('order-1', 'pay-1', late),
      request('order-2', 'pay-2', late),
    ]);
    if (kept?.code !== 'confirmed') throw new Error('not held');
    await answers(sale.database).mark(kept, 'pay-1');
    expect(await sweep(withoutGateway(sale.another()), 10)).toMatchObject({ unanswered: 1 });
    expect(await sale.orderStatus('order-1')).toBe('held');
    expect(await sale.orderStatus('order-2')).toBe('pending');
  });
});
