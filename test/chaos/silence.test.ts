// Whole sales during which PortOne cannot be reached, or never sends a webhook: all ends right.

import { afterEach, describe, expect, test } from 'vitest';
import { expectAgreement, runMixedSale } from '../support/mixed-sale.ts';
import { until } from '../support/wait.ts';
import { CARRIERS, openWorld, type World } from '../support/world.ts';

const TEST_MS = 240_000;
const REST_MS = 120_000;
const ROUNDS = 6;

describe.each(CARRIERS)('a sale in silence (queue on %s)', (carrier) => {
  let world: World;
  afterEach(() => world?.close());

  const open = async (env: Record<string, string>) => {
    world = await openWorld({
      carrier,
      env: {
        SWEEP_INTERVAL_MS: '200',
        PORTONE_TEST_PAYMENTS: 'refuse',
        PAYMENT_CHECK_AFTER_MS: '1000',
        ...env,
      },
    });
    const virtualAccounts = { policy: 'allow' };
    return world.event(ROUNDS * 6, { holdSeconds: 2, virtualAccounts });
  };

  test(
    'PortOne unreachable throughout: confirms go on, nothing is released, all settles after',
    async () => {
      const event = await open({});
      await world.sandbox.faults.unplug();
      const told = await runMixedSale(world, event, ROUNDS);
      await until('every hold is overdue and was asked about', async () => {
        const [row] = await world.sql<{ n: number }>(
          "SELECT count(*)::int AS n FROM holds WHERE state = 'held' AND (asks = 0 OR expires_at > now())",
        );
        return row?.n === 0;
      });
      const confirmed = world.sandbox.books().totals.confirmsAnswered200;
      expect(confirmed).toBe(ROUNDS * 6);
      // Every 200 still has its seat: any of them may have been paid.
      expect(await world.seats(event)).toMatchObject({ held: ROUNDS * 6, available: 0 });
      const [released] = await world.sql<{ n: number }>(
        "SELECT count(*)::int AS n FROM moves WHERE to_state = 'available'",
      );
      expect(released).toEqual({ n: 0 });
      await world.sandbox.faults.plugIn();
      await expectAgreement(world, event, told, REST_MS);
    },
    TEST_MS,
  );

  test(
    'no webhook at all: expiry and reconciliation alone end every order right',
    async () => {
      const event = await open({ RECONCILE_INTERVAL_MS: '1000', RECONCILE_SETTLE_MS: '0' });
      world.sandbox.faults.webhooksSilenced = true;
      const told = await runMixedSale(world, event, ROUNDS);
      await expectAgreement(world, event, told, REST_MS);
      const [stored] = await world.sql<{ n: number }>('SELECT count(*)::int AS n FROM webhooks');
      expect(stored).toEqual({ n: 0 });
      expect(world.sandbox.books().totals.everPaid).toBeGreaterThan(ROUNDS * 4);
    },
    TEST_MS,
  );
});
