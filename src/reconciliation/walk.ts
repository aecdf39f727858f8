// Walks both sides of a window: what PortOne lists, then what we have and it did not list.

import pLimit from 'p-limit';
import type { Log } from '../log.ts';
import type { SettleOptions } from '../payments/settle-payment.ts';
import {
  GatewayUnreachable,
  type PaymentApi,
  type PaymentRef,
  type PaymentSnapshot,
  UnusableAnswer,
} from '../portone/payment.ts';
import { accountOf, type Difference } from './compare.ts';
import { closeOwnCase, isAway, type Look, lookAgain, lookOf, type Mended, mend } from './mend.ts';
import { loadOurs, type OurPayment } from './ours.ts';
import type { Finding } from './report.ts';
import type { Tally } from './tally.ts';
import type { ToRead, Turn } from './turn.ts';
import { textOf } from './words.ts';

/** Differences looked at again at once; the pages themselves come one after another. */
const CONCURRENT_MAX = 4;
/** What one question may name. */
const NAMED_MAX = 100;
/** So many in a row without an answer about one payment: PortOne is away, not the payment odd. */
const SILENT_MAX = 5;
/** So many paid payments that PortOne does not know, and none that it knows. */
const STRANGE_MIN = 10;

export interface WalkOptions extends SettleOptions {
  log: Log;
  turn: Turn;
  tally: Tally;
  dryRun: boolean;
  signal: AbortSignal | undefined;
  onProgress: (compared: number, found: number) => void;
}

export interface WalkWindow extends ToRead {
  /** Named to PortOne in any case. */
  owed: PaymentRef[];
}

/** Its credentials are of another store, or it has lost its memory: no time to open cases. */
export class WrongBooks extends Error {
  constructor(unknown: number) {
    super(
      `PortOne knows none of ${unknown} payments that are paid here: ` +
        'are these the credentials of the right store?',
    );
    this.name = 'WrongBooks';
  }
}

/** @throws GatewayUnreachable, WrongBooks, the signal's reason, or the database's error */
export class Walk {
  private silent = 0;

  constructor(
    private readonly options: WalkOptions,
    private readonly api: PaymentApi,
    private readonly window: WalkWindow,
  ) {}

  async run(): Promise<void> {
    const { from, to } = this.window;
    for await (const page of this.api.list({ from, to })) await this.listed(page);
    let waiting: PaymentRef[] = [];
    for await (const refs of this.toName()) {
      waiting.push(...refs);
      while (waiting.length >= NAMED_MAX) {
        await this.named(waiting.slice(0, NAMED_MAX));
        waiting = waiting.slice(NAMED_MAX);
      }
    }
    if (waiting.length > 0) await this.named(waiting);
  }

  private async *toName(): AsyncGenerator<PaymentRef[]> {
    yield this.window.owed;
    yield* this.options.turn.toRead(this.window);
  }

  /** A page of PortOne's list. */
  private async listed(page: PaymentSnapshot[]): Promise<void> {
    const { tally } = this.options;
    const fresh = page.filter((payment) => !tally.has(payment.paymentId));
    const ours = await loadOurs(this.options, fresh);
    const looks = fresh.flatMap((theirs) => {
      const known = ours.get(theirs.paymentId);
      if (!known) tally.foreign += 1;
      return known && this.isWanted(known) ? [lookOf(known, theirs)] : [];
    });
    await this.settleAll(looks);
  }

  /** Payments of ours, but for those that the list did show. */
  private async named(refs: PaymentRef[]): Promise<void> {
    const missed = refs.filter((ref) => !this.options.tally.has(ref.paymentId));
    if (missed.length === 0) return;
    const ours = await loadOurs(this.options, missed);
    const { known: told, unread } = await this.api.readMany(missed);
    const byPayment = new Map(told.map((payment) => [payment.paymentId, payment]));
    // V2 is asked about orders, and answers with an attempt of its own choice.
    const byOrder = new Map(told.map((payment) => [payment.merchantUid, payment]));
    for (const { paymentId } of unread) {
      const known = ours.get(paymentId);
      if (known) this.unread(known);
      ours.delete(paymentId);
    }
    const looks = [...ours.values()].map((known) =>
      lookOf(
        known,
        byPayment.get(known.paymentId) ??
          (this.window.gateway === 'v2' ? (byOrder.get(known.merchantUid) ?? null) : null),
      ),
    );
    this.refuseWrongBooks(looks);
    await this.settleAll(looks);
    const others = looks.flatMap((look) => look.other ?? []);
    if (others.length > 0) await this.listed(unique(others));
  }

