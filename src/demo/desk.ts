// The person at the organizer's desk: looks at what waits for them, and sees to it, case by case.

import { setTimeout as sleep } from 'node:timers/promises';
import type { CaseView } from '../audit/list-cases.ts';
import type { Deals } from './deals.ts';
import type { EventPlan } from './events.ts';
import type { Organizer } from './organizer.ts';

const ROUND_EVERY_MS = 600;

/** As each gateway writes it. */
const ACCOUNT = { number: '110-123-456789', holder: 'Hong Gildong', phone: '010-1234-5678' };
const BANK = { v1: '004', v2: 'KOOKMIN' } as const;

export interface DeskParts {
  organizer: Organizer;
  events: EventPlan[];
  deals: Deals;
  signal: AbortSignal;
}

export class Desk {
  private working: Promise<void> | null = null;
  private leaving = false;
  private failure: unknown = null;

  constructor(private readonly parts: DeskParts) {}

  sitDown(): void {
    this.working = this.work().catch((error: unknown) => {
      this.failure = error;
    });
  }

  /** @throws what went wrong while nobody looked */
  async getUp(): Promise<void> {
    this.leaving = true;
    await this.working;
    if (this.failure !== null) throw this.failure;
  }

  /** @returns how many cases were open when it began */
  async round(): Promise<number> {
    let open = 0;
    for (const event of this.parts.events) {
      const cases = await this.parts.organizer.cases(event.slug, true);
      for (const one of cases) await this.see(event, one);
      open += cases.length;
    }
    return open;
  }

  private async work(): Promise<void> {
    while (!this.leaving) {
      await this.round();
      await sleep(ROUND_EVERY_MS, undefined, { signal: this.parts.signal });
    }
  }

  private see(event: EventPlan, one: CaseView): Promise<void> {
    switch (one.kind) {
      case 'refund':
        return this.refund(one);
      case 'partial_cancel':
        return this.partialCancel(event, one);
      case 'dispute':
        return this.dispute(one);
      case 'paid_back_twice':
      case 'unknown_payment':
        // Nobody here can explain it: it stays open, and the demo fails on it.
        return Promise.resolve();
    }
  }

  /** Asked for their account, the buyer names it. */
  private async refund({ id, refund }: CaseView): Promise<void> {
    if (refund?.state !== 'needs_person' || refund.lastError !== 'needs_account') return;
    const { organizer } = this.parts;
    const bank = BANK[await organizer.gatewayOf(id)];
    await organizer.giveAccount(id, { bank, ...ACCOUNT });
  }

  /** The price of whole seats takes them back, as long as the buyer keeps one; anything else stands. */
  private async partialCancel(event: EventPlan, one: CaseView): Promise<void> {
    const { organizer, deals } = this.parts;
    const { id, merchantUid, amount } = one;
    const order = await organizer.order(merchantUid);
    const seats = amount / event.price;
    const going =
      Number.isInteger(seats) && seats < order.seats.length ? order.seats.slice(-seats) : [];
    const releaseSeats = going.map(({ label }) => label);
    const note = going.length > 0 ? 'the seats go back with it' : 'a goodwill';
    const closed = await organizer.closeCase(id, { note, amount, releaseSeats });
    if (!closed) return;
    const allowance = amount - going.length * event.price;
    deals.add(merchantUid, { seatsBack: going.length, allowance });
  }

  /** Over once the money is back; until then the bank may still resolve it. */
  private async dispute({ id, merchantUid }: CaseView): Promise<void> {
    const { organizer } = this.parts;
    const { status } = await organizer.order(merchantUid);
    if (status !== 'paid') await organizer.closeCase(id, { note: 'the money is back' });
  }
}
