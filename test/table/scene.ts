// One telling of a story: its own event, order and payments, so that tellings do not mix.

import { randomBytes } from 'node:crypto';
import type { BookEntry, Dialect, PayRequest } from '../../src/sandbox/types.ts';
import type { Stage } from './stage.ts';

export const PRICE = 1_000;

export interface SceneOptions {
  dialect: Dialect;
  party?: number | undefined;
  seats?: number | undefined;
  holdSeconds?: number | undefined;
  virtualAccounts?: 'forbid' | 'allow' | undefined;
  bypassedPayments?: 'seat-if-free' | 'refund' | undefined;
}

export interface Final {
  order: string;
  sold: number;
  /** Won that PortOne's books say the organizer has. */
  kept: number;
  refunds: string[];
  cases: string[];
  balance: number;
}

let scenes = 0;

export class Scene {
  readonly slug: string;
  readonly merchantUid: string;
  readonly amount: number;
  private readonly startedAt: Date;
  private readonly sent = new Map<string, string>();
  private eventId = 0;
  private typeId = 0;
  private payments = 0;
  private readonly tag = randomBytes(3).toString('hex');

  constructor(
    readonly stage: Stage,
    readonly options: SceneOptions,
  ) {
    scenes += 1;
    this.slug = `scene-${scenes}`;
    this.merchantUid = `${this.slug}-order`;
    this.amount = PRICE * (options.party ?? 1);
    this.startedAt = new Date(stage.now.getTime() - 1_000);
  }

  get gateway(): 'v1' | 'v2' {
    return this.options.dialect === 'v1' ? 'v1' : 'v2';
  }

  async setUp(): Promise<void> {
    const { party = 1, seats = 2, holdSeconds = 300 } = this.options;
    const { virtualAccounts = 'allow', bypassedPayments = 'seat-if-free' } = this.options;
    const [event] = await this.stage.rows<{ id: number }>(
      `INSERT INTO events (slug, name, opens_at, hold_seconds, virtual_accounts, bypassed_payments)
       VALUES ($1, $1, '2020-01-01', $2, $3, $4) RETURNING id`,
      this.slug,
      holdSeconds,
      virtualAccounts,
      bypassedPayments,
    );
    this.eventId = event?.id ?? 0;
    const [type] = await this.stage.rows<{ id: number }>(
      `INSERT INTO ticket_types (event_id, code, name, price) VALUES ($1, 'ga', 'GA', $2)
       RETURNING id`,
      this.eventId,
      PRICE,
    );
    this.typeId = type?.id ?? 0;
    await this.stage.rows(
      `INSERT INTO seats (event_id, ticket_type_id, label, rank)
       SELECT $1::int, $2::int, 'ga-' || n, n FROM generate_series(1, $3::int) n`,
      this.eventId,
      this.typeId,
      Math.max(seats, party),
    );
    await this.addOrder(this.merchantUid, party);
  }

  async addOrder(merchantUid: string, quantity: number): Promise<void> {
    await this.stage.rows(
      `WITH o AS (
         INSERT INTO orders (merchant_uid, event_id, buyer_id, amount, currency, fingerprint)
         VALUES ($1, $2, $1, $3::int * $4::int, 'KRW', 'f') RETURNING id)
       INSERT INTO order_items (order_id, ticket_type_id, quantity, unit_price, labels)
       SELECT id, $5, $3, $4, '{}' FROM o`,
      merchantUid,
      this.eventId,
      quantity,
      PRICE,
      this.typeId,
    );
  }

  newPaymentId(): string {
    this.payments += 1;
    return `pay-${this.tag}-${this.slug}-${this.payments}`;
  }

  newPaymentIds(count: number): string[] {
    return Array.from({ length: count }, () => this.newPaymentId());
  }

  confirm(paymentId: string, merchantUid = this.merchantUid) {
    return this.stage.confirm(this.eventId, merchantUid, paymentId, this.gateway);
  }

  /** At the gateway; its webhooks are kept back, to be delivered by the telling. */
  async pay(paymentId: string, how: Partial<PayRequest> = {}): Promise<void> {
    await this.stage.sandbox.pay({
      dialect: this.options.dialect,
      merchantUid: this.merchantUid,
      amount: this.amount,
      confirmUrl: null,
      webhookUrl: 'http://127.0.0.1:9/never-called',
      webhooks: { mode: 'lost' },
      paymentId,
      ...how,
    });
  }

  /** Somebody else takes every free seat. */
  async othersTakeAll(): Promise<void> {
    const [free] = await this.stage.rows<{ n: number }>(
      "SELECT count(*)::int AS n FROM seats WHERE event_id = $1 AND state = 'available'",
      this.eventId,
    );
    for (let i = 0; i < (free?.n ?? 0); i += 1) {
      const other = `${this.slug}-other-${i}`;
      await this.addOrder(other, 1);
      const paymentId = this.newPaymentId();
      await this.confirm(paymentId, other);
      await this.pay(paymentId, { merchantUid: other, amount: PRICE });
    }
  }

  books(): BookEntry[] {
    return this.stage.sandbox.books(this.merchantUid).payments;
  }

  /** Every message about the order so far, in the order sent; opened windows are told to nobody. */
  messages(): string[] {
    for (const { event, id, body } of this.books().flatMap((payment) => payment.webhooks)) {
      if (event !== 'opened') this.sent.set(id, body);
    }
    return [...this.sent.values()];
  }

  /** Time goes on until nothing is under way. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < 12; turns += 1) {
      await this.stage.turn();
      if (!(await this.stage.unsettled(this.eventId))) return;
      this.stage.pass(turns < 4 ? 20_000 : 30 * 3_600_000);
    }
    throw new Error(`${this.slug} does not come to rest`);
  }

  async reconcile(): Promise<void> {
    await this.stage.reconcile(this.slug, this.startedAt);
    await this.settle();
  }

  async final(): Promise<Final> {
    const [row] = await this.stage.rows<Omit<Final, 'kept'>>(
      `SELECT o.status AS "order",
        (SELECT count(*)::int FROM seats s JOIN holds h ON h.id = s.hold_id
          WHERE h.order_id = o.id AND s.state = 'sold') AS sold,
        (SELECT coalesce(array_agg(r.state || ' ' || r.reason ORDER BY r.state, r.reason), '{}')
           FROM refunds r JOIN payments p USING (payment_id) WHERE p.order_id = o.id) AS refunds,
        (SELECT coalesce(array_agg(c.kind ORDER BY c.kind), '{}') FROM cases c
          WHERE c.order_id = o.id AND c.closed_at IS NULL) AS cases,
        (SELECT coalesce(sum(amount), 0)::int FROM order_ledger l WHERE l.order_id = o.id) AS balance
         FROM orders o WHERE o.merchant_uid = $1`,
      this.merchantUid,
    );
    if (!row) throw new Error('no order');
    const kept = this.books()
      .filter((payment) => !payment.test)
      .reduce((sum, payment) => sum + payment.kept, 0);
    return { ...row, kept };
  }
}
