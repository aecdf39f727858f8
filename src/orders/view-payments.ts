// An order's payments as the organizer's API shows them: what each asked, paid and gave back.

export interface VerdictRow {
  paymentId: string;
  code: string;
  position: number | null;
  decidedAt: Date;
}

interface RefundRow {
  id: number;
  state: string;
  amount: number;
  whole: boolean;
  seats: string[];
  reason: string;
  requestedBy: string;
  requestedAt: Date;
  doneAt: Date | null;
  byHand: boolean;
  lastError: string | null;
}

export interface PaymentRow {
  paymentId: string;
  status: string;
  amount: number;
  cancelledAmount: number;
  method: string | null;
  depositBy: Date | null;
  cancelPending: boolean;
  bypassed: boolean;
  flag: string | null;
  /** Oldest first. */
  refunds: RefundRow[];
}

/** Every payment that asked or was heard of, in order of its verdict. */
export function viewPayments(verdicts: VerdictRow[], payments: PaymentRow[]) {
  const byId = new Map(payments.map((payment) => [payment.paymentId, payment]));
  const verdictOf = new Map(verdicts.map((verdict) => [verdict.paymentId, verdict]));
  const ids = new Set([...verdictOf.keys(), ...byId.keys()]);
  return [...ids].map((paymentId) =>
    viewPayment(paymentId, verdictOf.get(paymentId), byId.get(paymentId)),
  );
}

function viewPayment(paymentId: string, verdict?: VerdictRow, payment?: PaymentRow) {
  const refunds = payment?.refunds.map(viewRefund) ?? [];
  const newest = refunds.at(-1);
  return {
    paymentId,
    verdict: verdict?.code ?? null,
    position: verdict?.position ?? null,
    decidedAt: verdict?.decidedAt.toISOString() ?? null,
    status: payment?.status ?? null,
    amount: payment?.amount ?? null,
    cancelledAmount: payment?.cancelledAmount ?? null,
    method: payment?.method ?? null,
    depositBy: payment?.depositBy?.toISOString() ?? null,
    cancelPending: payment?.cancelPending ?? false,
    bypassed: payment?.bypassed ?? false,
    flag: payment?.flag ?? null,
    refund: newest ? { state: newest.state, amount: newest.amount, reason: newest.reason } : null,
    refunds,
  };
}

function viewRefund(refund: RefundRow) {
  return {
    id: refund.id,
    state: refund.state,
    amount: refund.amount,
    whole: refund.whole,
    seats: refund.seats,
    reason: refund.reason,
    requestedBy: refund.requestedBy,
    requestedAt: refund.requestedAt.toISOString(),
    doneAt: refund.doneAt?.toISOString() ?? null,
    byHand: refund.byHand,
    lastError: refund.lastError,
  };
}
