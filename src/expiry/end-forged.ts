// Ends a hold whose payment PortOne does not know, once no other attempt may be paying for it.

import { loadSql } from '../db/sql.ts';
import type { AskOptions } from '../payments/ask-before-release.ts';
import { recordStep } from '../payments/steps.ts';
import { GATEWAYS, type Gateway } from '../portone/gateway.ts';
import {
  GatewayUnreachable,
  type PaymentApi,
  type PaymentRef,
  type PaymentSnapshot,
  type PaymentStatus,
} from '../portone/payment.ts';
import { endHolds } from '../seats/end-holds.ts';
import { noteProofs, SILENT_WAIT_MS, settleFound, snapshotOf, type Unproven } from './proofs.ts';

const sql = loadSql('attempts_of_hold');

/** What one question may name. */
const NAMED_MAX = 100;
/** A window that another attempt has open may stay open until the hold is over. */
const LOOK_AGAIN_MS = 60_000;

/** Settling such a payment sells the seats, or says how long they wait for it. */
const SEEN_TO: PaymentStatus[] = ['paid', 'pending', 'waiting_deposit'];

interface Attempt {
  paymentId: string;
  gateway: Gateway;
}

/**
 * `none` may be paid. `open`: one is known, and may be paid still. `known`: one is settled, or
 * waited for, so that webhooks and expiry see to the hold. `unclear`: PortOne did not say.
 */
type Rivals = 'none' | 'open' | 'known' | 'unclear';

/** The last look is at this payment alone, test channels included. @returns how many holds ended */
export async function endForged(
  options: AskOptions,
  api: PaymentApi,
  hold: Unproven,
): Promise<number> {
  const found = await lookOnce(options, api, hold);
  if (found === 'none' && (await end(options, hold))) return 1;
  const { id, paymentId, doubtedAt } = hold;
  const checkAt = nextLook(found, options.clock.now());
  await noteProofs(options.database, [{ id, paymentId, checkAt, doubtedAt }]);
  return 0;
}

function nextLook(found: Rivals, now: Date): Date | null {
  if (found === 'known') return null;
  const waitMs = found === 'open' ? LOOK_AGAIN_MS : SILENT_WAIT_MS;
  return new Date(now.getTime() + waitMs);
}

async function lookOnce(options: AskOptions, api: PaymentApi, hold: Unproven): Promise<Rivals> {
  try {
    const payment = await api.read(hold);
    if (payment && snapshotOf([payment], hold)) {
      await settleFound(options, payment);
      return 'known';
    }
    return await lookAtRivals(options, hold);
  } catch (error) {
    if (error instanceof GatewayUnreachable) return 'unclear';
    throw error;
  }
}

/** Those of them that an inventor made up too are known to nobody, and in nobody's way. */
async function lookAtRivals(
  options: AskOptions,
  { id, merchantUid, paymentId }: Unproven,
): Promise<Rivals> {
  const letOn = await options.database.query<Attempt>(sql, id);
  const refs = letOn
    .filter((attempt) => attempt.paymentId !== paymentId)
    .map((attempt) => ({ ...attempt, merchantUid }));
  const known: PaymentSnapshot[] = [];
  for (const gateway of GATEWAYS) {
    const told = await readAll(
      options.portone.api(gateway),
      refs.filter((ref) => ref.gateway === gateway),
    );
    if (told === null) return 'unclear';
    known.push(...told);
  }
  for (const payment of known) await settleFound(options, payment);
  if (known.some(({ status }) => SEEN_TO.includes(status))) return 'known';
  return known.some(({ status }) => status === 'ready') ? 'open' : 'none';
}

/** @returns null where PortOne cannot be asked, or not about each of them */
async function readAll(
  api: PaymentApi | undefined,
  refs: PaymentRef[],
): Promise<PaymentSnapshot[] | null> {
  const known: PaymentSnapshot[] = [];
  for (let from = 0; from < refs.length; from += NAMED_MAX) {
    const some = refs.slice(from, from + NAMED_MAX);
    const told = await api?.readMany(some);
    if (!told || told.unread.length > 0) return null;
    known.push(...some.flatMap((ref) => snapshotOf(told.known, ref) ?? []));
  }
  return known;
}

async function end(options: AskOptions, hold: Unproven): Promise<boolean> {
  const { database, clock, log } = options;
  const { id, orderId, paymentId } = hold;
  const freed = await database.transaction(async (tx) => {
    const at = clock.now();
    const seats = await endHolds(tx, {
      // Whoever was let on since has the hold now, was not asked about, and keeps it.
      holds: [{ id, paymentId }],
      now: at,
      actor: 'expiry',
      reason: 'unknown_payment',
      orderStatus: 'pending',
    });
    if (seats.length > 0) {
      const step = 'unknown_payment';
      await recordStep(tx, { orderId, paymentId, step, actor: 'expiry', at });
    }
    return seats.length;
  });
  if (freed > 0) log.warn({ paymentId, seats: freed }, 'forged confirm: hold ended');
  return freed > 0;
}
