import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProcess } from '../support/service-process.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, openWorld, type World } from '../support/world.ts';

const BUYERS = 600;

describe.each(CARRIERS)('the api process is killed with answers under way, on %s', (carrier) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ carrier });
  });
  afterAll(() => world?.close());

  test('every seat whose 200 was heard is kept; no hold stays that no 200 was written for', async () => {
    const api = await startProcess({ ...world.env, ROLE: 'api' });
    const event = await world.event(BUYERS);
    const orders = await world.orders(event, BUYERS);
    const origin = (api.url ?? '').replace('localhost', '127.0.0.1');
    const heard: string[] = [];
    const asked = orders.map(async (order, index) => {
      const url = `${origin}${new URL(order.confirmUrl).pathname}${new URL(order.confirmUrl).search}`;
      const body = {
        imp_uid: `killed-${index}`,
        merchant_uid: order.merchantUid,
        amount: order.amount,
      };
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (response.status === 200) heard.push(order.merchantUid);
    });
    const allSettled = Promise.allSettled(asked);
    await until('some have been answered', () => heard.length >= 100);
    await api.kill('SIGKILL');
    await allSettled;

    await until('unanswered holds ended', async () => {
      const rows = await world.sql<{ open: number }>(
        `SELECT count(*)::int AS open FROM holds WHERE state = 'held' AND answered_at IS NULL`,
      );
      return rows[0]?.open === 0;
    });
    const held = await world.sql<{ merchantUid: string }>(
      `SELECT o.merchant_uid AS "merchantUid" FROM holds h JOIN orders o ON o.id = h.order_id
        WHERE h.state = 'held'`,
    );
    console.log(`${carrier}: ${heard.length} heard, ${held.length} kept of ${BUYERS}`);
    const kept = new Set(held.map((row) => row.merchantUid));
    expect(heard.filter((order) => !kept.has(order))).toEqual([]);
    expect(await world.audit(event)).toMatchObject({ clean: true });
  });
});
