// A confirm request can be forged where it is unsigned: shortly after its 200 the payment is looked
// up, and a hold whose payment PortOne does not know ends early. Payments that failed in silence,
// as V1's do, are found by the same look.

import { loadSql } from '../db/sql.ts';
import type { AskOptions } from '../payments/ask-before-release.ts';
import { GATEWAYS, type Gateway } from '../portone/gateway.ts';
import { GatewayUnreachable, type ManyRead, type PaymentApi } from '../portone/payment.ts';
import { endForged } from './end-forged.ts';
import {
  noteProofs,
  type Proof,
  SILENT_WAIT_MS,
  settleFound,
  snapshotOf,
  type Unproven,
} from './proofs.ts';

const claim = loadSql('claim_unproven');

/** Whoever claimed a hold and died gives it up after this long. */
const CLAIM_MS = 60_000;
/** V1 tells of a hundred payments in one call; V2 of one. */
const AT_A_TIME: Record<Gateway, number> = { v1: 100, v2: 32 };

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
      const holds = await options.database.query<Unproven>(claim, now, size, until, gateway);
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
  const told = await lookUp(api, holds);
  const now = options.clock.now();
  const proofs: Proof[] = [];
  const forged: Unproven[] = [];
  for (const hold of holds) {
    const { id, paymentId, doubtedAt } = hold;
    const proof = { id, paymentId, doubtedAt };
    if (told === null || told.unread.some((ref) => ref.paymentId === paymentId)) {
      proofs.push({ ...proof, checkAt: new Date(now.getTime() + SILENT_WAIT_MS) });
    } else if (snapshotOf(told.known, hold)) {
      proofs.push({ ...proof, checkAt: null, doubtedAt: null });
    } else if (doubtedAt === null) {
      const checkAt = new Date(now.getTime() + doubtMs);
      proofs.push({ ...proof, checkAt, doubtedAt: now });
    } else {
      forged.push(hold);
    }
  }
  await noteProofs(options.database, proofs);
  for (const hold of holds) await settleFound(options, told && snapshotOf(told.known, hold));
  let ended = 0;
  for (const hold of forged) ended += await endForged(options, api, hold);
  return ended;
}

/** @returns null where PortOne gave no answer */
async function lookUp(api: PaymentApi, holds: Unproven[]): Promise<ManyRead | null> {
  try {
    return await api.readMany(holds);
  } catch (error) {
    if (error instanceof GatewayUnreachable) return null;
    throw error;
  }
}