  /** Nothing can be said of it; where something here counts on it, the run says so. */
  private unread(ours: OurPayment): void {
    this.options.tally.remember(ours.paymentId);
    const look = lookOf(ours, null);
    if (look.difference) this.found(look, look.difference, failed(look));
  }

  private refuseWrongBooks(looks: Look[]): void {
    const { gateway } = this.window;
    if (this.options.tally.isKnownTo(gateway) || looks.some((look) => look.theirs)) return;
    const lost = looks.filter((look) => look.ours.account?.status === 'paid').length;
    if (lost >= STRANGE_MIN) throw new WrongBooks(lost);
  }

  private isWanted(ours: OurPayment): boolean {
    return this.window.eventId === null || this.window.eventId === ours.eventId;
  }

  private async settleAll(looks: Look[]): Promise<void> {
    const { tally, signal, onProgress } = this.options;
    signal?.throwIfAborted();
    const turn = pLimit(CONCURRENT_MAX);
    let failure: unknown;
    await Promise.all(
      looks.map((look) =>
        turn(async () => {
          if (failure !== undefined || signal?.aborted) return;
          await this.one(look).catch((error: unknown) => {
            failure ??= error;
          });
        }),
      ),
    );
    onProgress(tally.compared, tally.found);
    if (failure !== undefined) throw failure;
  }

  private async one(look: Look): Promise<void> {
    const { tally } = this.options;
    const { ours } = look;
    tally.remember(ours.paymentId);
    const hasCase = ours.openCases.includes('unknown_payment');
    if (!look.difference && !hasCase) return tally.compare(ours, look.theirs);
    const { gateway } = this.window;
    const ref: PaymentRef = { gateway, paymentId: ours.paymentId, merchantUid: ours.merchantUid };
    const again = await this.answered(() => lookAgain(this.options, this.api, ref));
    if (again === null) return tally.compare(ours, look.theirs);
    if (again === 'silent') {
      return look.difference
        ? this.found(look, look.difference, failed(look))
        : tally.compare(ours, look.theirs);
    }
    if (again.difference) {
      return this.found(again, again.difference, await this.mended(again, ref));
    }
    tally.compare(again.ours, again.theirs);
    if (!this.options.dryRun) await this.closeCase(again.ours);
  }

  private async closeCase(ours: OurPayment): Promise<void> {
    if (!ours.openCases.includes('unknown_payment')) return;
    if (await closeOwnCase(this.options, ours)) this.options.tally.casesClosed += 1;
  }

  private async mended(look: Look, ref: PaymentRef): Promise<Mended> {
    if (this.options.dryRun) {
      const left = look.theirs !== null || look.ours.account?.status === 'paid';
      return { repair: 'none', outcome: null, left, last: look };
    }
    const mended = await this.answered(() => mend(this.options, this.api, look, ref));
    if (mended === 'silent') return failed(look);
    if (mended.repair === 'settled') await this.closeCase(mended.last.ours);
    return mended;
  }

  private found(look: Look, kind: Difference, { repair, outcome, left, last }: Mended): void {
    const { ours, theirs } = look;
    const finding: Omit<Finding, 'text'> = {
      kind,
      event: ours.event,
      merchantUid: ours.merchantUid,
      paymentId: ours.paymentId,
      gateway: this.window.gateway,
      portone: theirs && accountOf(theirs),
      ours: ours.account,
      hold: ours.hold,
      repair,
      outcome,
      left,
    };
    const { tally, log } = this.options;
    tally.finding({ ...finding, text: textOf(finding) });
    tally.compare(last.ours, last.theirs, repair === 'accepted');
    const { paymentId } = finding;
    log.info({ paymentId, kind, repair, outcome }, 'reconciliation found a difference');
  }

  /** One odd payment does not keep the others from being mended; silence about many does. */
  private async answered<T>(ask: () => Promise<T>): Promise<T | 'silent'> {
    try {
      const value = await ask();
      this.silent = 0;
      return value;
    } catch (error) {
      if (isAway(error)) throw error;
      this.silent = error instanceof UnusableAnswer ? 0 : this.silent + 1;
      if (error instanceof GatewayUnreachable && this.silent >= SILENT_MAX) throw error;
      this.options.log.warn({ error: (error as Error).message }, 'a payment could not be compared');
      return 'silent';
    }
  }
}

function failed(look: Look): Mended {
  return { repair: 'failed', outcome: null, left: true, last: look };
}

function unique(payments: PaymentSnapshot[]): PaymentSnapshot[] {
  return [...new Map(payments.map((payment) => [payment.paymentId, payment])).values()];
}
