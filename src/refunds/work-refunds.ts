// Carries refunds out: each is tried by one process at a time, until it is done or a person must look.

import { loadSql } from '../db/sql.ts';
import { GatewayUnreachable } from '../portone/payment.ts';
import { putOff } from './put-off.ts';
import { type ClaimedRefund, type RefundOptions, tryRefund } from './try-refund.ts';

const sql = loadSql('claim_refunds');

const CONCURRENT_MAX = 8;

/** @returns how many were tried */
export async function workRefunds(options: RefundOptions, limit: number): Promise<number> {
  let tried = 0;
  while (tried < limit) {
    const wanted = Math.min(CONCURRENT_MAX, limit - tried);
    // No more than are worked at once: none waits in line while its claim runs out.
    const claimed = await claim(options, wanted, null);
    await Promise.all(claimed.map((refund) => attempt(options, refund)));
    tried += claimed.length;
    if (claimed.length < wanted) break;
  }
  return tried;
}

/** @returns false where it is not due, or somebody else is trying it */
export async function workRefund(options: RefundOptions, id: number): Promise<boolean> {
  const [refund] = await claim(options, 1, id);
  if (refund) await attempt(options, refund);
  return refund !== undefined;
}

function claim(
  { database, clock, config }: RefundOptions,
  limit: number,
  only: number | null,
): Promise<ClaimedRefund[]> {
  const now = clock.now();
  return database.query(
    sql,
    now,
    limit,
    new Date(now.getTime() + claimMs(config.portone.timeoutMs)),
    only,
  );
}

/**
 * Longer than PortOne can take to answer one cancellation: V1 may need a new token first, at three
 * tries, twice over, and the call itself is sent twice then. The claim is taken anew just before
 * that call, so that what came earlier in the try does not count.
 */
export function claimMs(callTimeoutMs: number): number {
  return 8 * callTimeoutMs + 2_000;
}

async function attempt(options: RefundOptions, refund: ClaimedRefund): Promise<void> {
  const { log } = options;
  const { id, paymentId } = refund;
  try {
    const outcome = await tryRefund(
      options,
      refund,
      claimMs(options.config.portone.timeoutMs),
    ).catch((error: unknown) => {
      if (error instanceof GatewayUnreachable) {
        return { kind: 'away', message: error.message } as const;
      }
      throw error;
    });
    if (outcome.kind === 'closed') {
      log.info({ refundId: id, paymentId, amount: refund.amount }, 'refunded');
    } else {
      await putOff(options, refund, outcome);
    }
  } catch (error) {
    // Ours, not PortOne's: what was claimed falls due again by itself.
    log.warn({ refundId: id, paymentId, error: (error as Error).message }, 'refund kept');
  }
}
