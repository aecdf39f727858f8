// What a process is made of: everything that is opened once and handed to those who need it.

import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { ConfirmDesk } from './confirm/desk.ts';
import { openDoor } from './confirm/door.ts';
import { Enrolment } from './confirm/enrol.ts';
import { openCheckDesk } from './confirm/organizer-check.ts';
import { replyChannel } from './confirm/queue-name.ts';
import { Replies } from './confirm/replies.ts';
import { type ConfirmTokens, createConfirmTokens } from './confirm/token.ts';
import { VerdictOrVoid } from './confirm/verdict-or-void.ts';
import type { Database } from './db/database.ts';
import type { Log } from './log.ts';
import type { GatewayMetrics } from './operations/gateway-metrics.ts';
import type { Metrics } from './operations/metrics.ts';
import type { SettlementRules } from './payments/settle-payment.ts';
import { createPortOne, type PortOne } from './portone/portone.ts';
import { createSignatureChecker, type SignatureChecker } from './portone/signature.ts';
import type { Carrier } from './queue/carrier.ts';
import { SETTLEMENT_QUEUE } from './settlement/job.ts';
import { type Mailbox, openMailbox } from './settlement/mailbox.ts';

/** What every role has. */
export interface Dependencies {
  config: Config;
  clock: Clock;
  log: Log;
  database: Database;
  carrier: Carrier;
  metrics: Metrics;
  portone: PortOne;
  rules: SettlementRules;
}

/** What answering HTTP needs besides. */
export interface ApiDependencies extends Dependencies {
  desk: ConfirmDesk;
  tokens: ConfirmTokens;
  signatures: SignatureChecker;
  publicUrl: () => string;
  mailbox: Mailbox;
  close(): Promise<void>;
}

export function gatewayOf(
  config: Config,
  clock: Clock,
  metrics?: GatewayMetrics,
): Pick<Dependencies, 'portone' | 'rules'> {
  const { v1, v2, timeoutMs, confirmTimeoutMs } = config.portone;
  const portone = createPortOne({
    v1,
    v2,
    timeoutMs,
    confirmTimeoutMs,
    clock,
    onCall: metrics?.gatewayCalled,
    onCircuit: metrics?.gatewayCircuit,
    onUnreadable: metrics?.gatewayUnreadable,
  });
  return { portone, rules: config.settlement };
}

export async function openApi(
  d: Dependencies,
  secret: string,
  publicUrl: () => string,
): Promise<ApiDependencies> {
  const { config, database, carrier, clock, log, metrics } = d;
  const { batchMax, waitingMax, timeoutMs, settleMs, checksConcurrentMax } = config.confirm;
  const channel = replyChannel(randomBytes(6).toString('hex'));
  const replies = new Replies(channel, database, carrier, clock, log);
  await replies.open();
  const onBatch = metrics.enrolled;
  const enrolment = new Enrolment({ carrier, replies, clock, batchMax, waitingMax, onBatch });
  metrics.watchWaiting(() => enrolment.waitingCount);
  const desk = new ConfirmDesk({
    door: openDoor(database, clock, waitingMax),
    checks: openCheckDesk(checksConcurrentMax),
    enrolment,
    verdictOrVoid: new VerdictOrVoid(database, clock, log, waitingMax, metrics.voided),
    clock,
    log,
    timeoutMs,
    settleMs,
    checkAt: ({ gateway, proven }) =>
      proven || !d.portone.api(gateway)
        ? null
        : new Date(clock.now().getTime() + config.portone.checkAfterMs),
  });
  const settlementQueue = carrier.openQueue(SETTLEMENT_QUEUE);
  return {
    ...d,
    desk,
    tokens: createConfirmTokens(secret),
    signatures: createSignatureChecker(config.portone.webhookSecrets),
    publicUrl,
    mailbox: openMailbox({ database, clock, log, queue: settlementQueue, waitingMax }),
    close: async () => {
      await enrolment.close();
      await replies.close();
      await settlementQueue.close();
    },
  };
}
