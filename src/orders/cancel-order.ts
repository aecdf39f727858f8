// The organizer calls an order off: its seats go back, and it can never be confirmed again.

import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { StaleRead } from '../faults/database-errors.ts';
import { endHolds } from '../seats/end-holds.ts';

export type CancelOrderResult =
  | { ok: true; released: string[] }
  | { ok: false; reason: 'unknown_order' }
  /** Its money must go back first. */
  | { ok: false; reason: 'paid' };

/** A payment that comes all the same finds the order closed and is refunded. */
export async function cancelOrder(
  { database, clock }: { database: Database; clock: Clock },
  merchantUid: string,
): Promise<CancelOrderResult> {
  return database.transaction(async (tx) => {
    const order = await tx.order.findUnique({
      where: { merchantUid },
      include: { holds: { where: { state: { not: 'ended' } } } },
    });
    if (!order) return { ok: false, reason: 'unknown_order' };
    if (order.status === 'paid' || order.status === 'refunded')
      return { ok: false, reason: 'paid' };
    const freed = await endHolds(tx, {
      holds: order.holds.map(({ id }) => ({ id, paymentId: null })),
      now: clock.now(),
      actor: 'organizer:api',
      reason: 'order_cancelled',
      orderStatus: 'cancelled',
    });
    // Whatever happened to it between the two statements, it is looked at anew.
    const closed = await tx.order.updateMany({
      where: { id: order.id, status: freed.length > 0 ? 'cancelled' : order.status },
      data: { status: 'cancelled' },
    });
    if (closed.count !== 1) throw new StaleRead('order');
    return { ok: true, released: freed.map((seat) => seat.label) };
  });
}
