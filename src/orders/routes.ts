// The organizer's API for orders: register one or many, look at one.

import Router from '@koa/router';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { readBody } from '../http/body.ts';
import { parse } from '../http/parse.ts';
import { Problem } from '../http/problem.ts';
import { cancelOrder } from './cancel-order.ts';
import { type CreateOrdersResult, createOrders } from './create-orders.ts';
import type { Registrar } from './register-amounts.ts';
import { newOrders } from './schema.ts';
import { viewOrder } from './view-order.ts';

export interface OrderRoutesOptions {
  database: Database;
  clock: Clock;
  bodyMaxBytes: number;
  seatsMax: number;
  /** Where PortOne is to ask about an order, and where to send its webhooks. */
  confirmUrl: (merchantUid: string) => string;
  webhookUrl: () => string;
  /** Tells PortOne the amounts of new orders; absent: it is not told. */
  registrar?: Registrar;
}

export function orderRoutes(options: OrderRoutesOptions): Router {
  const router = new Router({ prefix: '/api/orders' });

  router.post('/', async (ctx) => {
    const wanted = parse(newOrders, (await readBody(ctx, options.bodyMaxBytes)).value);
    const many = Array.isArray(wanted) ? wanted : [wanted];
    const { registrar } = options;
    const tellAt = registrar?.tellAt() ?? null;
    const created = await createOrders(options.database, many, options.seatsMax, tellAt);
    if (!created.ok) throw orderProblem(created, Array.isArray(wanted));
    // Before the answer: no window can open before the order is known here.
    const registered = await registrar?.register(created.orders);
    const views = created.orders.map((order) => ({
      merchantUid: order.merchantUid,
      amount: order.amount,
      currency: order.currency,
      confirmUrl: options.confirmUrl(order.merchantUid),
      webhookUrl: options.webhookUrl(),
      status: order.status,
      ...(registered ? { amountRegistered: registered.has(order.id) } : {}),
    }));
    ctx.status = 201;
    ctx.body = Array.isArray(wanted) ? views : views[0];
  });

  router.post('/:merchantUid/cancel', async (ctx) => {
    const cancelled = await cancelOrder(options, ctx.params.merchantUid ?? '');
    if (!cancelled.ok && cancelled.reason === 'unknown_order') {
      throw new Problem('not_found', 'there is no such order');
    }
    if (!cancelled.ok) throw new Problem('conflict', 'the order is paid; refund it instead');
    ctx.body = { status: 'cancelled', released: cancelled.released };
  });

  router.get('/:merchantUid', async (ctx) => {
    const order = await viewOrder(options.database, ctx.params.merchantUid ?? '');
    if (!order) throw new Problem('not_found', 'there is no such order');
    ctx.body = order;
  });
  return router;
}

function orderProblem(
  { reason, fault }: Extract<CreateOrdersResult, { ok: false }>,
  many: boolean,
): Problem {
  const where = many ? `order ${fault.index} (${fault.merchantUid}): ` : '';
  const detail = `${where}${fault.message}${many ? '; nothing was created' : ''}`;
  const code = {
    conflict: 'conflict',
    unknown_event: 'not_found',
    invalid: 'invalid_request',
  } as const;
  return new Problem(code[reason], detail, { index: fault.index, merchantUid: fault.merchantUid });
}
