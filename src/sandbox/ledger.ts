/** Every payment attempt and the only legal ways its state changes; no network in here. */

import { type CancelRequest, cancellableOf, refusalOf } from './cancel-rules.ts';
import type { PayPlan } from './pay-request.ts';
import { newPayment, type Payment } from './payment.ts';
import type { Ids } from './random.ts';
import type {
  Cancellation,
  CancelOutcome,
  CancelRequestRecord,
  Dialect,
  NotOpened,
  PaymentState,
  World,
} from './types.ts';

export type { Payment } from './payment.ts';

export const worldOf = (dialect: Dialect): World => (dialect === 'v1' ? 'v1' : 'v2');

const CLOSED = '가상계좌가 말소되었습니다.';

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
  readonly strayCancelRequests: CancelRequestRecord[] = [];

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

  /** Every order's attempts, the order begun first coming first. */
  orders(world: World): IterableIterator<readonly Payment[]> {
    return this.#shelves[world].byOrder.values();
  }

  attemptsOf(world: World, merchantUid: string): readonly Payment[] {
    return this.#shelves[world].byOrder.get(merchantUid) ?? [];
  }

  /** An order's payment that succeeded, else its latest attempt. */
  current(world: World, merchantUid: string): Payment | null {
    const attempts = this.attemptsOf(world, merchantUid);
    return attempts.find(({ paidAtMs }) => paidAtMs !== null) ?? attempts.at(-1) ?? null;
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
    if (this.#shelves.v1.byId.size + this.#shelves.v2.byId.size >= this.#maxPayments) {
      throw new RangeError(`the sandbox keeps at most ${this.#maxPayments} payments`);
    }
    const id = plan.paymentId ?? this.newPaymentId(world);
    const payment = newPayment(plan, { id, pgTid: this.#ids.digits(14), atMs: this.#clock() });
    this.restore(world, payment);
    return payment;
  }

  /** One that is made already, by this sandbox or one before it. */
  restore(world: World, payment: Payment): void {
    const shelf = this.#shelves[world];
    shelf.byId.set(payment.paymentId, payment);
    const attempts = shelf.byOrder.get(payment.merchantUid);
    if (attempts === undefined) shelf.byOrder.set(payment.merchantUid, [payment]);
    else attempts.push(payment);
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

  changeAccount(
    payment: Payment,
    { amount, dueAtMs }: { amount: number | null; dueAtMs: number | null },
  ): void {
    if (amount !== null) payment.amount = amount;
    if (payment.account !== null && dueAtMs !== null) payment.account.dueAtMs = dueAtMs;
    payment.updatedAtMs = this.#clock();
  }

  /** The instant of closing, or null when no account is waiting for money. */
  closeAccount(payment: Payment): number | null {
    const account = payment.account;
    if (account === null || payment.state !== 'ready') return null;
    const now = this.#clock();
    account.closedAtMs = now;
    if (payment.accountPlan.closedAs === 'failed') this.fail(payment, CLOSED);
    else {
      payment.cancelledAtMs = now;
      this.#turn(payment, 'cancelled', CLOSED);
    }
    return now;
  }

  /** Takes a cancellation, which `completeCancellation` or `dropCancellation` ends, or refuses it. */
  cancel(payment: Payment, request: CancelRequest): CancelOutcome {
    const refusal = refusalOf(payment, request);
    if (refusal !== null) {
      if (payment.refusalsLeft > 0 && refusal.why === 'pg_refused') payment.refusalsLeft -= 1;
      return { cancelled: false, ...refusal };
    }
    const cancellation: Cancellation = {
      id: this.#ids.uuid(),
      pgTid: payment.pgTid,
      amount: request.amount ?? cancellableOf(payment),
      reason: request.reason,
      atMs: this.#clock(),
      requester: request.requester,
      status: 'requested',
      doneAtMs: null,
    };
    payment.cancellations.push(cancellation);
    return { cancelled: true, cancellation };
  }

  /** The money goes back. false: it is back, or was given up. */
  completeCancellation(payment: Payment, cancellation: Cancellation): boolean {
    if (cancellation.status !== 'requested') return false;
    cancellation.status = 'succeeded';
    cancellation.doneAtMs = this.#clock();
    payment.cancelledAmount += cancellation.amount;
    payment.cancelledAtMs = cancellation.doneAtMs;
    this.#turn(payment, 'cancelled', `${cancellation.amount} cancelled: ${cancellation.reason}`);
    return true;
  }

  dropCancellation(payment: Payment, cancellation: Cancellation): boolean {
    if (cancellation.status !== 'requested') return false;
    cancellation.status = 'failed';
    payment.updatedAtMs = this.#clock();
    return true;
  }

  #turn(payment: Payment, state: PaymentState, why: string): void {
    const now = this.#clock();
    payment.state = state;
    payment.updatedAtMs = now;
    payment.statusChangedAtMs = now;
    payment.history.push({ atMs: now, state, why });
  }
}
