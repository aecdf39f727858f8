/** The payments made on the checkout page: started without waiting, and looked at while they go on. */

import { authenticate } from '../authenticate.ts';
import { balanceOf } from '../cancel-rules.ts';
import { mayCharge, NOT_ASKED } from '../confirm-call.ts';
import type { Gateway } from '../gateway.ts';
import { type Payment, worldOf } from '../ledger.ts';
import { confirmMessage } from '../messages.ts';
import { pay } from '../pay.ts';
import { type PayPlan, readPayRequest } from '../pay-request.ts';
import type { PayOutcome, PayRequest } from '../types.ts';
import { checkoutRequest, returnUrlOf } from './request.ts';

/** A person clicks these one at a time; the oldest are forgotten, their payments are not. */
const CHECKOUTS_MAX = 1_000;

type Outcome = Pick<PayOutcome, 'notOpened' | 'confirm' | 'state' | 'errorMessage'>;

interface Checkout {
  plan: PayPlan;
  paymentId: string;
  redirectUrl: string | null;
  confirm: { url: string; contentType: string; body: string } | null;
  /** Null while the buyer's part is not over. */
  outcome: Outcome | null;
  /** Of a manual confirm: what the browser brings back, for the shop's server to charge with. */
  paymentToken: string | null;
  /** The engine failed: a fault of ours, shown rather than hidden. */
  trouble: string | null;
}

export class CheckoutDesk {
  readonly #gateway: Gateway;
  readonly #checkouts = new Map<string, Checkout>();

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  /** Throws a ZodError or TypeError on nonsense, before anything has happened. */
  start(said: unknown): { paymentId: string } {
    const gateway = this.#gateway;
    const { redirectUrl, dialect, ...rest } = checkoutRequest.parse(said);
    const manual = dialect === 'manual';
    const request = { ...rest, dialect: manual ? ('v2' as const) : dialect };
    const plan = readPayRequest(request, gateway.settings);
    const paymentId = gateway.ledger.newPaymentId(worldOf(plan.dialect));
    const checkout: Checkout = {
      plan,
      paymentId,
      redirectUrl: redirectUrl ?? null,
      confirm: manual ? null : questionOf(gateway, plan, paymentId),
      outcome: null,
      paymentToken: null,
      trouble: null,
    };
    this.#remember(checkout);
    const told = { ...request, paymentId };
    const story = manual ? this.#authenticate(checkout, told) : this.#pay(checkout, told);
    gateway.later.track(
      story.catch((error: unknown) => {
        checkout.trouble = error instanceof Error ? error.message : String(error);
      }),
    );
    return { paymentId };
  }

  async #pay(checkout: Checkout, request: PayRequest): Promise<void> {
    checkout.outcome = await pay(this.#gateway, request);
  }

  async #authenticate(checkout: Checkout, request: PayRequest): Promise<void> {
    const { notOpened, paymentToken } = await authenticate(this.#gateway, request);
    checkout.paymentToken = notOpened === null ? paymentToken : null;
    const state = notOpened === null ? 'ready' : 'failed';
    checkout.outcome = { notOpened, state, confirm: NOT_ASKED, errorMessage: null };
  }

  view(paymentId: string) {
    const checkout = this.#checkouts.get(paymentId);
    if (checkout === undefined) return null;
    const payment = this.#gateway.ledger.findAnywhere(paymentId);
    const { outcome, confirm, trouble, plan, paymentToken } = checkout;
    return {
      paymentId,
      merchantUid: plan.merchantUid,
      webhookUrl: plan.webhookUrl,
      busy: outcome === null && trouble === null,
      trouble,
      confirm,
      paymentToken,
      refused: outcome !== null && !mayCharge(outcome.confirm),
      outcome: outcome === null ? null : { notOpened: outcome.notOpened },
      payment: payment === null ? null : paymentView(payment),
      can: canOf(payment, outcome !== null),
      returnUrl: returnOf(checkout, payment),
    };
  }

  #remember(checkout: Checkout): void {
    const [oldest] = this.#checkouts.keys();
    if (oldest !== undefined && this.#checkouts.size >= CHECKOUTS_MAX) {
      this.#checkouts.delete(oldest);
    }
    this.#checkouts.set(checkout.paymentId, checkout);
  }
}

/** The confirm as it goes out, for people to read. */
function questionOf(gateway: Gateway, plan: PayPlan, paymentId: string): Checkout['confirm'] {
  if (plan.confirmUrl === null) return null;
  const claims = { ...plan, paymentId };
  const { contentType, body } = confirmMessage('shown', plan.dialect, claims, gateway.clock());
  return { url: plan.confirmUrl, contentType, body };
}

function paymentView(payment: Payment) {
  const { paymentId, state, amount, currency, method, account, failReason } = payment;
  return {
    paymentId,
    state,
    amount,
    currency,
    method,
    failReason,
    account,
    cancelledAmount: payment.cancelledAmount,
    kept: payment.paidAtMs === null ? 0 : balanceOf(payment),
    confirms: payment.confirms,
    webhooks: payment.webhooks,
    history: payment.history,
  };
}

/** What makes sense now; the engine itself judges again. */
function canOf(payment: Payment | null, buyerIsGone: boolean) {
  const open = payment?.state === 'ready' && payment.account === null && !payment.authentication;
  const failed = payment?.state === 'failed' && payment.account === null;
  const paid = payment !== null && payment.paidAtMs !== null && balanceOf(payment) > 0;
  const account = payment?.account ?? null;
  return {
    deposit: account !== null && account.closedAtMs === null && payment?.paidAtMs === null,
    // Some PGs record a failure first, and are paid all the same.
    approve: buyerIsGone && (open || failed),
    fail: buyerIsGone && open,
    cancel: paid,
    cancelPart: paid,
    resend: (payment?.webhooks.length ?? 0) > 0,
    // V2 alone tells of disputes, and 2024-01-01 has no word for them.
    dispute: paid && payment.dialect === 'v2-2024-04-25' && !disputed(payment),
    resolveDispute: payment !== null && disputed(payment),
  };
}

const disputed = (payment: Payment): boolean =>
  payment.disputes.some(({ resolvedAtMs }) => resolvedAtMs === null);

/** Null while the buyer is still in the window, or has closed it. */
function returnOf(checkout: Checkout, payment: Payment | null): string | null {
  const { outcome, redirectUrl, plan, paymentToken } = checkout;
  if (redirectUrl === null || outcome === null) return null;
  // With manual confirm the browser comes back before anything is charged.
  const success =
    paymentToken !== null ||
    (payment !== null && (payment.paidAtMs !== null || payment.account !== null));
  if (!success && outcome.state === 'ready') return null;
  return returnUrlOf(redirectUrl, {
    dialect: plan.dialect,
    paymentId: checkout.paymentId,
    merchantUid: plan.merchantUid,
    success,
    message: outcome.errorMessage,
    notOpened: outcome.notOpened,
    refused: !mayCharge(outcome.confirm),
    paymentToken,
  });
}
