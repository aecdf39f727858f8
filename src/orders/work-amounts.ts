// Tells PortOne the amounts that are due: what an answer did not wait for, and what an outage kept
// back, for as long as the order may be paid.

import { loadSql } from '../db/sql.ts';
import { outageBackoffByAgeMs } from '../payments/backoff.ts';
import {
  type AmountToTell,
  CONCURRENT_MAX,
  noteTellings,
  type RegisterOptions,
  type Tellings,
  tell,
} from './register-amounts.ts';

const sql = loadSql('claim_amounts');

/** Whoever claimed an order and died gives it up after this long; told twice, it is the same. */
const CLAIM_MS = 30_000;

interface Claimed extends AmountToTell {
  createdAt: Date;
  payable: boolean;
}

/** @returns how many PortOne was told */
export async function workAmounts(options: RegisterOptions, limit: number): Promise<number> {
  let told = 0;
  for (let claimed = 0; claimed < limit; ) {
    // No more than are told at once: none waits in line while its claim runs out.
    const wanted = Math.min(CONCURRENT_MAX, limit - claimed);
    const due = await claim(options, wanted);
    claimed += due.length;
    const tellings = await tellAll(options, due);
    const now = options.clock.now().getTime();
    await noteTellings(options, due, tellings, ({ createdAt }) => {
      return new Date(now + outageBackoffByAgeMs(now - createdAt.getTime()));
    });
    told += [...tellings.values()].filter(({ outcome }) => outcome === 'told').length;
    // While PortOne is away the rest waits for the next pass.
    const isAway = [...tellings.values()].some(({ outcome }) => outcome === 'away');
    if (due.length < wanted || isAway) break;
  }
  return told;
}

function claim({ database, clock }: RegisterOptions, limit: number): Promise<Claimed[]> {
  const now = clock.now();
  return database.query(sql, now, limit, new Date(now.getTime() + CLAIM_MS));
}

async function tellAll({ portone }: RegisterOptions, due: Claimed[]): Promise<Tellings> {
  const tellings: Tellings = new Map();
  await Promise.all(
    due.map(async (order) => {
      tellings.set(order.id, order.payable ? await tell(portone, order) : { outcome: 'over' });
    }),
  );
  return tellings;
}
