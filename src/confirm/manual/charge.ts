// One charge: asks PortOne for it, reads the payment back, settles it, and answers by what stands.

import { type SettleOptions, settlePayment } from '../../payments/settle-payment.ts';
import { GatewayUnreachable, type ManualConfirm, type PaymentApi } from '../../portone/payment.ts';
import { type Confirmed, refuse } from '../verdict.ts';
import {
  ACTOR,
  type ChargeRecord,
  endRefusedHold,
  isChargeable,
  loadCharge,
  recordAnswer,
  recordFailure,
} from './charge-record.ts';
import { type ChargeAnswer, type Fate, fateOf, type ReadBack } from './fate.ts';
import { confirmedBy, outcomeOnRecord } from './on-record.ts';
import {
  type ChargeOutcome,
  MONEY_BACK,
  NO_ACCOUNTS,
  NOT_CHARGED,
  notApproved,
  UNKNOWN,
  UNKNOWN_SEATLESS,
} from './outcome.ts';

/**
 * A lost answer, or one that another call of the same charge is still waiting for, is asked for
 * again: the key makes it one charge. Beyond this the caller has waited long enough.
 */
const ASK_AGAIN_FOR_MS = 10_000;
const ASK_AGAIN_AFTER_MS = 400;

/** The look afterwards: two questions, each sent three times with up to 2 s in between. */
const LOOK_CALLS_MAX = 6;
const LOOK_PAUSES_MS = 8_000;
/** A bank that is slower than it should be, and clocks that differ. */
const MARGIN_MS = 15_000;

/** From its beginning until it is surely over; so long a hold is kept for it. */
export function longestChargeMs(limits: {
  confirmTimeoutMs: number;
  timeoutMs: number;
  /** PortOne goes on for so long, though we may have stopped listening before. */
  doubtMs: number;
}): number {
  const { confirmTimeoutMs, timeoutMs, doubtMs } = limits;
  const askingMs = ASK_AGAIN_FOR_MS + ASK_AGAIN_AFTER_MS + Math.max(confirmTimeoutMs, doubtMs);
  return askingMs + LOOK_CALLS_MAX * timeoutMs + LOOK_PAUSES_MS + MARGIN_MS;
}

export interface ChargeOptions extends SettleOptions {
  /** See longestChargeMs. */
  chargeMaxMs: number;
  askAgainForMs?: number;
}

export class Charge {
  constructor(
    private readonly options: ChargeOptions,
    private readonly api: PaymentApi,
    /** Null where the hold's own time is over, and only what was begun is to be ended. */
    private readonly verdict: Confirmed | null,
    private readonly orderId: number,
    private readonly wish: ManualConfirm & { paymentId: string },
  ) {}

  /**
   * Never throws: once PortOne was asked, whatever fails on our side leaves the matter open.
   * @param onOver the charge is over, and was neither approved nor refused
   */
  async run(onOver: () => Promise<void> = async () => undefined): Promise<ChargeOutcome> {
    const { answer, seen, fate } = await this.chargeOnce();
    if (fate === 'waiting') await this.over(onOver);
    // Before it is sold: whoever finds it sold finds also when it was paid.
    if (fate === 'paid' && answer.outcome === 'paid') await this.record('charged', answer.paidAt);
    const settled = await this.settle(seen);
    this.log('info', { outcome: answer.outcome, fate, settled }, 'charge asked for');
    try {
      return await this.outcomeOf(fate, answer, seen, settled);
    } catch (error) {
      this.log('warn', { fate, error: (error as Error).message }, 'charge not looked up');
      return fate === 'paid' ? this.paid(answer) : UNKNOWN;
    }
  }

  /** Without a hold nothing is asked for any more: only what became of the charge. Never throws. */
  async look(): Promise<ChargeOutcome> {
    const seen = await this.readBack();
    const fate = fateOf(NO_ANSWER, seen, this.wish.paymentId);
    const settled = await this.settle(seen);
    this.log('info', { fate, settled }, 'charge looked up');
    try {
      const record = await this.load();
      const known = record && (await this.onRecord(record));
      if (known) return known;
      if (fate !== 'unknown') return await this.outcomeOf(fate, NO_ANSWER, seen, settled);
      return seen === 'unread' || this.mayStillCome(record?.askedAt)
        ? UNKNOWN_SEATLESS
        : NOT_CHARGED;
    } catch (error) {
      this.log('warn', { fate, error: (error as Error).message }, 'charge not looked up');
      return UNKNOWN_SEATLESS;
    }
  }

  /** Before it is settled, which says how long the hold waits from here on. */
  private async over(onOver: () => Promise<void>): Promise<void> {
    try {
      await onOver();
    } catch (error) {
      this.log('warn', { error: (error as Error).message }, 'hold kept longer than it need be');
    }
  }

  private mayStillCome(askedAt: string | null = null): boolean {
    if (askedAt === null) return false;
    return Date.parse(askedAt) + this.options.chargeMaxMs > this.options.clock.now().getTime();
  }

  private load(): Promise<ChargeRecord | null> {
    return loadCharge(this.options, this.wish.merchantUid, this.wish.paymentId);
  }

  private onRecord(record: ChargeRecord): Promise<ChargeOutcome | null> {
    return outcomeOnRecord(this.options.database, record, this.wish.paymentId);
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
    try {
      const record = await this.load();
      const now = this.options.clock.now();
      return record !== null && isChargeable(record, this.wish.paymentId, now);
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
        return settled ? this.standing(this.waiting(seen), seen) : UNKNOWN;
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
    const record = await this.load();
    return (record && (await this.onRecord(record))) ?? UNKNOWN;
  }

  /** The order as it is now that the payment is settled: same seats, other seats, or none. */
  private async standing(told: ChargeOutcome, seen: ReadBack): Promise<ChargeOutcome> {
    const record = await this.load();
    const hold = record?.hold;
    if (!hold || hold.paymentId !== this.wish.paymentId) return this.seatless(told, seen);
    return {
      ...told,
      // The deposit may be there already.
      ...(hold.state === 'sold' ? { paid: true, paidAt: record.answers.charged ?? null } : {}),
      verdict: await confirmedBy(this.options.database, record, hold),
    };
  }

  private seatless({ paid }: ChargeOutcome, seen: ReadBack): ChargeOutcome {
    if (paid) return MONEY_BACK;
    const account = seen !== 'unread' && seen?.status === 'waiting_deposit';
    return account ? NO_ACCOUNTS : NOT_CHARGED;
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
    // Not settled yet, and no hold of which could be said that it will be sold.
    if (!this.verdict) return UNKNOWN;
    const paidAt = answer.outcome === 'paid' ? answer.paidAt : null;
    return { verdict: this.verdict, paid: true, paidAt };
  }

  private waiting(seen: ReadBack): ChargeOutcome {
    const depositBy = seen === null || seen === 'unread' ? null : seen.depositBy;
    // Settled: the verdict is read from what stands.
    const verdict = this.verdict ?? refuse('hold_ended');
    return { verdict, paid: false, depositBy: depositBy?.toISOString() ?? null };
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

const NO_ANSWER: ChargeAnswer = { outcome: 'unknown' };

function isFinal(seen: ReadBack): boolean {
  return seen !== null && seen !== 'unread' && ['paid', 'cancelled'].includes(seen.status);
}

function typeOf(answer: ChargeAnswer, seen: ReadBack): string {
  if (answer.outcome === 'refused') return answer.type;
  if (answer.outcome === 'already_paid') return 'ALREADY_PAID';
  return seen === null || seen === 'unread' ? 'UNKNOWN' : seen.status.toUpperCase();
}
