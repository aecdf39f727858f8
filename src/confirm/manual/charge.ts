// One charge: asks PortOne for it, reads the payment back, settles it, and answers by what stands.

import { type SettleOptions, settlePayment } from '../../payments/settle-payment.ts';
import { GatewayUnreachable, type ManualConfirm, type PaymentApi } from '../../portone/payment.ts';
import { loadHoldSeats } from '../../seats/hold-seats.ts';
import { type Confirmed, type Refused, refuse, type Verdict } from '../verdict.ts';
import {
  ACTOR,
  endRefusedHold,
  isChargeable,
  loadCharge,
  recordAnswer,
  recordFailure,
} from './charge-record.ts';
import { type ChargeAnswer, type Fate, fateOf, type ReadBack, refusalOf } from './fate.ts';
import type { Occasion } from './texts.ts';

/**
 * A lost answer, or one that another call of the same charge is still waiting for, is asked for
 * again: the key makes it one charge. Beyond this the caller has waited long enough.
 */
const ASK_AGAIN_FOR_MS = 10_000;
const ASK_AGAIN_AFTER_MS = 400;

export interface ChargeOptions extends SettleOptions {
  askAgainForMs?: number;
}

export interface Charged {
  /** Null: nobody knows yet. */
  paid: boolean | null;
  /** RFC 3339, by PortOne; null where only the payment itself was seen. */
  paidAt?: string | null;
  /** For an account: until when the money may come. */
  depositBy?: string | null;
  gateway?: { type: string; message?: string };
}

export interface ChargeOutcome extends Charged {
  verdict: Verdict;
  occasion?: Occasion;
}

export class Charge {
  constructor(
    private readonly options: ChargeOptions,
    private readonly api: PaymentApi,
    private readonly verdict: Confirmed,
    private readonly orderId: number,
    private readonly wish: ManualConfirm & { paymentId: string },
  ) {}

  /** Never throws: once PortOne was asked, whatever fails on our side leaves the matter open. */
  async run(): Promise<ChargeOutcome> {
    const { answer, seen, fate } = await this.chargeOnce();
    // Before it is sold: whoever finds it sold finds also when it was paid.
    if (fate === 'paid' && answer.outcome === 'paid') await this.record('charged', answer.paidAt);
    const settled = await this.settle(seen);
    this.log('info', { outcome: answer.outcome, fate, settled }, 'charge asked for');
    try {
      return await this.outcomeOf(fate, answer, seen, settled);
    } catch (error) {
      this.log('warn', { fate, error: (error as Error).message }, 'charge not looked up');
      return fate === 'paid' ? this.paid(answer) : unknown();
    }
  }

