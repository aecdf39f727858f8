// The confirm desk: takes one request along the whole road and returns its answer in time.

import type { Clock } from '../clock.ts';
import { databaseFate } from '../faults/database-errors.ts';
import { TooManyWaiting } from '../faults/too-many-waiting.ts';
import type { Log } from '../log.ts';
import { Withdrawn } from '../queue/gatherer.ts';
import type { EnrolledRequest } from './batch.ts';
import type { AtTheDoor, Door, DoorDocument } from './door.ts';
import type { Enrolment } from './enrol.ts';
import type { CheckDesk } from './organizer-check.ts';
import { NoReply } from './replies.ts';
import type { ConfirmRequest } from './request.ts';
import type { Language } from './texts.ts';
import { type Confirmed, refuse, type Verdict } from './verdict.ts';
import type { VerdictOrVoid } from './verdict-or-void.ts';

export interface DeskOptions {
  door: Door;
  checks: CheckDesk;
  enrolment: Enrolment;
  verdictOrVoid: VerdictOrVoid;
  clock: Clock;
  log: Log;
  timeoutMs: number;
  settleMs: number;
  /** When the payment of a 200 given now is to be looked up; null where nobody can be asked. */
  checkAt: (request: ConfirmRequest) => Date | null;
}

export interface Caller {
  /** ms since 1970 */
  arrivedAt: number;
  /** Aborted when the caller hangs up. */
  gone: AbortSignal;
}

export interface Answer {
  verdict: Verdict;
  language: Language;
  eventId?: number;
  /** To be called instead of writing, where a 200 cannot be written any more. */
  retract?: () => Promise<void>;
}

export class ConfirmDesk {
  constructor(private readonly options: DeskOptions) {}

  /** @returns always an answer, by the deadline; a 200 only for a hold marked as answered */
  async ask(request: ConfirmRequest, caller: Caller): Promise<Answer> {
    const answering = this.answer(request, caller);
    const first = await this.untilDeadline(answering, caller);
    if (first) return first;
    // The database hangs. Whatever still comes of it is taken back, for no 200 is written.
    answering.then((answer) => answer.retract?.()).catch(() => undefined);
    return { verdict: refuse('timed_out'), language: 'ko' };
  }

  private async untilDeadline(answering: Promise<Answer>, caller: Caller): Promise<Answer | null> {
    const { clock, timeoutMs } = this.options;
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<null>((resolve) => {
      const timeLeftMs = caller.arrivedAt + timeoutMs - clock.now().getTime();
      timer = setTimeout(resolve, timeLeftMs, null);
    });
    try {
      return await Promise.race([answering, deadline]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async answer(request: ConfirmRequest, caller: Caller): Promise<Answer> {
    let seen: AtTheDoor;
    try {
      seen = await this.options.door.look(request);
    } catch (error) {
      return { verdict: this.refusalFor(error, request), language: 'ko' };
    }
    const { order } = seen;
    if (!order) return { verdict: refuse('unknown_order'), language: 'ko' };
    const { language, id: eventId } = order.event;
    const verdict = await this.verdictFor(request, caller, seen, order);
    if (verdict.code !== 'confirmed') return { verdict, language, eventId };
    return { ...(await this.readyToWrite(verdict, request, caller)), language, eventId };
  }

  private async verdictFor(
    request: ConfirmRequest,
    caller: Caller,
    seen: AtTheDoor,
    order: DoorDocument,
  ): Promise<Verdict> {
    if (seen.standing) return seen.standing;
    if (seen.refusal) return seen.refusal;
    const answerBy = caller.arrivedAt + this.options.timeoutMs;
    const decideBy = answerBy - this.options.settleMs;
    const timeLeftMs = () => decideBy - this.options.clock.now().getTime();
    const refused = await this.options.checks.ask(order, request, timeLeftMs);
    if (refused) return refused;
    if (timeLeftMs() <= 0) return refuse('timed_out');
    if (this.options.enrolment.expectedWaitMs(order.event.id) > timeLeftMs()) {
      return refuse('overloaded');
    }
    const { gateway, paymentId, merchantUid, amount } = request;
    const enrolled = { gateway, paymentId, merchantUid, amount, decideBy, answerBy };
    return this.enrol(enrolled, order, caller);
  }

  private async enrol(
    request: EnrolledRequest,
    order: DoorDocument,
    caller: Caller,
  ): Promise<Verdict> {
    const stop = new AbortController();
    const giveUp = () => stop.abort();
    const timer = setTimeout(giveUp, request.decideBy - this.options.clock.now().getTime());
    caller.gone.addEventListener('abort', giveUp, { once: true });
    if (caller.gone.aborted) giveUp();
    try {
      const verdict = this.options.enrolment.enrol(order.event.id, request, stop.signal);
      return await Promise.race([verdict, stopped(stop.signal)]);
    } catch (error) {
      // It never entered the queue, so nobody can have seated it.
      if (error instanceof Withdrawn) return refuse('timed_out');
      if (error instanceof TooManyWaiting) return refuse('overloaded');
      return this.settle(request, order, error);
    } finally {
      clearTimeout(timer);
      caller.gone.removeEventListener('abort', giveUp);
    }
  }

  private async settle(
    request: EnrolledRequest,
    order: DoorDocument,
    cause: unknown,
  ): Promise<Verdict> {
    const code = cause instanceof NoReply ? 'timed_out' : 'unavailable';
    if (code === 'unavailable') {
      const { message } = cause as Error;
      this.options.log.warn({ paymentId: request.paymentId, error: message }, 'not enrolled');
    }
    const { orderId, event } = order;
    try {
      return await this.options.verdictOrVoid.settle({ request, orderId, eventId: event.id, code });
    } catch (error) {
      return this.refusalFor(error, request);
    }
  }

  /** The last step before a 200: the hold is marked, or the answer becomes a refusal. */
  private async readyToWrite(
    verdict: Confirmed,
    request: ConfirmRequest,
    caller: Caller,
  ): Promise<Pick<Answer, 'verdict' | 'retract'>> {
    const { verdictOrVoid, timeoutMs, clock } = this.options;
    const { paymentId } = request;
    const tooLate = () => clock.now().getTime() > caller.arrivedAt + timeoutMs;
    if (caller.gone.aborted || tooLate()) {
      await verdictOrVoid.void(verdict, paymentId);
      return { verdict: refuse('timed_out') };
    }
    try {
      const markedAt = await verdictOrVoid.mark(verdict, paymentId, this.options.checkAt(request));
      if (!markedAt) return { verdict: refuse('hold_ended') };
      const retract = () => verdictOrVoid.void(verdict, paymentId, markedAt);
      if (!caller.gone.aborted && !tooLate()) return { verdict, retract };
      await retract();
      return { verdict: refuse('timed_out') };
    } catch (error) {
      return { verdict: this.refusalFor(error, request) };
    }
  }

  private refusalFor(error: unknown, request: { paymentId: string }): Verdict {
    if (error instanceof TooManyWaiting) return refuse('overloaded');
    const expected = databaseFate(error) !== 'fail';
    const line = { paymentId: request.paymentId, error: (error as Error).message };
    if (expected) this.options.log.warn(line, 'database away');
    else this.options.log.error(line, 'confirm failed');
    return refuse('unavailable');
  }
}

function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new NoReply());
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
