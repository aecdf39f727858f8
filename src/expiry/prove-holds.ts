// A confirm request can be forged where it is unsigned: shortly after its 200 the payment is looked
// up, and a hold whose payment PortOne does not know ends early. Payments that failed in silence,
// as V1's do, are found by the same look.

import { loadSql } from '../db/sql.ts';
import type { AskOptions } from '../payments/ask-before-release.ts';
import { outageBackoffMs } from '../payments/backoff.ts';
import { readOrder } from '../payments/order-state.ts';
import { settlePayment } from '../payments/settle-payment.ts';
import { recordStep } from '../payments/steps.ts';
import { GATEWAYS, type Gateway } from '../portone/gateway.ts';
import { GatewayUnreachable, type PaymentApi, type PaymentSnapshot } from '../portone/payment.ts';
import { endHolds } from '../seats/end-holds.ts';

const sql = { claim: loadSql('claim_unproven'), note: loadSql('note_proofs') };

/** Whoever claimed a hold and died gives it up after this long. */
const CLAIM_MS = 60_000;
/** V1 tells of a hundred payments in one call; V2 of one. */
const AT_A_TIME: Record<Gateway, number> = { v1: 100, v2: 32 };

interface Unproven {
  id: string;
  orderId: number;
  paymentId: string;
  merchantUid: string;
  gateway: Gateway;
  doubtedAt: Date | null;
}

interface Proof {
  id: string;
  paymentId: string;
  checkAt: Date | null;
  doubtedAt: Date | null;
}

/**
 * One bounded pass at the clock's present instant.
 * @param doubtMs unknown twice, so far apart: PortOne may be slow to show what it just made
 * @returns how many holds ended as forged
 */
export async function proveHolds(
  options: AskOptions,
  limit: number,
  doubtMs: number,
): Promise<number> {
  let forged = 0;
  for (const gateway of GATEWAYS) {
    const api = options.portone.api(gateway);
    if (!api) continue;
    for (let looked = 0; looked < limit; looked += AT_A_TIME[gateway]) {
      const now = options.clock.now();
      const until = new Date(now.getTime() + CLAIM_MS);
      const size = AT_A_TIME[gateway];
      const holds = await options.database.query<Unproven>(sql.claim, now, size, until, gateway);
      forged += await prove(options, api, holds, doubtMs);
      if (holds.length < size) break;
    }
  }
  return forged;
}

async function prove(
  options: AskOptions,
  api: PaymentApi,
  holds: Unproven[],
  doubtMs: number,
): Promise<number> {
  if (holds.length === 0) return 0;
  const known = await lookUp(api, holds);
  const now = options.clock.now();
  const proofs: Proof[] = [];
  const forged: Unproven[] = [];
  for (const hold of holds) {
    const { id, paymentId, doubtedAt } = hold;
    if (known === null) {
      const checkAt = new Date(now.getTime() + outageBackoffMs(4));
      proofs.push({ id, paymentId, checkAt, doubtedAt });
    } else if (snapshotOf(known, hold)) {
      proofs.push({ id, paymentId, checkAt: null, doubtedAt: null });
    } else if (doubtedAt === null) {
      const checkAt = new Date(now.getTime() + doubtMs);
      proofs.push({ id, paymentId, checkAt, doubtedAt: now });
    } else {
      forged.push(hold);
    }
  }
  await options.database.query(sql.note, JSON.stringify(proofs));
  for (const hold of holds) await settleFound(options, known && snapshotOf(known, hold));
  let ended = 0;
  for (const hold of forged) ended += await endForged(options, api, hold);
  return ended;
}

/** @returns null where PortOne gave no answer */
async function lookUp(api: PaymentApi, holds: Unproven[]): Promise<PaymentSnapshot[] | null> {
  try {
    return await api.readMany(holds);
  } catch (error) {
    if (error instanceof GatewayUnreachable) return null;
    throw error;
  }
}

/** Another order's payment does not stand for this one. V2 tells of orders, V1 of attempts. */
function snapshotOf(known: PaymentSnapshot[], hold: Unproven): PaymentSnapshot | undefined {
  return known.find(
    (payment) =>
      payment.merchantUid === hold.merchantUid &&
      (hold.gateway === 'v2' || payment.paymentId === hold.paymentId),
  );
}

async function settleFound(
  options: AskOptions,
  payment: PaymentSnapshot | null | undefined,
): Promise<void> {
  if (!payment || payment.status === 'ready') return;
  try {
    await settlePayment(options, payment, 'expiry');
  } catch (error) {
    // Its webhook, or its expiry, comes to it again.
    const line = { paymentId: payment.paymentId, error: (error as Error).message };
    options.log.info(line, 'payment looked up, but not settled yet');
  }
}

/** The last look is at this payment alone, test channels included. */
async function endForged(options: AskOptions, api: PaymentApi, hold: Unproven): Promise<number> {
  const { database, clock, log } = options;
  const { id, orderId, paymentId } = hold;
  try {
    const payment = await api.read(hold);
    if (payment && snapshotOf([payment], hold)) {
      const proof: Proof = { id, paymentId, checkAt: null, doubtedAt: null };
      await database.query(sql.note, JSON.stringify([proof]));
      await settleFound(options, payment);
      return 0;
    }
  } catch (error) {
    if (error instanceof GatewayUnreachable) return 0;
    throw error;
  }
  const freed = await database.transaction(async (tx) => {
    const at = clock.now();
    // Another attempt may be paying for the same hold: then expiry asks about them all.
    const order = await readOrder(tx, hold);
    if (!order || order.rivals) return null;
    const seats = await endHolds(tx, {
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
    return seats;
  });
  if (freed === null) {
    const proof: Proof = { id, paymentId, checkAt: null, doubtedAt: null };
    await database.query(sql.note, JSON.stringify([proof]));
    return 0;
  }
  if (freed.length > 0) log.warn({ paymentId, seats: freed.length }, 'forged confirm: hold ended');
  return freed.length > 0 ? 1 : 0;
}
