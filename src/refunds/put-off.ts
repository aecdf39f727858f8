// What becomes of a refund that was tried and is not done: when it is tried again, or that it is not.

import { backoffMs, outageBackoffMs } from '../payments/backoff.ts';
import { NEEDS_ACCOUNT, TAKEN } from '../payments/refund-waits.ts';
import { recordStep } from '../payments/steps.ts';
import { WIPED } from './account.ts';
import type { ClaimedRefund, RefundOptions, Tried } from './try-refund.ts';

/** Refused so many times, over a quarter of an hour, a person must look. */
export const REFUSALS_MAX = 10;
const SOON_MS = 1_000;
/** Over a long weekend; a refund that was taken so long ago and never shown is for a person. */
const TAKEN_MAX_MS = 4 * 24 * 3_600_000;

type NotDone = Exclude<Tried, { kind: 'closed' }>;

interface Next {
  error: string;
  /** Null: not by itself. */
  waitMs: number | null;
  refused: boolean;
}

const IN_DOUBT = 'no answer, and it may be carried out yet';
const DROPPED = 'PortOne took it, and did not carry it out';

/** Writes nothing where somebody else has the refund by now. */
export async function putOff(
  options: RefundOptions,
  refund: ClaimedRefund,
  tried: NotDone,
): Promise<void> {
  const next = nextOf(refund, tried, options.clock.now());
  if (next.waitMs === null) return giveUp(options, refund, tried, next);
  const { count } = await options.database.prisma.refund.updateMany({
    where: mine(refund),
    data: {
      lastError: next.error,
      nextTryAt: new Date(options.clock.now().getTime() + next.waitMs),
      ...(next.refused ? { refusals: { increment: 1 } } : {}),
      ...knownAfter(options, refund, tried),
    },
  });
  if (count === 0) return;
  const { id, paymentId, tries } = refund;
  const line = { refundId: id, paymentId, tries, lastError: next.error, waitMs: next.waitMs };
  options.log.info(line, 'refund tried again later');
}

function nextOf(refund: ClaimedRefund, tried: NotDone, now: Date): Next {
  const { tries, refusals } = refund;
  switch (tried.kind) {
    case 'away':
      // An outage, however long, is nobody's refusal.
      return {
        error: refund.takenAt ? TAKEN : tried.message,
        waitMs: outageBackoffMs(tries),
        refused: false,
      };
    case 'unanswered':
      return { error: tried.message, waitMs: outageBackoffMs(tries), refused: false };
    case 'in_doubt': {
      const leftMs = tried.until.getTime() - now.getTime();
      const waitMs = Math.min(outageBackoffMs(tries), leftMs + 1);
      return { error: refund.lastError ?? IN_DOUBT, waitMs, refused: false };
    }
    case 'taken': {
      const over = refund.takenAt && now.getTime() - refund.takenAt.getTime() > TAKEN_MAX_MS;
      return { error: TAKEN, waitMs: over ? null : backoffMs(tries), refused: false };
    }
    case 'outdated':
      return {
        error: refund.lastError ?? 'PortOne shows less than it did before',
        waitMs: backoffMs(tries),
        refused: false,
      };
    case 'changed': {
      // It was answered, so that its key is used up; the same answer ten times is for a person.
      const error = 'the payment changed at PortOne meanwhile';
      return { error, waitMs: isLast(refusals) ? null : SOON_MS, refused: true };
    }
    case 'dropped':
    case 'refused': {
      const waitMs = isLast(refusals) ? null : backoffMs((refusals % REFUSALS_MAX) + 1);
      const error = tried.kind === 'dropped' ? DROPPED : tried.message;
      return { error, waitMs, refused: true };
    }
    case 'needs_account':
      return { error: NEEDS_ACCOUNT, waitMs: null, refused: false };
    case 'too_much': {
      const error = `${refund.amount} were to go back, and ${tried.left} are left`;
      return { error, waitMs: null, refused: false };
    }
  }
}

/** What PortOne may still do for it: an answer says that it was done, will be done, or will not. */
function knownAfter({ clock, config }: RefundOptions, refund: ClaimedRefund, tried: NotDone) {
  const now = clock.now();
  switch (tried.kind) {
    case 'unanswered':
      return { inDoubtUntil: new Date(now.getTime() + config.portone.doubtMs) };
    case 'taken':
      return { inDoubtUntil: null, takenAt: refund.takenAt ?? now };
    case 'changed':
      return { inDoubtUntil: null };
    case 'dropped':
      return { takenAt: null };
    case 'refused':
      return tried.sent ? { inDoubtUntil: null } : {};
    default:
      return {};
  }
}

/** Counted on over a person's help, for a refusal uses up its key for ever. */
function isLast(refusals: number): boolean {
  return (refusals + 1) % REFUSALS_MAX === 0;
}

/** What is owed waits for a person; what the organizer wished for and cannot be had has failed. */
async function giveUp(
  options: RefundOptions,
  refund: ClaimedRefund,
  tried: NotDone,
  { error, refused }: Next,
): Promise<void> {
  const { database, clock, log } = options;
  const now = clock.now();
  const waits = tried.kind === 'needs_account' || tried.kind === 'taken';
  const fails = !waits && refund.requestedBy.startsWith('organizer');
  const state = fails ? 'failed' : 'needs_person';
  const count = await database.transaction(async (tx) => {
    const given = await tx.refund.updateMany({
      // An account may have come while we looked.
      where: {
        ...mine(refund),
        ...(tried.kind === 'needs_account' ? { accountNumber: null } : {}),
      },
      data: {
        state,
        lastError: error,
        nextTryAt: now,
        ...(refused ? { refusals: { increment: 1 } } : {}),
        ...(fails ? WIPED : {}),
        ...knownAfter(options, refund, tried),
      },
    });
    if (given.count > 0) {
      const { orderId, paymentId } = refund;
      const step = `refund_${state}`;
      await recordStep(tx, { orderId, paymentId, step, detail: error, actor: 'refunds', at: now });
    }
    return given.count;
  });
  if (count === 0) {
    // The account has come.
    const nextTryAt = new Date(now.getTime() + SOON_MS);
    await database.prisma.refund.updateMany({ where: mine(refund), data: { nextTryAt } });
    return;
  }
  const line = { refundId: refund.id, paymentId: refund.paymentId, lastError: error };
  if (fails) log.warn(line, 'refund failed');
  else log.error(line, 'refund needs a person');
}

function mine({ id, tries }: ClaimedRefund) {
  return { id, tries, state: 'requested' };
}
