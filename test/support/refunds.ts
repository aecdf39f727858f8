// What tests of refunds do: sell, ask for money back, and wait for what becomes of it.

import type { RefundView } from '../../src/refunds/view-refund.ts';
import type { PayRequest } from '../../src/sandbox/types.ts';
import { becomes, books, pay } from './buyer.ts';
import { until } from './wait.ts';
import type { HttpResult, OrderView, World } from './world.ts';

export interface Sold {
  event: string;
  order: OrderView;
  paymentId: string;
  /** By rank. */
  seats: string[];
}

/** An order of `quantity` seats at 10,000 won, paid and sold, in an event of `total` seats. */
export async function sell(
  world: World,
  quantity: number,
  how: Partial<PayRequest> & { total?: number; extra?: Record<string, unknown> } = {},
): Promise<Sold> {
  const { total = quantity, extra = {}, ...payment } = how;
  const event = await world.event(total, extra);
  return sellMore(world, event, quantity, payment);
}

export async function sellMore(
  world: World,
  event: string,
  quantity: number,
  how: Partial<PayRequest> = {},
): Promise<Sold> {
  const order = await world.order(event, [{ ticketType: 'ga', quantity }]);
  const { paymentId } = await pay(world, order, how);
  if (how.method === 'vbank') world.sandbox.deposit(paymentId);
  const view = await becomes(world, order, 'paid');
  return { event, order, paymentId, seats: view.seats.map((seat) => seat.label) };
}

export function askRefund(
  world: World,
  { merchantUid }: { merchantUid: string },
  body: Record<string, unknown> = {},
): Promise<HttpResult> {
  return world.call('POST', `/api/orders/${merchantUid}/refunds`, { reason: 'asked', ...body });
}

export async function refundOf(world: World, id: number): Promise<RefundView> {
  return (await world.call('GET', `/api/refunds/${id}`)).body;
}

export function refundBecomes(
  world: World,
  id: number,
  state: string,
  timeoutMs?: number,
): Promise<RefundView> {
  return until(
    `refund ${id} is ${state}`,
    async () => {
      const view = await refundOf(world, id);
      return view.state === state && view;
    },
    timeoutMs,
  );
}

/** Waits until it was tried, and is left for later for this reason. */
export function refundIsPutOff(world: World, id: number, why: RegExp): Promise<RefundView> {
  return until(`refund ${id} is put off: ${why}`, async () => {
    const view = await refundOf(world, id);
    return view.lastError !== null && why.test(view.lastError) && view;
  });
}

/**
 * Its next try is due now, however long it was to wait, and whatever was asked for is over. Whoever
 * has it at work loses it.
 */
export async function hurry(world: World, id: number): Promise<void> {
  await world.sql(
    `UPDATE refunds SET next_try_at = now(), in_doubt_until = least(in_doubt_until, now())
      WHERE id = $1 AND state = 'requested'`,
    id,
  );
}

/** Hurried once for each try that has ended, until it comes to that; nobody loses it at work. */
export function hurriedUntil<T>(
  world: World,
  id: number,
  moment: string,
  probe: () => Promise<T | null | undefined | false> | T | null | undefined | false,
): Promise<T> {
  return until(moment, async () => {
    // Told by each try that ends, and wiped here.
    await world.sql(
      `UPDATE refunds SET next_try_at = now(), in_doubt_until = least(in_doubt_until, now()),
                          last_error = NULL
        WHERE id = $1 AND state = 'requested' AND last_error IS NOT NULL`,
      id,
    );
    return probe();
  });
}

/** What the gateway gave back of the order's one payment: each cancellation's amount. */
export function givenBack(world: World, order: OrderView): number[] {
  return books(world, order).flatMap((payment) => payment.cancellations.map((c) => c.amount));
}

export function steps(world: World, paymentId: string): Promise<string[]> {
  return world
    .sql<{ step: string }>(
      'SELECT step FROM payment_steps WHERE payment_id = $1 ORDER BY id',
      paymentId,
    )
    .then((rows) => rows.map((row) => row.step));
}
