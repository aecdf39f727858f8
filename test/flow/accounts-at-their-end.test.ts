// An account that nobody can pay into any more keeps no order open, whether or not PortOne says so.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { becomes, inboxEmpty, pay } from '../support/buyer.ts';
import { authenticate, confirmByHand } from '../support/manual.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';

const dialect = 'v2-2024-04-25';
let world: World;

beforeAll(async () => {
  world = await openWorld({ carrier: 'redis', env: { RECONCILE_SETTLE_MS: '0' } });
});
afterAll(() => world?.close());

test.each(['failed', 'cancelled'] as const)(
  'V2 calls it %s, and tells of a paid attempt only: the ledger is closed',
  async (closedAs) => {
    const event = await world.event(2, { virtualAccounts: { policy: 'forbid' } });
    const order = await world.order(event);
    const account = await authenticate(world, order, { dialect, method: 'vbank', closedAs });
    await confirmByHand(world, order, account);
    const status = 'SELECT status FROM payments WHERE payment_id = $1';
    await until('the account is closed', async () => {
      const [row] = await world.sql<{ status: string }>(status, account.paymentId);
      return row?.status === 'failed';
    });
    await pay(world, order, { dialect });
    await becomes(world, order, 'paid');
    await inboxEmpty(world, order);
    const { body: report } = await world.call('POST', `/api/events/${event}/reconcile`, {});
    expect(report).toMatchObject({ findings: [], agree: true });
    const { body: ledger } = await world.call('GET', `/api/orders/${order.merchantUid}/ledger`);
    expect(ledger).toMatchObject({ balance: 0, openCases: 0, closed: true });
  },
);

test.each([
  ['v2-2024-04-25', 'closed, for V2 lets one attempt succeed', true],
  ['v1', 'open, for its money may come', false],
] as const)(
  '%s beside a paid attempt an account leaves the ledger %s',
  async (version, _, closed) => {
    const event = await world.event(2, { virtualAccounts: { policy: 'allow' } });
    const order = await world.order(event);
    const account = await pay(world, order, { dialect: version, method: 'vbank' });
    const status = 'SELECT status FROM payments WHERE payment_id = $1';
    await until('the account is on record', async () => {
      const [row] = await world.sql<{ status: string }>(status, account.paymentId);
      return row?.status === 'waiting_deposit';
    });
    await pay(world, order, { dialect: version });
    await becomes(world, order, 'paid');
    await inboxEmpty(world, order);
    const { body: ledger } = await world.call('GET', `/api/orders/${order.merchantUid}/ledger`);
    expect(ledger).toMatchObject({ balance: 0, openCases: 0, closed });
  },
);
