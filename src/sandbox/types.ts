/** The words of the sandbox gateway: what can be asked of it and what it says back. */

import type { Books, Cancellation } from './book-types.ts';
import type { Faults } from './faults.ts';
import type { Provider } from './providers.ts';
import type { SignWith } from './signing.ts';

export type * from './book-types.ts';

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
  /** The window is closed after the confirm: `ready` for ever, or until `approve`; silent on V1. */
  | 'vanish'
  /** The gateway breaks the confirm connection after `hangUpAfterMs`; the payment fails. */
  | 'hang_up'
  /** The confirm is sent again with the same id, see `repeat`. */
  | 'repeat'
  /** Approved (or, for vbank, deposited) `lateMs` after the confirm. */
  | 'pay_late'
  /** Not approved after all, `lateMs` after the confirm. */
  | 'fail_late'
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

/** What the PG does when money is to go back. */
export interface CancelPlan {
  /**
   * now unless told. later: taken at once and carried out after `lateMs`, as PayPal does. late_failure:
   * taken at once, and not carried out after all. failed: V2 answers 200 with a cancellation that FAILED, V1
   * refuses. never: always refused.
   */
  how?: 'now' | 'later' | 'late_failure' | 'failed' | 'never' | undefined;
  /** null: not before `finishCancellations`. */
  lateMs?: number | null | undefined;
  /** The first so many are refused, none unless told. */
  refusals?: number | undefined;
  /** What the PG says when it refuses. */
  message?: string | undefined;
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
  /** Whose accounts V1 closes: nice (unless told) anybody's, inicis with a `pg_api_key` only. */
  provider?: Provider | undefined;
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
  /**
   * pay_late, fail_late and vanish: the method is asynchronous, as PayPal is. Meanwhile `pending` on V1,
   * PAY_PENDING with its webhook on V2, instead of READY; on V1 a webhook about a failure too.
   */
  pending?: boolean | undefined;
  repeat?: RepeatPlan | undefined;
  /** How long the PG takes between the 200 and its decision. */
  pgDelayMs?: number | undefined;
  /** How long a virtual account may be paid into, 24 h unless told. */
  dueInMs?: number | undefined;
  /** Money that comes after the due date; PGs differ. accepted unless told. */
  afterDue?: 'accepted' | 'refused' | undefined;
  /** false: the provider can neither close nor change the virtual account. */
  closable?: boolean | undefined;
  /** What an account reads as that was closed unpaid; not documented. failed unless told. */
  closedAs?: 'failed' | 'cancelled' | undefined;
  cancels?: CancelPlan | undefined;
  /** V1 `custom_data`, V2 `customData`. */
  customData?: string | undefined;
  /** Manual confirm: how long the buyer's authentication lasts, 10 min unless told. */
  authLastsMs?: number | undefined;
  /**
   * Manual confirm with nothing paid by it (vbank, pending): `paidAt` is answered all the same, since
   * the published schema makes it required.
   */
  paidAtAlways?: boolean | undefined;
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

export interface V1Credentials {
  key: string;
  secret: string;
}

export interface V2Credentials {
  apiSecret: string;
  /** `whsec_...`; absent: V2 messages go unsigned. */
  webhookSecret?: string;
  /** The one it is rotated to; see `signWith`. */
  nextWebhookSecret?: string;
}

export interface SandboxOptions {
  /** 0 or absent: any free port. */
  port?: number;
  host?: string;
  /**
   * The same seed makes the same ids, which a database knows after the first run. Absent: drawn at
   * random from 2^48, so that runs against one database do not meet.
   */
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
  /** X-Forwarded-For of every call to the merchant, as a proxy on the way would write it. */
  forwardedFor?: string;
  /** A file that keeps the books over restarts; absent: in memory only. */
  books?: string;
}

export type DepositOutcome =
  | { accepted: true; afterDue: boolean }
  | {
      accepted: false;
      why:
        | 'unknown_payment'
        | 'no_account'
        | 'account_closed'
        | 'already_deposited'
        | 'past_due'
        | 'order_paid';
    };

export type CancelRefusal =
  | 'unknown_payment'
  | 'not_paid'
  | 'already_cancelled'
  | 'balance_differs'
  | 'amount_too_large'
  | 'invalid_amount'
  /** Money paid into a virtual account goes back to an account that must be named. */
  | 'account_missing'
  | 'pg_refused';

/** `cancelled` with a cancellation that is only `requested`: taken, to be carried out later. */
export type CancelOutcome =
  | { cancelled: true; cancellation: Cancellation }
  | { cancelled: false; why: CancelRefusal; message?: string };

/** What the browser brings back from a V2 window with manual confirm. */
export interface Authentication {
  /** Good for one charge; empty where the window did not open. */
  paymentToken: string;
  txId: string;
  /** The same as `txId`: what the books call the attempt. */
  paymentId: string;
  /** V2's `paymentId`. */
  merchantUid: string;
  notOpened: NotOpened | null;
}

export type BillingKeyEvent = 'Ready' | 'Issued' | 'Failed' | 'Deleted' | 'Updated';

/** A message of the tester's own making, for forgeries and repeats. */
export interface LooseWebhook {
  /** Absent: the console's URL. */
  url?: string | undefined;
  body: Record<string, unknown>;
  form?: boolean | undefined;
  /** Default none. stale: signed rightly, but ten minutes ago. */
  signature?: 'good' | 'bad' | 'stale' | 'none' | undefined;
  id?: string | undefined;
  /** Absent: as every call of this sandbox. */
  forwardedFor?: string | undefined;
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
  /**
   * V2's manual confirm: the buyer authenticates and comes back with a token; nothing is charged, and
   * no confirm_url asked, until `POST /payments/{id}/confirm` says so.
   */
  authenticate(request: PayRequest): Promise<Authentication>;
  /** An attempt left open, or failed, is paid after all. false: it cannot be any more. */
  approve(paymentId: string): boolean;
  /** An attempt left open fails. false: it is not open. */
  fail(paymentId: string, reason?: string): boolean;
  /** The cardholder disputes the payment with the bank (V2). false: nothing paid to dispute. */
  dispute(paymentId: string, reason?: string): boolean;
  resolveDispute(paymentId: string): boolean;
  /** The console sends a webhook once more, the latest unless told. false: there is none. */
  resendInConsole(paymentId: string, webhookId?: string): boolean;
  /** The buyer pays into the virtual account of `paymentId`. */
  deposit(paymentId: string): DepositOutcome;
  /** A cancellation in the admin console, which always sends a webhook. */
  cancelInConsole(paymentId: string, amount?: number, reason?: string): CancelOutcome;
  /** What the PG had only taken is carried out now, or given up; how many there were. */
  finishCancellations(paymentId: string): number;
  sendWebhook(webhook: LooseWebhook): Promise<ConfirmAnswer>;
  /** Signed, to the console's URL. */
  sendBillingKey(event: BillingKeyEvent, billingKey?: string): Promise<ConfirmAnswer>;
  /** Rotates V2's webhook secret, from then on. Throws a TypeError where there is no second one. */
  signWith(secrets: SignWith): void;
  /** The console's settings, changeable while running. */
  configure(settings: { confirmUrl?: string; webhookUrl?: string }): void;
  /** Everybody's, or one order's. */
  books(merchantUid?: string): Books;
  /** Resolves when no payment, late payment, delayed webhook or retry is outstanding. */
  idle(): Promise<void>;
  close(): Promise<void>;
}
