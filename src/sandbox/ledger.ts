/** Every payment attempt and the only legal ways its state changes; no network in here. */

import type { PayPlan } from './pay-request.ts';
import type { Ids } from './random.ts';
import type {
  Cancellation,
  CancelOutcome,
  ConfirmAnswer,
  Dialect,
  HistoryEntry,
  NotOpened,
  PayMethod,
  PaymentState,
  VirtualAccount,
  WebhookRecord,
  World,
} from './types.ts';

export interface Payment {
  dialect: Dialect;
  paymentId: string;
  merchantUid: string;
  amount: number;
  currency: string;
  orderName: string;
  method: PayMethod;
  test: boolean;
  state: PaymentState;
  /** V2 PAY_PENDING: approval is awaited. */
  pending: boolean;
  account: VirtualAccount | null;
  cancelledAmount: number;
  cancellations: Cancellation[];
  pgTid: string;
  startedAtMs: number;
  updatedAtMs: number;
  paidAtMs: number | null;
  failedAtMs: number | null;
  cancelledAtMs: number | null;
  failReason: string | null;
  webhookUrl: string | null;
  form: boolean;
  webhookPlan: PayPlan['webhooks'];
  confirms: ConfirmAnswer[];
  webhooks: WebhookRecord[];
  history: HistoryEntry[];
}

export interface CancelRequest {
  /** null: all that is left. */
  amount: number | null;
  reason: string;
  /** What the merchant believes is left (V1 `checksum`, V2 `currentCancellableAmount`). */
  expectedBalance: number | null;
  requester: Cancellation['requester'];
}

export const worldOf = (dialect: Dialect): World => (dialect === 'v1' ? 'v1' : 'v2');

export const balanceOf = (payment: Payment): number => payment.amount - payment.cancelledAmount;

interface Shelf {
  byId: Map<string, Payment>;
  byOrder: Map<string, Payment[]>;
  registered: Map<string, { amount: number; currency: string }>;
}

const emptyShelf = (): Shelf => ({ byId: new Map(), byOrder: new Map(), registered: new Map() });

export class Ledger {
  readonly #clock: () => number;
  readonly #ids: Ids;
  readonly #maxPayments: number;
  readonly #shelves: Record<World, Shelf> = { v1: emptyShelf(), v2: emptyShelf() };
  notOpened = 0;

  constructor(clock: () => number, ids: Ids, maxPayments: number) {
    this.#clock = clock;
    this.#ids = ids;
    this.#maxPayments = maxPayments;
  }

  find(world: World, paymentId: string): Payment | null {
    return this.#shelves[world].byId.get(paymentId) ?? null;
  }

  /** In either world: for the console, which knows a payment by its id alone. */
  findAnywhere(paymentId: string): Payment | null {
    return this.find('v1', paymentId) ?? this.find('v2', paymentId);
  }

  attemptsOf(world: World, merchantUid: string): readonly Payment[] {
    return this.#shelves[world].byOrder.get(merchantUid) ?? [];
  }

  payments(world: World): IterableIterator<Payment> {
    return this.#shelves[world].byId.values();
  }

  registered(world: World): Shelf['registered'] {
    return this.#shelves[world].registered;
  }

  wasPaid(world: World, merchantUid: string): boolean {
    return this.attemptsOf(world, merchantUid).some((attempt) => attempt.paidAtMs !== null);
  }

  newPaymentId(world: World): string {
    return world === 'v1' ? this.#ids.impUid() : this.#ids.uuid();
  }

  /** Why the window would not open for this plan; null when it would. */
  obstacle(plan: PayPlan): NotOpened | null {
    const world = worldOf(plan.dialect);
    if (this.wasPaid(world, plan.merchantUid)) return 'already_paid';
    const agreed = this.registered(world).get(plan.merchantUid);
    if (agreed === undefined) return null;
    const same = agreed.amount === plan.amount && agreed.currency === plan.currency;
    return same ? null : 'amount_not_as_registered';
  }