  private async chargeOnce(): Promise<{ answer: ChargeAnswer; seen: ReadBack; fate: Fate }> {
    const startedAt = performance.now();
    const { askAgainForMs = ASK_AGAIN_FOR_MS } = this.options;
    for (;;) {
      const answer = await this.ask();
      const seen = await this.readBack();
      const fate = fateOf(answer, seen, this.wish.paymentId);
      const late = performance.now() - startedAt > askAgainForMs;
      if (answer.outcome !== 'unknown' || fate !== 'unknown' || late) return { answer, seen, fate };
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_AFTER_MS));
      if (!(await this.stillHeld())) return { answer, seen, fate };
    }
  }

  /** No charge is asked for without the hold, and another call may have ended the matter. */
  private async stillHeld(): Promise<boolean> {
    const { merchantUid, paymentId } = this.wish;
    try {
      const record = await loadCharge(this.options, merchantUid, paymentId);
      return record !== null && isChargeable(record, paymentId, this.options.clock.now());
    } catch {
      return false;
    }
  }

  private async ask(): Promise<ChargeAnswer> {
    try {
      return (await this.api.confirm?.(this.wish)) ?? { outcome: 'unknown' };
    } catch (error) {
      const level = error instanceof GatewayUnreachable ? 'warn' : 'error';
      this.log(level, { error: (error as Error).message }, 'no answer about a charge');
      return { outcome: 'unknown' };
    }
  }

  private async readBack(): Promise<ReadBack> {
    const { merchantUid, paymentId } = this.wish;
    try {
      return await this.api.read({ gateway: 'v2', merchantUid, paymentId });
    } catch (error) {
      this.log('warn', { error: (error as Error).message }, 'charge not read back');
      return 'unread';
    }
  }

  /** At once, so that the order is sold when the answer is written; webhooks come later. */
  private async settle(seen: ReadBack): Promise<boolean> {
    if (seen === null || seen === 'unread') return false;
    if (seen.paymentId !== this.wish.paymentId && seen.status !== 'paid') return false;
    try {
      // A failure is only noted: its seats may be another attempt's, see endRefusedHold.
      if (seen.status === 'failed') await recordFailure(this.options, this.orderId, seen);
      else await settlePayment(this.options, seen, ACTOR);
      return true;
    } catch (error) {
      this.log('warn', { error: (error as Error).message }, 'charge not settled yet');
      return false;
    }
  }

  private async outcomeOf(
    fate: Fate,
    answer: ChargeAnswer,
    seen: ReadBack,
    settled: boolean,
  ): Promise<ChargeOutcome> {
    switch (fate) {
      case 'paid':
        // PortOne's own books may lag behind its word.
        return settled && isFinal(seen)
          ? this.standing(this.paid(answer), seen)
          : this.paid(answer);
      case 'waiting':
        return settled ? this.standing(this.waiting(seen), seen) : unknown();
      case 'paid_elsewhere':
        return { verdict: refuse('already_paid'), paid: false };
      case 'not_paid':
        return this.refused(answer, seen);
      case 'unknown':
        return this.meanwhile();
    }
  }

  /** No answer for us; another call of the same charge, or a webhook, may have had one. */
  private async meanwhile(): Promise<ChargeOutcome> {
    const { merchantUid, paymentId } = this.wish;
    const record = await loadCharge(this.options, merchantUid, paymentId);
    const { charged = null, charge_refused: refused } = record?.answers ?? {};
    const { hold } = record ?? {};
    if (hold?.state === 'sold' && hold.paymentId === paymentId) {
      return { verdict: this.verdict, paid: true, paidAt: charged };
    }
    return refused === undefined ? unknown() : notApproved(refused);
  }

  /** The order as it is now that the payment is settled: same seats, other seats, or none. */
  private async standing(told: ChargeOutcome, seen: ReadBack): Promise<ChargeOutcome> {
    const { merchantUid, paymentId } = this.wish;
    const record = await loadCharge(this.options, merchantUid, paymentId);
    const hold = record?.hold?.paymentId === paymentId ? record.hold : null;
    if (!hold) return this.seatless(told, seen);
    const seats = (await loadHoldSeats(this.options.database.prisma, [hold.id])).get(hold.id);
    const holdExpiresAt = new Date(hold.expiresAt).toISOString();
    return {
      ...told,
      // The deposit may be there already.
      ...(hold.state === 'sold' ? { paid: true, paidAt: record?.answers.charged ?? null } : {}),
      verdict: { ...this.verdict, holdId: hold.id, seats: seats ?? [], holdExpiresAt },
    };
  }

  private seatless({ paid }: ChargeOutcome, seen: ReadBack): ChargeOutcome {
    if (paid) return { verdict: refuse('hold_ended'), paid, occasion: 'money_back' };
    const account = seen !== 'unread' && seen?.status === 'waiting_deposit';
    if (!account) return { verdict: refuse('hold_ended'), paid: false, occasion: 'not_approved' };
    return NO_ACCOUNTS;
  }

  private async refused(answer: ChargeAnswer, seen: ReadBack): Promise<ChargeOutcome> {
    const type = typeOf(answer, seen);
    await this.record('charge_refused', type);
    await endRefusedHold(this.options, this.orderId).catch((error: Error) => {
      // It is asked about once more when its time is over.
      this.log('warn', { error: error.message }, 'hold of a refused charge not ended yet');
    });
    // Issued and closed again at once: whoever heard of the account first has refused it.
    if (answer.outcome === 'accepted' || answer.outcome === 'paid') return NO_ACCOUNTS;
    return notApproved(type, answer.outcome === 'refused' ? answer.message : undefined);
  }

  private paid(answer: ChargeAnswer): ChargeOutcome {
    const paidAt = answer.outcome === 'paid' ? answer.paidAt : null;
    return { verdict: this.verdict, paid: true, paidAt };
  }

  private waiting(seen: ReadBack): ChargeOutcome {
    const depositBy = seen === null || seen === 'unread' ? null : seen.depositBy;
    return { verdict: this.verdict, paid: false, depositBy: depositBy?.toISOString() ?? null };
  }

  private async record(step: 'charged' | 'charge_refused', detail: string | null): Promise<void> {
    try {
      const { paymentId } = this.wish;
      await recordAnswer(this.options, this.orderId, paymentId, { step, detail });
    } catch (error) {
      this.log('warn', { step, error: (error as Error).message }, 'answer not recorded');
    }
  }

  private log(level: 'info' | 'warn' | 'error', facts: object, what: string): void {
    const { merchantUid, paymentId } = this.wish;
    this.options.log[level]({ merchantUid, paymentId, ...facts }, what);
  }
}

const NO_ACCOUNTS: ChargeOutcome = {
  verdict: refuse('refused_by_organizer'),
  paid: false,
  occasion: 'no_accounts',
};

/** @param type PortOne's word for it */
export function notApproved(type: string, message?: string): ChargeOutcome {
  const verdict: Refused = refusalOf(type);
  return {
    verdict,
    paid: false,
    gateway: { type, ...(message === undefined ? {} : { message }) },
    ...(verdict.code === 'hold_ended' ? { occasion: 'not_approved' as const } : {}),
  };
}

function isFinal(seen: ReadBack): boolean {
  return seen !== null && seen !== 'unread' && ['paid', 'cancelled'].includes(seen.status);
}

function unknown(): ChargeOutcome {
  return { verdict: refuse('timed_out'), paid: null, occasion: 'charge_unknown' };
}

function typeOf(answer: ChargeAnswer, seen: ReadBack): string {
  if (answer.outcome === 'refused') return answer.type;
  if (answer.outcome === 'already_paid') return 'ALREADY_PAID';
  return seen === null || seen === 'unread' ? 'UNKNOWN' : seen.status.toUpperCase();
}
