// One try at one refund: look first, put the wish on record, ask PortOne once, look again.

import { loadSql } from '../db/sql.ts';
import { recordable } from '../payments/record-payment.ts';
import { type SettleOptions, settlePayment } from '../payments/settle-payment.ts';
import type { Gateway } from '../portone/gateway.ts';
import {
  type CancelResult,
  GatewayUnreachable,
  type PaymentApi,
  type PaymentSnapshot,
  type RefundAccount,
} from '../portone/payment.ts';

const sql = loadSql('arm_refund');

export interface RefundOptions extends SettleOptions {
  config: {
    portone: {
      /** The limit of one call to PortOne. */
      timeoutMs: number;
      /** PortOne may go on with a call for so long after we have stopped listening. */
      doubtMs: number;
    };
  };
}

export interface ClaimedRefund {
  id: number;
  paymentId: string;
  merchantUid: string;
  orderId: number;
  gateway: Gateway;
  amount: number;
  whole: boolean;
  reason: string;
  requestedBy: string;
  requestedAt: Date;
  tries: number;
  refusals: number;
  lastError: string | null;
  inDoubtUntil: Date | null;
  /** Since when PortOne has it and will carry it out later. */
  takenAt: Date | null;
  hasAccount: boolean;
  /** Of the same payment, paid back outside PortOne. */
  byHand: number;
}

export type Tried =
  /** The money is back. */
  | { kind: 'closed' }
  /** PortOne took it and will carry it out later: from then on it is only looked at. */
  | { kind: 'taken' }
  /** PortOne took it, and shows that it is not at it any more. */
  | { kind: 'dropped' }
  /** Answered no; the message is PortOne's. `sent`: to the wish itself, which moved nothing then. */
  | { kind: 'refused'; message: string; sent?: true }
  /** Answered no because the payment moved in between. */
  | { kind: 'changed' }
  /** No answer. */
  | { kind: 'away'; message: string }
  /** No answer to the wish itself: it may be carried out yet. */
  | { kind: 'unanswered'; message: string }
  /** An earlier wish was not answered, and may be carried out yet; it was only looked at. */
  | { kind: 'in_doubt'; until: Date }
  /** Somebody else knows more, or has it now. */
  | { kind: 'outdated' }
  | { kind: 'needs_account' }
  /** More is wanted back than there is. */
  | { kind: 'too_much'; left: number };

/** @throws GatewayUnreachable where PortOne gave no answer: the money may have gone back or not */
export async function tryRefund(
  options: RefundOptions,
  refund: ClaimedRefund,
  claimMs: number,
): Promise<Tried> {
  const api = options.portone.api(refund.gateway);
  if (!api) return { kind: 'refused', message: 'no PortOne credentials are configured' };
  const looked = await look(options, api, refund);
  if ('kind' in looked) return looked;
  const hindrance = hindranceOf(refund, looked, options.clock.now());
  if (hindrance) return hindrance;
  const armed = await arm(options, refund, looked, claimMs);
  if (!armed) return { kind: 'outdated' };
  const request = {
    payment: looked,
    amount: refund.whole ? null : refund.amount,
    reason: refund.reason,
    key: keyOf(refund),
    account: looked.virtualAccount ? armed.account : null,
  };
  const answer = await api.cancel(request).catch((error: unknown) => {
    if (error instanceof GatewayUnreachable) return error;
    throw error;
  });
  if (answer instanceof GatewayUnreachable) {
    return { kind: 'unanswered', message: withoutSecrets(answer.message, armed.account) };
  }
  return conclude(options, api, refund, withoutAccount(answer, armed.account));
}

/**
 * Reads the payment, and settles what it shows: whoever gave the money back, it closes the refund.
 * @returns the payment where the refund is still to be made
 */