  open(plan: PayPlan): Payment {
    const world = worldOf(plan.dialect);
    const shelf = this.#shelves[world];
    if (this.#shelves.v1.byId.size + this.#shelves.v2.byId.size >= this.#maxPayments) {
      throw new RangeError(`the sandbox keeps at most ${this.#maxPayments} payments`);
    }
    const now = this.#clock();
    const payment: Payment = {
      dialect: plan.dialect,
      paymentId: plan.paymentId ?? this.newPaymentId(world),
      merchantUid: plan.merchantUid,
      amount: plan.amount,
      currency: plan.currency,
      orderName: plan.orderName,
      method: plan.method,
      test: plan.test,
      state: 'ready',
      pending: false,
      account: null,
      cancelledAmount: 0,
      cancellations: [],
      pgTid: this.#ids.digits(14),
      startedAtMs: now,
      updatedAtMs: now,
      paidAtMs: null,
      failedAtMs: null,
      cancelledAtMs: null,
      failReason: null,
      webhookUrl: plan.webhookUrl,
      form: plan.form,
      webhookPlan: plan.webhooks,
      confirms: [],
      webhooks: [],
      history: [{ atMs: now, state: 'ready', why: 'window opened' }],
    };
    shelf.byId.set(payment.paymentId, payment);
    const attempts = shelf.byOrder.get(payment.merchantUid);
    if (attempts === undefined) shelf.byOrder.set(payment.merchantUid, [payment]);
    else attempts.push(payment);
    return payment;
  }

  /** false when it cannot be paid any more: on V2 one attempt of an order at most succeeds. */
  approve(payment: Payment, why: string): boolean {
    if (payment.paidAtMs !== null) return false;
    if (worldOf(payment.dialect) === 'v2' && this.wasPaid('v2', payment.merchantUid)) return false;
    payment.paidAtMs = this.#clock();
    payment.failedAtMs = null;
    payment.failReason = null;
    payment.pending = false;
    this.#turn(payment, 'paid', why);
    return true;
  }

  fail(payment: Payment, reason: string): void {
    if (payment.state !== 'ready') return;
    payment.failedAtMs = this.#clock();
    payment.failReason = reason;
    payment.pending = false;
    this.#turn(payment, 'failed', reason);
  }

  awaitApproval(payment: Payment): void {
    payment.pending = true;
    this.#turn(payment, 'ready', 'approval awaited');
  }

  issueAccount(payment: Payment, dueInMs: number): void {
    const now = this.#clock();
    payment.account = {
      bankCode: '004',
      bankName: '국민은행',
      bank: 'KOOKMIN',
      number: this.#ids.digits(14),
      holder: '샌드박스',
      issuedAtMs: now,
      dueAtMs: now + dueInMs,
      closedAtMs: null,
    };
    this.#turn(payment, 'ready', 'virtual account issued');
  }

  /** The instant of closing, or null when no account is waiting for money. */
  closeAccount(payment: Payment): number | null {
    const account = payment.account;
    if (account === null || payment.state !== 'ready') return null;
    const now = this.#clock();
    account.closedAtMs = now;
    this.fail(payment, '가상계좌가 말소되었습니다.');
    return now;
  }

  cancel(payment: Payment, request: CancelRequest): CancelOutcome {
    const balance = balanceOf(payment);
    if (payment.paidAtMs === null) return { cancelled: false, why: 'not_paid' };
    if (balance === 0) return { cancelled: false, why: 'already_cancelled' };
    if (request.expectedBalance !== null && request.expectedBalance !== balance) {
      return { cancelled: false, why: 'balance_differs' };
    }
    const amount = request.amount ?? balance;
    if (!Number.isInteger(amount) || amount <= 0) {
      return { cancelled: false, why: 'invalid_amount' };
    }
    if (amount > balance) return { cancelled: false, why: 'amount_too_large' };
    const cancellation: Cancellation = {
      id: this.#ids.uuid(),
      pgTid: payment.pgTid,
      amount,
      reason: request.reason,
      atMs: this.#clock(),
      requester: request.requester,
    };
    payment.cancellations.push(cancellation);
    payment.cancelledAmount += amount;
    payment.cancelledAtMs = cancellation.atMs;
    this.#turn(payment, 'cancelled', `${amount} cancelled: ${request.reason}`);
    return { cancelled: true, cancellation };
  }

  #turn(payment: Payment, state: PaymentState, why: string): void {
    const now = this.#clock();
    payment.state = state;
    payment.updatedAtMs = now;
    payment.history.push({ atMs: now, state, why });
  }
}
