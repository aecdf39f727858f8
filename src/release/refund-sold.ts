// Sold seats that the organizer names: a refund is asked for, and they come back with its money.

import pLimit from 'p-limit';

/** One order's wish; how it is met is not this stage's business. */
export type AskForRefund = (
  wish: {
    merchantUid: string;
    paymentId: string;
    /** Absent: all of the order. */
    seats?: string[] | undefined;
    reason: string;
    dryRun: boolean;
  },
  actor: string,
) => Promise<AskedRefund>;

export type AskedRefund =
  | {
      ok: true;
      /** Null in a dry run. */
      id: number | null;
      amount: number;
      whole: boolean;
      seats: string[];
      state: string;
    }
  | { ok: false; detail: string };

export interface RequestedRefund {
  id: number | null;
  merchantUid: string;
  amount: number;
  whole: boolean;
  seats: string[];
  state: string;
}

export interface RefusedRefund {
  merchantUid: string;
  seats: string[];
  /** Why there is no refund. */
  detail: string;
}

export interface SoldSeat {
  label: string;
  merchantUid: string;
  paymentId: string;
}

export interface RefundSold {
  /** Every seat of every sold party that was touched. */
  sold: SoldSeat[];
  orders: string[];
  seats: string[];
  reason: string;
  dryRun: boolean;
  actor: string;
}

const CONCURRENT_MAX = 8;

/** By order: all of it. By seat: that seat alone, for a sold party may lose a part of it. */
export async function refundSold(
  ask: AskForRefund,
  { sold, orders, seats, reason, dryRun, actor }: RefundSold,
): Promise<{ refunds: RequestedRefund[]; refused: RefusedRefund[] }> {
  const parties = new Map<string, SoldSeat[]>();
  for (const seat of sold) {
    parties.set(seat.merchantUid, [...(parties.get(seat.merchantUid) ?? []), seat]);
  }
  const turn = pLimit(CONCURRENT_MAX);
  const refunds: RequestedRefund[] = [];
  const refused: RefusedRefund[] = [];
  const refund = async (merchantUid: string, party: SoldSeat[]) => {
    const whole = orders.includes(merchantUid);
    const labels = party.map((seat) => seat.label).filter((l) => whole || seats.includes(l));
    const paymentId = party[0]?.paymentId ?? '';
    const wish = { merchantUid, paymentId, reason, dryRun };
    const asked = await ask(whole ? wish : { ...wish, seats: labels }, actor);
    if (!asked.ok) refused.push({ merchantUid, seats: labels, detail: asked.detail });
    else {
      const { ok: _, ...made } = asked;
      refunds.push({ merchantUid, ...made });
    }
  };
  await Promise.all([...parties].map(([uid, party]) => turn(() => refund(uid, party))));
  return { refunds, refused };
}