async function look(
  options: RefundOptions,
  api: PaymentApi,
  refund: ClaimedRefund,
): Promise<PaymentSnapshot | Tried> {
  const payment = await api.read(refund);
  if (!payment) return { kind: 'refused', message: 'PortOne knows no such payment' };
  if (payment.paymentId !== refund.paymentId) {
    return { kind: 'refused', message: 'PortOne tells of another attempt of this order' };
  }
  await settlePayment(options, payment, 'refunds');
  const now = await options.database.prisma.refund.findUnique({
    where: { id: refund.id },
    select: { state: true, tries: true },
  });
  if (now?.state === 'done') return { kind: 'closed' };
  if (now?.state !== 'requested' || now.tries !== refund.tries) return { kind: 'outdated' };
  if (payment.status !== 'paid') {
    return { kind: 'refused', message: `PortOne says that the payment is ${payment.status}` };
  }
  return payment;
}

function hindranceOf(refund: ClaimedRefund, payment: PaymentSnapshot, now: Date): Tried | null {
  if (payment.cancelPending) return { kind: 'taken' };
  // V1 does not show what is under way: asked again, it might do it twice. V2 shows it.
  if (refund.takenAt) return { kind: refund.gateway === 'v1' ? 'taken' : 'dropped' };
  const { inDoubtUntil: until } = refund;
  // V1 knows no keys: what is under way would not be told from what is asked for now.
  if (refund.gateway === 'v1' && until && until > now) return { kind: 'in_doubt', until };
  const left = payment.amount - payment.cancelledAmount - refund.byHand;
  // What went back by hand is gone; PortOne, which does not know it, would pay it once more.
  const wanted = refund.whole && refund.byHand > 0 ? left + refund.byHand : refund.amount;
  if ((!refund.whole || refund.byHand > 0) && wanted > left) return { kind: 'too_much', left };
  if (payment.virtualAccount && !refund.hasAccount) return { kind: 'needs_account' };
  return null;
}

/** Written before the call, so that whoever comes after a crash knows how to tell what happened. */
async function arm(
  { database, clock, config }: RefundOptions,
  refund: ClaimedRefund,
  payment: PaymentSnapshot,
  claimMs: number,
): Promise<{ account: RefundAccount | null } | null> {
  const until = new Date(clock.now().getTime() + claimMs);
  const inDoubtUntil = new Date(until.getTime() + config.portone.doubtMs);
  const cancelled = recordable(payment.cancelledAmount);
  const [row] = await database.query<{ [part in keyof RefundAccount]: string | null }>(
    sql,
    refund.id,
    refund.tries,
    cancelled,
    until,
    inDoubtUntil,
  );
  if (!row) return null;
  const { bank, number, holder, phone } = row;
  const complete = bank !== null && number !== null && holder !== null;
  return { account: complete ? { bank, number, holder, phone } : null };
}

const KEY_PART_MAX_CHARS = 200;

/**
 * The same for every try of which the answer is not known; never that of one that was refused. The
 * payment is named, for another installation may count its refunds from 1 too.
 */
function keyOf({ id, paymentId, refusals }: ClaimedRefund): string {
  const payment = paymentId.replace(/[^\w-]/g, '_').slice(0, KEY_PART_MAX_CHARS);
  return `seatline-refund-${payment}-${id}-${refusals}`;
}

async function conclude(
  options: RefundOptions,
  api: PaymentApi,
  refund: ClaimedRefund,
  answer: CancelResult,
): Promise<Tried> {
  if (answer.outcome === 'pending') return { kind: 'taken' };
  const looked = await look(options, api, refund).catch((error: unknown) => {
    // The answer is known, and counts, whatever became of the look.
    if (error instanceof GatewayUnreachable) return null;
    throw error;
  });
  if (looked && 'kind' in looked && looked.kind !== 'refused') return looked;
  switch (answer.outcome) {
    case 'done':
      return { kind: 'taken' };
    case 'changed':
      return { kind: 'changed' };
    case 'refused':
      return { kind: 'refused', message: answer.message, sent: true };
  }
}

/** PortOne's messages may quote what was sent; they are kept and logged, and an account must not be. */
function withoutAccount(answer: CancelResult, account: RefundAccount | null): CancelResult {
  if (answer.outcome !== 'refused') return answer;
  return { outcome: 'refused', message: withoutSecrets(answer.message, account) };
}

function withoutSecrets(said: string, account: RefundAccount | null): string {
  if (!account) return said;
  const { number, holder, phone } = account;
  const secrets = [number, number.replace(/\D/g, ''), holder, phone ?? ''].filter(Boolean);
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), said);
}
