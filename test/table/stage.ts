// A stage for stories about money: a real database, a sandbox PortOne and one clock for both, and
// the very functions that the workers run, called one by one.

import { auditEvent } from '../../src/audit/audit.ts';
import type { Clock } from '../../src/clock.ts';
import { decideBatch } from '../../src/confirm/decide/decide-batch.ts';
import { VerdictOrVoid } from '../../src/confirm/verdict-or-void.ts';
import type { Database } from '../../src/db/database.ts';
import { proveHolds } from '../../src/expiry/prove-holds.ts';
import { sweep } from '../../src/expiry/sweep.ts';
import { settlePayment } from '../../src/payments/settle-payment.ts';
import { GatewayUnreachable } from '../../src/portone/payment.ts';
import { createPortOne } from '../../src/portone/portone.ts';
import { reconcile } from '../../src/reconciliation/reconcile.ts';
import type { RefundOptions } from '../../src/refunds/try-refund.ts';
import { workRefunds } from '../../src/refunds/work-refunds.ts';
import { startSandbox } from '../../src/sandbox/server.ts';
import type { Sandbox } from '../../src/sandbox/types.ts';
import { type InboxOptions, storeWebhooks, workInbox } from '../../src/settlement/inbox.ts';
import { readWebhook } from '../../src/settlement/read-webhook.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { connect, request, silentLog } from '../support/sale.ts';
import { until } from '../support/wait.ts';

const CONFIRM_MS = 4_000;
const CALL_MS = 10_000;
const LIMIT = 100;

type StageOptions = InboxOptions & RefundOptions;

export class Stage {
  private constructor(
    private readonly clone: TestDatabase,
    readonly database: Database,
    readonly sandbox: Sandbox,
    readonly options: StageOptions,
    private readonly time: { ms: number },
  ) {}

  /** @param callTimeoutMs how long a call to PortOne may take, in true time */
  static async open(callTimeoutMs = CALL_MS): Promise<Stage> {
    const time = { ms: Date.parse('2026-05-01T00:00:00Z') };
    const clock: Clock = { now: () => new Date(time.ms) };
    const clone = await cloneDatabase();
    const database = connect(clone.url);
    const sandbox = await startSandbox({ seed: 11, clock: () => time.ms });
    const { v1, v2 } = sandbox.credentials;
    const portone = createPortOne({
      v1: { url: sandbox.v1Url, ...v1 },
      v2: { url: sandbox.v2Url, secret: v2.apiSecret },
      timeoutMs: callTimeoutMs,
      confirmTimeoutMs: callTimeoutMs,
      clock,
    });
    const options = {
      database,
      clock,
      portone,
      log: silentLog,
      rules: { testPaymentsAccepted: false, depositGraceMs: 600_000 },
      config: { portone: { webhookSecrets: [], timeoutMs: callTimeoutMs, doubtMs: 60_000 } },
    };
    return new Stage(clone, database, sandbox, options, time);
  }

  get now(): Date {
    return this.options.clock.now();
  }

  pass(ms: number): void {
    this.time.ms += ms;
  }

  /** The confirm request of one payment, decided and answered. @returns the verdict's code */
  async confirm(eventId: number, merchantUid: string, paymentId: string, gateway: 'v1' | 'v2') {
    const { database } = this;
    const { clock } = this.options;
    const answerBy = this.now.getTime() + CONFIRM_MS;
    const asked = request(merchantUid, paymentId, { gateway, decideBy: answerBy, answerBy });
    const [verdict] = await decideBatch({ database, clock, searchWindowMax: 100 }, eventId, [
      asked,
    ]);
    if (verdict?.code !== 'confirmed') return verdict?.code;
    const checkAt = new Date(this.now.getTime() + 20_000);
    const desk = new VerdictOrVoid(database, clock, silentLog, LIMIT);
    await desk.mark(verdict, paymentId, checkAt);
    return verdict.code;
  }

  /** A webhook comes in and is worked at once. */
  async deliver(body: string): Promise<void> {
    const value: unknown = JSON.parse(body);
    const notice = readWebhook(value);
    const [id] = await storeWebhooks(this.database, this.options.clock, [
      { notice, externalId: null, verified: true, body: value },
    ]);
    if (typeof id === 'number') await workInbox(this.options, LIMIT, [id]);
  }

  /** As if somebody had looked the payment up, again and again until PortOne answered. */
  async settleByHand(paymentId: string, order: { merchantUid: string; gateway: 'v1' | 'v2' }) {
    const { merchantUid, gateway } = order;
    const api = this.options.portone.api(gateway);
    const read = () =>
      api?.read({ gateway, paymentId, merchantUid }).catch((error: unknown) => {
        if (error instanceof GatewayUnreachable) return null;
        throw error;
      });
    const payment = await until('PortOne tells of the payment', read);
    await settlePayment(this.options, payment);
  }

  /** One turn of everything that comes round by the clock. */
  async turn(): Promise<void> {
    await workInbox(this.options, LIMIT);
    await proveHolds(this.options, LIMIT, 5_000);
    await sweep(this.options, LIMIT);
    await workRefunds(this.options, LIMIT);
  }

  async reconcile(event: string, from: Date): Promise<void> {
    const request = { event, from, to: null, dryRun: false, askedBy: 'organizer:test' };
    const result = await reconcile(this.options, request);
    if (!result.ok) throw new Error(result.reason);
    if (result.report.error) throw new Error(result.report.error);
  }

  /** Is anything still under way that a later turn would end? */
  async unsettled(eventId: number): Promise<boolean> {
    const rows = await this.rows<{ n: number }>(
      `SELECT (SELECT count(*) FROM holds WHERE event_id = $1 AND state = 'held')::int
            + (SELECT count(*) FROM webhooks WHERE state = 'pending')::int
            + (SELECT count(*) FROM refunds r JOIN payments p USING (payment_id)
                 JOIN orders o ON o.id = p.order_id
                WHERE o.event_id = $1 AND r.state = 'requested')::int AS n`,
      eventId,
    );
    return rows[0]?.n !== 0;
  }

  async audit(slug: string) {
    return auditEvent({ database: this.database, clock: this.options.clock }, slug);
  }

  async rows<Row>(sql: string, ...values: unknown[]): Promise<Row[]> {
    return (await this.database.pool.query(sql, values)).rows as Row[];
  }

  async close(): Promise<void> {
    await this.sandbox.close();
    await this.database.close();
    await this.clone.drop();
  }
}
