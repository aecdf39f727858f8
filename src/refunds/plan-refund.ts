// What a wish for a refund comes to: which payment, how much, which seats; or why it cannot be.

export interface RefundWishes {
  /** Needed only where several payments of the order were paid. */
  paymentId?: string | undefined;
  /** Won; absent with seats: their prices; absent without: all that is left. */
  amount?: number | undefined;
  /** Labels of sold seats that go back with the money. */
  seats?: string[] | undefined;
  reason: string;
}

export interface EarlierRefund {
  id: number;
  state: 'requested' | 'needs_person' | 'done';
  amount: number;
  whole: boolean;
  seats: string[];
  reason: string;
  requestedBy: string;
  byHand: boolean;
  /** RFC 3339. */
  doneAt: string | null;
}

export interface RefundablePayment {
  paymentId: string;
  status: string;
  amount: number;
  cancelledAmount: number;
  /** Without those that failed; the newest first. */
  refunds: EarlierRefund[];
}

export interface Refundable {
  id: number;
  payments: RefundablePayment[];
  hold: { paymentId: string; seats: { label: string; price: number }[] } | null;
}

export interface PlannedRefund {
  paymentId: string;
  amount: number;
  whole: boolean;
  /** Those that go back; for a whole refund all of the order's. */
  seats: string[];
}

export type PlanRefusal =
  | { reason: 'unknown_payment' }
  | { reason: 'not_paid' }
  /** One of these must be named. */
  | { reason: 'several_payments'; paymentIds: string[] }
  | { reason: 'nothing_left' }
  | { reason: 'too_much'; left: number }
  | { reason: 'unknown_seats'; seats: string[] }
  /** All of the money, and not all of the seats: PortOne's books would know of no sale. */
  | { reason: 'seats_remain'; seats: string[] };

export type Plan = ({ ok: true } & PlannedRefund) | ({ ok: false } & PlanRefusal);

export function planRefund(order: Refundable, wishes: RefundWishes): Plan {
  const chosen = choosePayment(order, wishes.paymentId);
  if ('reason' in chosen) return { ok: false, ...chosen };
  const { paymentId } = chosen;
  const sold = soldWith(order, paymentId);
  const byHand = chosen.refunds.filter((r) => r.byHand).reduce((sum, r) => sum + r.amount, 0);
  const left = chosen.amount - chosen.cancelledAmount - byHand;
  if (chosen.status !== 'paid' || left <= 0) return { ok: false, reason: 'nothing_left' };
  const named = wishes.seats && new Set(wishes.seats);
  const unknown = wishes.seats?.filter((label) => !sold.some((seat) => seat.label === label)) ?? [];
  if (unknown.length > 0) return { ok: false, reason: 'unknown_seats', seats: unknown };
  const going = named ? sold.filter((seat) => named.has(seat.label)) : [];
  const priced = named ? going.reduce((sum, seat) => sum + seat.price, 0) : left;
  const amount = wishes.amount ?? priced;
  if (amount > left) return { ok: false, reason: 'too_much', left };
  const labels = (seats: { label: string }[]) => seats.map((seat) => seat.label);
  if (amount < left) {
    return { ok: true, paymentId, amount, whole: false, seats: labels(going) };
  }
  const staying = named ? sold.filter((seat) => !named.has(seat.label)) : [];
  // PortOne keeps what was paid back by hand, so that the rest is a part to it.
  if (byHand > 0) {
    return { ok: true, paymentId, amount, whole: false, seats: labels(named ? going : sold) };
  }
  if (staying.length > 0) return { ok: false, reason: 'seats_remain', seats: labels(staying) };
  return { ok: true, paymentId, amount, whole: true, seats: labels(sold) };
}

function choosePayment(
  order: Refundable,
  named: string | undefined,
): RefundablePayment | PlanRefusal {
  const { payments, hold } = order;
  if (named !== undefined) {
    return payments.find((p) => p.paymentId === named) ?? { reason: 'unknown_payment' };
  }
  const ofHold = payments.find((p) => p.paymentId === hold?.paymentId);
  if (ofHold) return ofHold;
  const paid = payments.filter((p) => p.status === 'paid');
  if (paid.length > 1) {
    return { reason: 'several_payments', paymentIds: paid.map((p) => p.paymentId) };
  }
  return paid[0] ?? payments.at(-1) ?? { reason: 'not_paid' };
}

function soldWith({ hold }: Refundable, paymentId: string): { label: string; price: number }[] {
  return hold?.paymentId === paymentId ? hold.seats : [];
}

/** After this long the same words are a new wish. */
const REPEAT_MS = 600_000;

/**
 * The earlier refund that these very wishes asked for: still open, or done so lately that a client
 * which had no answer may be asking again.
 */
export function repeatOf(order: Refundable, wishes: RefundWishes, now: Date): EarlierRefund | null {
  const chosen = choosePayment(order, wishes.paymentId);
  if ('reason' in chosen) return null;
  const labels = soldWith(order, chosen.paymentId).map((seat) => seat.label);
  return chosen.refunds.find((r) => isRepeat(r, wishes, labels, now)) ?? null;
}

function isRepeat(r: EarlierRefund, wishes: RefundWishes, sold: string[], now: Date): boolean {
  if (!r.requestedBy.startsWith('organizer') || r.reason !== wishes.reason) return false;
  if (r.doneAt !== null && now.getTime() - Date.parse(r.doneAt) > REPEAT_MS) return false;
  const { amount, seats } = wishes;
  if (amount !== undefined && amount !== r.amount) return false;
  if (seats) return sameSet(seats, r.whole ? sold : r.seats);
  return r.whole || (amount !== undefined && r.seats.length === 0);
}

function sameSet(a: string[], b: string[]): boolean {
  return a.length === b.length && new Set([...a, ...b]).size === a.length;
}
