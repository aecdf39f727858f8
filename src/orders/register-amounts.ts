// Tells PortOne the amount of new orders, so that a tampered one never opens a payment window.

import pLimit from 'p-limit';
import type { Log } from '../log.ts';
import { GATEWAYS } from '../portone/gateway.ts';
import type { PortOne } from '../portone/portone.ts';
import type { OrderRow } from './create-orders.ts';

const CONCURRENT_MAX = 8;
/** Some minutes of work while PortOne is slow; what comes beyond it is not registered. */
const WAITING_MAX = 10_000;

/** Not waited for: the amount is compared again at confirm and at settlement. */
export function registerAmounts(portone: PortOne, log: Log): (orders: OrderRow[]) => void {
  const turn = pLimit(CONCURRENT_MAX);
  return (orders) => {
    const apis = GATEWAYS.flatMap((gateway) => portone.api(gateway) ?? []);
    const wanted = orders
      .filter(({ status }) => status === 'pending')
      .flatMap((order) => apis.map((api) => ({ api, order })));
    const taken = wanted.slice(0, Math.max(0, WAITING_MAX - turn.pendingCount));
    if (taken.length < wanted.length) {
      const line = { calls: wanted.length - taken.length };
      log.warn(line, 'amounts not registered with PortOne: too many wait');
    }
    const failures: { merchantUid: string; error: string }[] = [];
    const calls = taken.map(({ api, order: { merchantUid, amount, currency } }) =>
      turn(() => api.register(merchantUid, amount, currency)).catch((error: Error) => {
        failures.push({ merchantUid, error: error.message });
      }),
    );
    // One line for all of them: while PortOne is away every order fails for the same reason.
    void Promise.all(calls).then(() => {
      const [first] = failures;
      if (!first) return;
      log.warn({ ...first, calls: failures.length }, 'amount not registered with PortOne');
    });
  };
}
