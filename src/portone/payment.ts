// A payment as PortOne describes it, and what can be asked of PortOne, in one shape for V1 and V2.

import type { Gateway } from './gateway.ts';

export type PaymentStatus =
  | 'ready'
  /** The gateway waits for somebody else's approval (PayPal). */
  | 'pending'
  | 'waiting_deposit'
  | 'paid'
  | 'failed'
  | 'cancelled';

export interface PaymentSnapshot {
  gateway: Gateway;
  /** V1 `imp_uid`, V2 `transactionId`. */
  paymentId: string;
  /** V1 `merchant_uid`, V2 `paymentId`. */
  merchantUid: string;
  /**
   * `cancelled` only when it was paid and nothing is left; a partial cancellation stays `paid`. An
   * account that was closed before any money came is `failed`, whatever the gateway calls it.
   */
  status: PaymentStatus;
  amount: number;
  cancelledAmount: number;
  currency: string;
  /** Made over a test channel: no money moved. */
  test: boolean;
  method: string | null;
  /** Paid into an account made for the buyer, who must name another one to be paid back. */
  virtualAccount: boolean;
  /** For a virtual account: until when the buyer may pay in. */
  depositBy: Date | null;
  /** A cancellation was taken and is not carried out yet. */
  cancelPending: boolean;
  /** When the money came, by the gateway's clock; null where it has not, or it does not say. */
  paidAt: Date | null;
}

export interface ManyRead {
  known: PaymentSnapshot[];
  /** PortOne did answer about these, but nothing of use: they may exist or not. */
  unread: PaymentRef[];
}

export interface PaymentRef {
  gateway: Gateway;
  paymentId: string;
  merchantUid: string;
}

/** Where the money of a virtual account goes back to. */
export interface RefundAccount {
  /** The bank as the gateway knows it: V1 the provider's code, V2 the bank's name. */
  bank: string;
  number: string;
  holder: string;
  phone: string | null;
}

export interface CancelRequest {
  /** As it was just read: what is left of it is told along, and a difference stops the call. */
  payment: PaymentSnapshot;
  /** Won to go back; null for all that is left. */
  amount: number | null;
  reason: string;
  /** The same for every try of which the answer is not known; V2 then acts once. */
  key: string;
  account: RefundAccount | null;
}

export type CancelResult =
  | { outcome: 'done' }
  /** The gateway took the wish and will carry it out later. */
  | { outcome: 'pending' }
  /** What is left differs from what we think: somebody else moved money. Read again. */
  | { outcome: 'changed' }
  /** It will not do it, now or later: a person must look. */
  | { outcome: 'refused'; message: string };

/** `not_open`: there is no account that waits. `unsupported`: the provider cannot close it. */
export type CloseResult = 'closed' | 'not_open' | 'unsupported';

export type RegisterResult =
  | { outcome: 'done' }
  /** It will not take it, now or later: paid already, or an id that it does not allow. */
  | { outcome: 'refused'; message: string };

export interface ManualConfirm {
  merchantUid: string;
  paymentToken: string;
  amount: number;
  currency: string;
  paymentId: string | null;
  /** False where test payments are refused: PortOne then refuses them too. */
  testAllowed: boolean;
  key: string;
}

export type ManualConfirmResult =
  | { outcome: 'paid'; paidAt: string | null }
  /** An account was issued: the money is still to come. */
  | { outcome: 'accepted' }
  /** Another attempt of this order was paid before. */
  | { outcome: 'already_paid' }
  | {
      outcome: 'refused';
      /** The gateway's own word, as `INFORMATION_MISMATCH`. */
      type: string;
      message: string;
    };

/**
 * One version of PortOne's REST API. Every method throws GatewayUnreachable where it gets no
 * answer: what was asked may then have happened, or not.
 */
export interface PaymentApi {
  /** @returns null where PortOne knows no such payment */
  read(ref: PaymentRef): Promise<PaymentSnapshot | null>;
  /** Those of them that PortOne knows, in as few calls as it allows. At most 100. */
  readMany(refs: PaymentRef[]): Promise<ManyRead>;
  /** Every attempt to pay an order, the latest first; at most 100. */
  readAttempts(merchantUid: string): Promise<PaymentSnapshot[]>;
  /** Every payment of a window of at most 90 days, a page at a time. */
  list(window: { from: Date; to: Date }): AsyncIterable<PaymentSnapshot[]>;
  cancel(request: CancelRequest): Promise<CancelResult>;
  /** Ends a virtual account, so that nothing can be paid into it any more. */
  closeAccount(ref: PaymentRef): Promise<CloseResult>;
  /** Tells the amount of an order, so that the payment window opens for no other. */
  register(merchantUid: string, amount: number, currency: string): Promise<RegisterResult>;
  /** Asks for the charge that waits for our word; null where this version has no such door. */
  confirm: ((request: ManualConfirm) => Promise<ManualConfirmResult>) | null;
}

export class GatewayUnreachable extends Error {
  constructor(what: string, cause?: unknown) {
    super(what, { cause });
    this.name = 'GatewayUnreachable';
  }
}

/** It did answer, but nothing of use about what was asked: others can be asked about all the same. */
export class UnusableAnswer extends GatewayUnreachable {
  constructor(what: string) {
    super(what);
    this.name = 'UnusableAnswer';
  }
}
