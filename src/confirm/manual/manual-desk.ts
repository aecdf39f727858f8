// Manual confirm: the same road as any confirm request, and on a seat we ask PortOne for the charge.

import { createHash } from 'node:crypto';
import { type BulkheadPolicy, BulkheadRejectedError, bulkhead } from 'cockatiel';
import { GatewayUnreachable, type PaymentApi } from '../../portone/payment.ts';
import type { Answer, Caller, ConfirmDesk } from '../desk.ts';
import type { ConfirmRequest } from '../request.ts';
import { refuse } from '../verdict.ts';
import { Charge, type ChargeOptions } from './charge.ts';
import { beginCharge, endCharge, loadCharge } from './charge-record.ts';
import { outcomeOnRecord } from './on-record.ts';
import type { Charged } from './outcome.ts';
import type { Occasion } from './texts.ts';

/** A charge is one open call to PortOne; a provider that is slow keeps it open for a minute. */
const CHARGES_AT_ONCE_MAX = 500;

export interface ManualOptions extends ChargeOptions {
  desk: ConfirmDesk;
  /** How many callers may be on the road at once; more are refused as overloaded. */
  waitingMax: number;
}

export interface ManualRequest {
  merchantUid: string;
  paymentToken: string;
  /** The attempt; null where the browser did not name it. */
  txId: string | null;
  amount: number | null;
}

/** `paid` is absent where PortOne was not asked for the charge. */
interface Told extends Partial<Charged> {
  verdict: Answer['verdict'];
  occasion?: Occasion;
}

export interface ManualAnswer extends Pick<Answer, 'language' | 'eventId'>, Told {
  /** Until the verdict; what PortOne then takes is the bank's time. */
  decidedInMs?: number;
}

export class ManualDesk {
  private readonly turns: BulkheadPolicy;
  private present = 0;

  constructor(private readonly options: ManualOptions) {
    this.turns = bulkhead(CHARGES_AT_ONCE_MAX, options.waitingMax);
  }

  /** @returns always an answer; a 200 only for a charge, or an account, that PortOne confirmed */
  async ask(asked: ManualRequest, caller: Caller): Promise<ManualAnswer> {
    const api = this.options.portone.api('v2');
    if (!api?.confirm) return { verdict: refuse('unavailable'), language: 'ko' };
    if (this.present >= this.options.waitingMax) {
      return { verdict: refuse('overloaded'), language: 'ko' };
    }
    this.present += 1;
    try {
      return await this.answer(api, asked, caller);
    } finally {
      this.present -= 1;
    }
  }

  private async answer(
    api: PaymentApi,
    asked: ManualRequest,
    caller: Caller,
  ): Promise<ManualAnswer> {
    const paymentId = asked.txId ?? (await this.attemptOf(api, asked.merchantUid));
    if (typeof paymentId !== 'string') return { verdict: paymentId, language: 'ko' };
    const { merchantUid, amount } = asked;
    const request: ConfirmRequest = {
      gateway: 'v2',
      paymentId,
      merchantUid,
      amount,
      signed: false,
      // The organizer's server brought it, and PortOne is asked about it within this request.
      proven: true,
    };
    // PortOne may have been asked for the attempt; the road has its whole time all the same.
    const arrivedAt = this.options.clock.now().getTime();
    const answer = await this.options.desk.ask(request, { ...caller, arrivedAt });
    const { verdict, language, eventId } = answer;
    const decidedInMs = this.options.clock.now().getTime() - arrivedAt;
    const about = { language, decidedInMs, ...(eventId === undefined ? {} : { eventId }) };
    // A hold that was is the one refusal that may follow a charge.
    if (verdict.code !== 'confirmed' && verdict.code !== 'hold_ended') return { ...about, verdict };
    try {
      if (verdict.code === 'hold_ended') {
        const record = await loadCharge(this.options, merchantUid, paymentId);
        const told = record && (await outcomeOnRecord(this.options.database, record, paymentId));
        if (told || !record?.askedAt) return { ...about, ...(told ?? { verdict }) };
      }
      const turn = () => this.charge(api, asked, paymentId, answer, caller);
      return { ...about, ...(await this.turns.execute(turn)) };
    } catch (error) {
      // Only before PortOne was asked: a charge itself never throws.
      await answer.retract?.();
      if (error instanceof BulkheadRejectedError)
        return { ...about, verdict: refuse('overloaded') };
      const { message } = error as Error;
      this.options.log.warn(
        { paymentId, error: message },
        'not charged: the order is not readable',
      );
      return { ...about, verdict: refuse('unavailable') };
    }
  }

  /** The attempt that is open in the buyer's browser is the order's latest. */
  private async attemptOf(api: PaymentApi, merchantUid: string) {
    try {
      const payment = await api.read({ gateway: 'v2', paymentId: '', merchantUid });
      return payment?.paymentId ?? refuse('invalid_request');
    } catch (error) {
      if (!(error instanceof GatewayUnreachable)) throw error;
      this.options.log.info({ merchantUid, error: error.message }, 'attempt not known');
      return refuse('unavailable');
    }
  }

  private async charge(
    api: PaymentApi,
    { merchantUid, paymentToken }: ManualRequest,
    paymentId: string,
    { verdict, retract }: Answer,
    caller: Caller,
  ): Promise<Told> {
    const record = await loadCharge(this.options, merchantUid, paymentId);
    if (!record) return { verdict: refuse('hold_ended') };
    const told = await outcomeOnRecord(this.options.database, record, paymentId);
    if (told) return told;
    if (caller.gone.aborted) {
      await retract?.();
      return { verdict: refuse('timed_out') };
    }
    const { orderId, amount, currency } = record;
    const seated = verdict.code === 'confirmed' ? verdict : null;
    const charge = new Charge(this.options, api, seated, orderId, {
      merchantUid,
      paymentToken,
      amount,
      currency,
      paymentId,
      testAllowed: this.options.rules.testPaymentsAccepted,
      key: keyOf(paymentId, paymentToken),
    });
    const until = new Date(this.options.clock.now().getTime() + this.options.chargeMaxMs);
    if (await beginCharge(this.options, record, paymentId, until)) {
      return charge.run(() => endCharge(this.options, record, paymentId, until));
    }
    // Its hold ended before, or while it waited for its turn; another call may have ended the matter.
    const later = await loadCharge(this.options, merchantUid, paymentId);
    return later?.askedAt ? charge.look() : { verdict: refuse('hold_ended') };
  }
}

/** One for each token of each attempt: a repeat asks for the same charge, not for another. */
function keyOf(paymentId: string, paymentToken: string): string {
  const digest = createHash('sha256').update(JSON.stringify([paymentId, paymentToken]));
  return `seatline-confirm-${digest.digest('base64url')}`;
}
