/** One attempt to pay, as the gateway keeps it. */

import type { PayPlan } from './pay-request.ts';
import type { Provider } from './providers.ts';
import type {
  Cancellation,
  CancelRequestRecord,
  ChargeRequestRecord,
  ConfirmAnswer,
  Dialect,
  Dispute,
  HistoryEntry,
  PayMethod,
  PaymentState,
  VirtualAccount,
  WebhookRecord,
} from './types.ts';

export interface Authenticated {
  token: string;
  expiresAtMs: number;
  used: boolean;
  /** What the PG will do when it is asked to charge. */
  plan: PayPlan;
}

export interface Payment {
  dialect: Dialect;
  paymentId: string;
  merchantUid: string;
  amount: number;
  currency: string;
  orderName: string;
  customData: string | null;
  method: PayMethod;
  provider: Provider;
  test: boolean;
  state: PaymentState;
  /** V2 PAY_PENDING: approval is awaited. */
  pending: boolean;
  account: VirtualAccount | null;
  accountPlan: Pick<PayPlan, 'closable' | 'closedAs' | 'afterDue'>;
  /** V2's manual confirm: what the browser brought back. */
  authentication: Authenticated | null;
  cancelledAmount: number;
  cancellations: Cancellation[];
  cancelPlan: PayPlan['cancels'];
  /** The PG refuses so many more. */
  refusalsLeft: number;
  /** Ends the cancellations that were only taken; each does it once. */
  unfinished: (() => boolean)[];
  cancelRequests: CancelRequestRecord[];
  chargeRequests: ChargeRequestRecord[];
  disputes: Dispute[];
  pgTid: string;
  startedAtMs: number;
  updatedAtMs: number;
  statusChangedAtMs: number;
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

export function newPayment(
  plan: PayPlan,
  { id, pgTid, atMs }: { id: string; pgTid: string; atMs: number },
): Payment {
  return {
    dialect: plan.dialect,
    paymentId: id,
    merchantUid: plan.merchantUid,
    amount: plan.amount,
    currency: plan.currency,
    orderName: plan.orderName,
    customData: plan.customData,
    method: plan.method,
    provider: plan.provider,
    test: plan.test,
    state: 'ready',
    pending: false,
    account: null,
    accountPlan: {
      closable: plan.closable,
      closedAs: plan.closedAs,
      afterDue: plan.afterDue,
    },
    authentication: null,
    cancelledAmount: 0,
    cancellations: [],
    cancelPlan: plan.cancels,
    refusalsLeft: plan.cancels.refusals,
    unfinished: [],
    cancelRequests: [],
    chargeRequests: [],
    disputes: [],
    pgTid,
    startedAtMs: atMs,
    updatedAtMs: atMs,
    statusChangedAtMs: atMs,
    paidAtMs: null,
    failedAtMs: null,
    cancelledAtMs: null,
    failReason: null,
    webhookUrl: plan.webhookUrl,
    form: plan.form,
    webhookPlan: plan.webhooks,
    confirms: [],
    webhooks: [],
    history: [{ atMs, state: 'ready', why: 'window opened' }],
  };
}
