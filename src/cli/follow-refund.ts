// Carries one refund out and watches it, whether this process does it or the service was faster.

import { setTimeout as pause } from 'node:timers/promises';
import { TAKEN } from '../payments/refund-waits.ts';
import type { RefundOptions } from '../refunds/try-refund.ts';
import { workRefund } from '../refunds/work-refunds.ts';

/** A refund takes a second; what takes longer is left to the service. */
const WATCH_MS = 30_000;
const LOOK_EVERY_MS = 250;

/** @param tell each new thing that is known about it */
export async function followRefund(
  options: RefundOptions,
  id: number,
  tell: (line: string) => void,
): Promise<void> {
  const until = Date.now() + WATCH_MS;
  let told = '';
  for (;;) {
    await workRefund(options, id);
    const refund = await options.database.prisma.refund.findUnique({
      where: { id },
      select: { state: true, tries: true, lastError: true },
    });
    if (refund?.state !== 'requested') return;
    const { tries, lastError } = refund;
    const line = lastError ? `Try ${tries}: ${lastError}` : `Try ${tries}: PortOne is being asked`;
    if (line !== told) tell(line);
    told = line;
    if (lastError === TAKEN || Date.now() > until) return;
    await pause(LOOK_EVERY_MS);
  }
}
