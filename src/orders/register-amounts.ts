// Tells PortOne the amount of new orders, so that a tampered one never opens a payment window.

import pLimit from 'p-limit';
import type { Log } from '../log.ts';
import type { Gateway } from '../portone/gateway.ts';
import type { PortOne } from '../portone/portone.ts';
import type { OrderRow } from './create-orders.ts';

const CONCURRENT_MAX = 8;
const GATEWAYS: Gateway[] = ['v1', 'v2'];

/** Not waited for: the amount is compared again at confirm and at settlement. */
export function registerAmounts(portone: PortOne, log: Log): (orders: OrderRow[]) => void {
  const turn = pLimit(CONCURRENT_MAX);
  return (orders) => {
    for (const order of orders.filter((o) => o.status === 'pending')) {
      for (const api of GATEWAYS.flatMap((gateway) => portone.api(gateway) ?? [])) {
        turn(() => api.register(order.merchantUid, order.amount, order.currency)).catch(
          (error: Error) => {
            const line = { merchantUid: order.merchantUid, error: error.message };
            log.warn(line, 'amount not registered with PortOne');
          },
        );
      }
    }
  };
}
