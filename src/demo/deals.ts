// What the organizer gave away, or took back, by their own word: what explains each order's money.

export interface Deal {
  /** Seats that went back while others of the order stay. */
  seatsBack: number;
  /** Won given back with the seats left; below nought: kept with the seats gone. */
  allowance: number;
}

const NONE: Deal = { seatsBack: 0, allowance: 0 };

export class Deals {
  private readonly byOrder = new Map<string, Deal>();

  of(merchantUid: string): Deal {
    return this.byOrder.get(merchantUid) ?? NONE;
  }

  add(merchantUid: string, deal: Deal): void {
    const before = this.of(merchantUid);
    this.byOrder.set(merchantUid, {
      seatsBack: before.seatsBack + deal.seatsBack,
      allowance: before.allowance + deal.allowance,
    });
  }
}
