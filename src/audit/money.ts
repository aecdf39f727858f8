// An event's money in one currency, added up: what came, what went back, what the seats cost.

/** As prisma/sql/audit_money.sql has it. */
export interface MoneyRow {
  currency: string;
  paid: number;
  refunded: number;
  byHand: number;
  allowances: number;
  seatsSold: number;
  openCount: number;
  openAmount: number;
  ordersAstray: number;
}

export interface Money {
  currency: string;
  /** What buyers paid in. */
  paid: number;
  /** Given back through the gateway. */
  refunded: number;
  /** Given back by the organizer outside of it. */
  byHand: number;
  /** `paid - refunded - byHand`. */
  kept: number;
  /** What the seats that are sold now cost. */
  seatsSold: number;
  /** Given back with the seats left to the buyer; below nought: kept with the seats gone. */
  allowances: number;
  /** Refunds and cases that are open, and the difference that they explain. */
  openCases: { count: number; amount: number };
  /** `kept + allowances - seatsSold - openCases.amount`: what nothing explains; zero when well. */
  difference: number;
}

export function moneyOf(row: MoneyRow): Money {
  const { currency, paid, refunded, byHand, seatsSold, allowances, openCount, openAmount } = row;
  const kept = paid - refunded - byHand;
  return {
    currency,
    paid,
    refunded,
    byHand,
    kept,
    seatsSold,
    allowances,
    openCases: { count: openCount, amount: openAmount },
    difference: kept + allowances - seatsSold - openAmount,
  };
}
