// A payment as PortOne describes it, in one shape for V1 and V2.

import type { Gateway } from './gateway.ts';

export type PaymentStatus = 'ready' | 'waiting_deposit' | 'paid' | 'failed' | 'cancelled';

export interface PaymentSnapshot {
  gateway: Gateway;
  /** V1 `imp_uid`, V2 `transactionId`. */
  paymentId: string;
  /** V1 `merchant_uid`, V2 `paymentId`. */
  merchantUid: string;
  /** `cancelled` only when nothing is left; a partial cancellation stays `paid`. */
  status: PaymentStatus;
  amount: number;
  cancelledAmount: number;
  currency: string;
  /** Made over a test channel: no money moved. */
  test: boolean;
  method: string | null;
  /** For `waiting_deposit`: until when the buyer may pay in. */
  depositBy: Date | null;
}

export interface PaymentRef {
  gateway: Gateway;
  paymentId: string;
  merchantUid: string;
}

export type CancelResult =
  | { outcome: 'done' }
  /** The gateway took the wish and will carry it out later. */
  | { outcome: 'pending' }
  /** It will not do it, now or later: a person must look. */
  | { outcome: 'refused'; message: string };

/** One version of PortOne's REST API. Every method throws GatewayUnreachable where it gets no answer. */
export interface PaymentApi {
  /** @returns null where PortOne knows no such payment */
  read(ref: PaymentRef): Promise<PaymentSnapshot | null>;
  /** The payment of the order that was paid, whichever attempt it was; null where none was. */
  readPaidOfOrder(merchantUid: string): Promise<PaymentSnapshot | null>;
  /** Cancels all that is left, provided that this is what we think it is. */
  cancel(payment: PaymentSnapshot, reason: string): Promise<CancelResult>;
  /** Tells the amount of an order, so that the payment window opens for no other. */
  register(merchantUid: string, amount: number, currency: string): Promise<void>;
}

export class GatewayUnreachable extends Error {
  constructor(what: string, cause?: unknown) {
    super(what, { cause });
    this.name = 'GatewayUnreachable';
  }
}
