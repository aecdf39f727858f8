// Tells PortOne the amounts of orders, so that a tampered one opens no payment window. What is to be
// told is on record with the order; told twice, it is the same.

import pLimit from 'p-limit';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import type { Log } from '../log.ts';
import { GATEWAYS } from '../portone/gateway.ts';
import type { PaymentApi } from '../portone/payment.ts';
import type { PortOne } from '../portone/portone.ts';
import type { OrderRow } from './create-orders.ts';

const sql = loadSql('note_amounts');

/** Of one process; PortOne names no rate limit. */
export const CONCURRENT_MAX = 32;
/** So long an answer waits for PortOne; what is not told by then is the duty's. */
const ANSWER_WAITS_MS = 4_000;
/** An answer's own orders are the duty's only if its process died. */
const CLAIM_MS = ANSWER_WAITS_MS + 2_000;

export interface RegisterOptions {
  database: Database;
  clock: Clock;
  log: Log;
  portone: PortOne;
}

export interface AmountToTell {
  id: number;
  merchantUid: string;
  amount: number;
  currency: string;
}

/**
 * `refused`: PortOne will not take it, now or later. `away`: it may have been told, or not. `over`:
 * the order can be paid no more.
 */
export type Telling =
  | { outcome: 'told' | 'over' }
  | { outcome: 'refused' | 'away'; message: string };

/** By order; those that are not there were not begun, or are under way. */
export type Tellings = Map<number, Telling>;

export interface Registrar {
  /** When the duty is to tell of orders that are made now. */
  tellAt(): Date;
  /** Bounded in time. @returns the orders whose amount PortOne has */
  register(orders: OrderRow[]): Promise<Set<number>>;
}

export function openRegistrar(options: RegisterOptions): Registrar {
  const turn = pLimit(CONCURRENT_MAX);
  return {
    tellAt: () => new Date(options.clock.now().getTime() + CLAIM_MS),
    register: async (orders) => {
      const byId = new Map(orders.map((order) => [order.id, order]));
      const wanted = [...byId.values()].filter(isToBeTold);
      const tellings = await tellInTime(options, turn, wanted);
      const now = options.clock.now();
      await noteTellings(options, wanted, tellings, () => now);
      const known = [...byId.values()].filter((order) => order.amountRegistered === true);
      const told = wanted.filter(({ id }) => tellings.get(id)?.outcome === 'told');
      return new Set([...known, ...told].map(({ id }) => id));
    },
  };
}

/** Nobody can be told without credentials. */
export function isRegistering(
  { preregister }: { preregister: boolean },
  { api }: PortOne,
): boolean {
  return preregister && GATEWAYS.some((gateway) => api(gateway) !== undefined);
}

function isToBeTold({ status, amountRegistered }: OrderRow): boolean {
  return amountRegistered !== true && (status === 'pending' || status === 'held');
}

async function tellInTime(
  options: RegisterOptions,
  turn: (call: () => Promise<void>) => Promise<void>,
  orders: AmountToTell[],
): Promise<Tellings> {
  const tellings: Tellings = new Map();
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), ANSWER_WAITS_MS);
  const late = new Promise<void>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const calls = orders.map((order) =>
    turn(async () => {
      if (!stop.signal.aborted) tellings.set(order.id, await tell(options.portone, order));
    }),
  );
  await Promise.race([Promise.all(calls), late]);
  clearTimeout(timer);
  // As it is now: what comes of calls under way changes nothing any more.
  return new Map(tellings);
}

/** At each version of PortOne that is configured; any may be the one that is paid on. */
export async function tell(portone: PortOne, order: AmountToTell): Promise<Telling> {
  const { merchantUid, amount, currency } = order;
  const ask = async (api: PaymentApi) => {
    try {
      return await api.register(merchantUid, amount, currency);
    } catch (error) {
      return { outcome: 'away', message: (error as Error).message } as const;
    }
  };
  const apis = GATEWAYS.flatMap((gateway) => portone.api(gateway) ?? []);
  const answers = await Promise.all(apis.map(ask));
  const away = answers.find((answer) => answer.outcome === 'away');
  const refused = answers.find((answer) => answer.outcome === 'refused');
  return away ?? refused ?? { outcome: 'told' };
}

/** @param again when an amount of which PortOne said nothing is told again */
export async function noteTellings<Order extends AmountToTell>(
  { database, log }: RegisterOptions,
  orders: Order[],
  tellings: Tellings,
  again: (order: Order) => Date,
): Promise<void> {
  if (orders.length === 0) return;
  const notes = orders.map((order) => {
    const outcome = tellings.get(order.id)?.outcome ?? 'away';
    const registerAt = outcome === 'away' ? again(order) : null;
    return { id: order.id, registered: outcome === 'told', registerAt };
  });
  logFailures(log, orders, tellings);
  try {
    await database.query(sql, JSON.stringify(notes));
  } catch (error) {
    log.warn({ error: (error as Error).message }, 'not noted: amounts are told to PortOne again');
  }
}

const NOT_IN_TIME = { outcome: 'away', message: 'no answer in time' } as const;

/** One line for all of a kind: while PortOne is away every order fails for the same reason. */
function logFailures(log: Log, orders: AmountToTell[], tellings: Tellings): void {
  const failed = (kind: 'refused' | 'away') =>
    orders.flatMap(({ id, merchantUid }) => {
      const telling = tellings.get(id) ?? NOT_IN_TIME;
      return telling.outcome === kind ? { merchantUid, error: telling.message } : [];
    });
  const [refused, away] = [failed('refused'), failed('away')];
  if (refused[0]) {
    log.warn({ ...refused[0], orders: refused.length }, 'PortOne takes no amount of this order');
  }
  if (away[0]) log.info({ ...away[0], orders: away.length }, 'amount told to PortOne again later');
}
