/** The words of the sandbox gateway: what can be asked of it and what it says back. */

import type { Faults } from './faults.ts';

export type World = 'v1' | 'v2';
export type WebhookVersion = '2024-01-01' | '2024-04-25';
export type Dialect = 'v1' | `v2-${WebhookVersion}`;
export type PayMethod = 'card' | 'vbank';
export type PaymentState = 'ready' | 'paid' | 'failed' | 'cancelled';

/** What the buyer, or the gateway on the buyer's behalf, does around the confirm. */
export type Buyer =
  | 'pay'
  /** The PG declines after the 200. */
  | 'decline'
  /** The window is closed after the confirm: `ready` for ever, and no webhook on V1. */
  | 'vanish'
  /** The gateway breaks the confirm connection after `hangUpAfterMs`; the payment fails. */
  | 'hang_up'
  /** The confirm is sent again with the same id, see `repeat`. */
  | 'repeat'
  /** Approved (or, for vbank, deposited) `lateMs` after the confirm. */
  | 'pay_late'
  /** Recorded as failed, then paid after `lateMs` all the same. */
  | 'fail_then_paid';

export type WebhookMode = 'normal' | 'lost' | 'repeated' | 'delayed' | 'reordered';

export interface WebhookPlan {
  mode: WebhookMode;
  /** delayed: how late; repeated: pause between the copies; reordered: how long to collect. */
  delayMs?: number | undefined;
  /** repeated: copies in all, 2 unless told. */
  times?: number | undefined;
}

export interface RepeatPlan {
  /** Extra confirms, 1 unless told. */
  times?: number | undefined;
  when?: 'concurrent' | 'after' | 'after_paid' | undefined;
}

export interface PayRequest {
  /** Default v1. Plain `v2` takes the version of `SandboxOptions.webhookVersion`. */
  dialect?: Dialect | 'v2' | undefined;
  /** V1 `merchant_uid`, V2 `paymentId`. */
  merchantUid: string;
  amount: number;
  currency?: string | undefined;
  orderName?: string | undefined;
  /** Absent: the sandbox's default, if it has one. null, or no default: paid without a confirm. */
  confirmUrl?: string | null | undefined;
  /** Absent: the console's URL. null: no webhook at all. */
  webhookUrl?: string | null | undefined;
  method?: PayMethod | undefined;
  /** Form-encoded confirm and webhooks; 2024-04-25 knows JSON only. */
  form?: boolean | undefined;
  /** Leaves the amount out of the confirm, as one retired page had it. */
  omitAmount?: boolean | undefined;
  /** Sends the amount as a numeric string. */
  amountAsText?: boolean | undefined;
  /** Paid through a test channel. */
  test?: boolean | undefined;
  /** Forces the `imp_uid` / `transactionId`. One already known is a repeated confirm for it. */
  paymentId?: string | undefined;
  buyer?: Buyer | undefined;
  hangUpAfterMs?: number | undefined;
  lateMs?: number | undefined;
  /** pay_late on V2: PAY_PENDING with its webhook meanwhile, as PayPal does, instead of READY. */
  pending?: boolean | undefined;
  repeat?: RepeatPlan | undefined;
  /** How long the PG takes between the 200 and its decision. */
  pgDelayMs?: number | undefined;
  /** How long a virtual account may be paid into, 24 h unless told. */
  dueInMs?: number | undefined;
  webhooks?: WebhookPlan | undefined;
}

export interface ConfirmAnswer {
  /** false: no confirm_url was given, nothing was asked. */
  asked: boolean;
  /** null: no complete answer came (time-out, broken connection, hang-up). */
  status: number | null;
  body: unknown;
  latencyMs: number;
  timedOut: boolean;
  aborted: boolean;
  error: string | null;
}

/** Why the payment window did not open at all. */
export type NotOpened = 'already_paid' | 'amount_not_as_registered';

export interface PayOutcome {
  paymentId: string;
  merchantUid: string;
  notOpened: NotOpened | null;
  /** The answer that decided. */
  confirm: ConfirmAnswer;
  /** Every confirm this call sent, the deciding one included, in the order sent. */
  confirms: ConfirmAnswer[];
  state: PaymentState;
  /** What the buyer's browser is shown on failure. */
  errorMessage: string | null;
  /** Webhook messages under way or delivered when the browser side ended; retries not counted. */
  webhooksSent: number;
}

export interface VirtualAccount {
  bankCode: string;
  bankName: string;
  bank: string;
  number: string;
  holder: string;
  issuedAtMs: number;
  dueAtMs: number;
  closedAtMs: number | null;
}

export interface Cancellation {
  id: string;
  pgTid: string;
  amount: number;
  reason: string;
  atMs: number;
  requester: 'api' | 'console';
}

