// Every path of the service on one page.

import Router from '@koa/router';
import { auditRoutes } from './audit/routes.ts';
import { confirmHandler } from './confirm/handler.ts';
import { longestChargeMs } from './confirm/manual/charge.ts';
import { manualRoutes } from './confirm/manual/routes.ts';
import type { ApiDependencies } from './dependencies.ts';
import { eventRoutes } from './events/routes.ts';
import { operationsRoutes } from './operations/routes.ts';
import { isRegistering, openRegistrar } from './orders/register-amounts.ts';
import { orderRoutes } from './orders/routes.ts';
import { reconciliationRoutes } from './reconciliation/routes.ts';
import { askForRefund } from './refunds/ask-for-refund.ts';
import { refundRoutes } from './refunds/routes.ts';
import { releaseRoutes } from './release/routes.ts';
import { webhookHandler } from './settlement/handler.ts';

/** Called by PortOne. */
export function gatewayRoutes(d: ApiDependencies): Router {
  const router = new Router();
  const bodyMaxBytes = d.config.http.gatewayBodyMaxBytes;
  router.post(
    '/confirm',
    confirmHandler({
      desk: d.desk,
      tokens: d.tokens,
      tokenRequired: d.config.confirm.tokenRequired,
      signatures: d.signatures,
      bodyMaxBytes,
      clock: d.clock,
      log: d.log,
      onAnswer: d.metrics.answered,
    }),
  );
  router.post(
    '/webhook',
    webhookHandler({
      mailbox: d.mailbox,
      clock: d.clock,
      log: d.log,
      signatures: d.signatures,
      bodyMaxBytes,
      sources: d.config.http.webhookSources,
    }),
  );
  return router;
}

/** Called by the organizer's own server. */
export function organizerRoutes(d: ApiDependencies): Router[] {
  const { database, config } = d;
  const bodyMaxBytes = config.http.organizerBodyMaxBytes;
  return [
    manualRoutes({
      ...d,
      waitingMax: config.confirm.waitingMax,
      chargeMaxMs: longestChargeMs(config.portone),
      bodyMaxBytes: config.http.gatewayBodyMaxBytes,
      onAnswer: d.metrics.answered,
    }),
    releaseRoutes({ ...d, askForRefund: askForRefund(d) }, bodyMaxBytes),
    refundRoutes(d, bodyMaxBytes),
    auditRoutes(d, bodyMaxBytes),
    reconciliationRoutes(d, bodyMaxBytes),
    eventRoutes({ database, bodyMaxBytes }),
    orderRoutes({
      database,
      clock: d.clock,
      bodyMaxBytes,
      seatsMax: config.orders.seatsMax,
      confirmUrl: (merchantUid) =>
        `${d.publicUrl()}/confirm?token=${encodeURIComponent(d.tokens.issue(merchantUid))}`,
      webhookUrl: () => `${d.publicUrl()}/webhook`,
      ...(isRegistering(config.portone, d.portone) ? { registrar: openRegistrar(d) } : {}),
    }),
  ];
}

/** Called by operators and their machines. */
export { operationsRoutes };