/** What a webhook tells. `opened`, `failed` and `pending` exist on V2 only. */
export type GatewayEvent =
  | 'opened'
  | 'issued'
  | 'paid'
  | 'failed'
  | 'pending'
  | 'partly_cancelled'
  | 'cancelled';

export interface WebhookAttempt {
  atMs: number;
  status: number | null;
  error: string | null;
}

export interface WebhookRecord {
  id: string;
  event: GatewayEvent;
  /** The word on the wire: V1 status, 2024-01-01 status or 2024-04-25 type. */
  says: string;
  url: string;
  fate: 'waiting' | 'sent' | 'delivered' | 'given_up' | 'lost' | 'silenced';
  body: string;
  attempts: WebhookAttempt[];
}

export interface HistoryEntry {
  atMs: number;
  state: PaymentState;
  why: string;
}

export interface BookEntry {
  dialect: Dialect;
  paymentId: string;
  merchantUid: string;
  amount: number;
  currency: string;
  method: PayMethod;
  test: boolean;
  state: PaymentState;
  everPaid: boolean;
  cancelledAmount: number;
  /** Money the merchant has: paid less cancelled. */
  kept: number;
  confirms: ConfirmAnswer[];
  webhooks: WebhookRecord[];
  cancellations: Cancellation[];
  history: HistoryEntry[];
  failReason: string | null;
}

export interface BookTotals {
  attempts: number;
  notOpened: number;
  states: Record<PaymentState, number>;
  everPaid: number;
  paidAmount: number;
  cancelledAmount: number;
  kept: number;
  confirms: number;
  confirmsAnswered200: number;
}

export interface Books {
  payments: BookEntry[];
  totals: BookTotals;
}

export interface V1Credentials {
  key: string;
  secret: string;
}

export interface V2Credentials {
  apiSecret: string;
  /** `whsec_...`; absent: V2 messages go unsigned. */
  webhookSecret?: string;
  /** The secret being rotated out: messages then carry both signatures. */
  previousWebhookSecret?: string;
}

export interface SandboxOptions {
  /** 0 or absent: any free port. */
  port?: number;
  host?: string;
  /** Absent: drawn at random, so that two runs against one database never share an id. */
  seed?: number;
  clock?: () => number;
  v1?: V1Credentials;
  v2?: V2Credentials;
  /** Used for payments that name none. */
  confirmUrl?: string;
  /** The console's webhook URL. */
  webhookUrl?: string;
  confirmTimeoutMs?: number;
  webhookVersion?: WebhookVersion;
  /** Divides the documented retry pauses. */
  timeScale?: number;
  /** V1 resends are an opt-in by mail: up to 5, a minute apart, on 5xx and network errors. */
  v1Resend?: boolean;
  /** Connections to one host; calls beyond it wait, and their time starts when they are connected. */
  maxSockets?: number;
  maxPayments?: number;
}

export type DepositOutcome =
  | { accepted: true; afterDue: boolean }
  | {
      accepted: false;
      why: 'unknown_payment' | 'no_account' | 'account_closed' | 'already_deposited' | 'order_paid';
    };

export type CancelRefusal =
  | 'unknown_payment'
  | 'not_paid'
  | 'already_cancelled'
  | 'balance_differs'
  | 'amount_too_large'
  | 'invalid_amount';

export type CancelOutcome =
  | { cancelled: true; cancellation: Cancellation }
  | { cancelled: false; why: CancelRefusal };

/** A message of the tester's own making, for forgeries and repeats. */
export interface LooseWebhook {
  /** Absent: the console's URL. */
  url?: string | undefined;
  body: Record<string, unknown>;
  form?: boolean | undefined;
  /** Default none. stale: signed rightly, but ten minutes ago. */
  signature?: 'good' | 'bad' | 'stale' | 'none' | undefined;
  id?: string | undefined;
}

export interface Sandbox {
  /** Serves V1 and V2, told apart by the Authorization scheme; or use `v1Url` / `v2Url`. */
  url: string;
  v1Url: string;
  v2Url: string;
  seed: number;
  credentials: { v1: V1Credentials; v2: V2Credentials };
  faults: Faults;
  pay(request: PayRequest): Promise<PayOutcome>;
  /** The buyer pays into the virtual account of `paymentId`. */
  deposit(paymentId: string): DepositOutcome;
  /** A cancellation in the admin console, which always sends a webhook. */
  cancelInConsole(paymentId: string, amount?: number, reason?: string): CancelOutcome;
  sendWebhook(webhook: LooseWebhook): Promise<ConfirmAnswer>;
  /** The console's settings, changeable while running. */
  configure(settings: { confirmUrl?: string; webhookUrl?: string }): void;
  books(): Books;
  /** Resolves when no payment, late payment, delayed webhook or retry is outstanding. */
  idle(): Promise<void>;
  close(): Promise<void>;
}
