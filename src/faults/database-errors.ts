// What a database error means for the caller: retry in a new transaction, refuse, or fail.

export type DatabaseFate = 'retry' | 'unavailable' | 'fail';

/** By SQLSTATE; the only table of its kind. Two-character keys stand for a whole class. */
const FATE_BY_SQLSTATE: Record<string, DatabaseFate> = {
  '40001': 'retry', // serialization failure
  '40P01': 'retry', // deadlock
  '55P03': 'retry', // lock not had within lock_timeout
  '23505': 'retry', // somebody else wrote the row first: look again
  '57014': 'unavailable', // statement_timeout
  '25P03': 'unavailable', // idle in transaction for too long
  '53300': 'unavailable', // too many connections
  '57P01': 'unavailable', // shut down by an administrator
  '57P02': 'unavailable', // crashed
  '57P03': 'unavailable', // starting up
  '08': 'unavailable', // connection lost
};

/** Error codes of Prisma itself and of the network that mean the same. */
const FATE_BY_CODE: Record<string, DatabaseFate> = {
  P2034: 'retry',
  P2002: 'retry',
  P2028: 'unavailable',
  P2024: 'unavailable',
  P1001: 'unavailable',
  P1002: 'unavailable',
  P1008: 'unavailable',
  P1017: 'unavailable',
  ECONNREFUSED: 'unavailable',
  ECONNRESET: 'unavailable',
  ETIMEDOUT: 'unavailable',
  EPIPE: 'unavailable',
  ENOENT: 'unavailable',
};

const FATE_BY_KIND: Record<string, DatabaseFate> = {
  TransactionWriteConflict: 'retry',
  UniqueConstraintViolation: 'retry',
  DatabaseNotReachable: 'unavailable',
  ConnectionClosed: 'unavailable',
  SocketTimeout: 'unavailable',
  TooManyConnections: 'unavailable',
};

/** Thrown inside a transaction whose guarded write met fewer rows than it had read. */
export class StaleRead extends Error {
  constructor(what: string) {
    super(`${what} changed between reading and writing`);
    this.name = 'StaleRead';
  }
}

export function databaseFate(error: unknown): DatabaseFate {
  if (error instanceof StaleRead) return 'retry';
  for (const cause of causes(error)) {
    const fate = fateOf(cause);
    if (fate) return fate;
  }
  return 'fail';
}

function fateOf(error: Record<string, unknown>): DatabaseFate | undefined {
  for (const code of [error.originalCode, error.code]) {
    if (typeof code !== 'string') continue;
    const fate = FATE_BY_SQLSTATE[code] ?? FATE_BY_SQLSTATE[code.slice(0, 2)] ?? FATE_BY_CODE[code];
    // P2010 only wraps: the SQLSTATE lies deeper.
    if (fate && code !== 'P2010') return fate;
  }
  if (typeof error.kind === 'string' && FATE_BY_KIND[error.kind]) return FATE_BY_KIND[error.kind];
  const message = typeof error.message === 'string' ? error.message : '';
  if (
    /connection (terminated|timeout|ended)|timeout exceeded when trying to connect|query read timeout|not queryable|Can't reach database/i.test(
      message,
    )
  ) {
    return 'unavailable';
  }
  return undefined;
}

/** The error and everything it wraps, deepest first: the database's own word is the true one. */
function causes(error: unknown, depth = 0): Record<string, unknown>[] {
  if (typeof error !== 'object' || error === null || depth > 6) return [];
  const e = error as Record<string, unknown>;
  const inner = [e.cause, e.meta, e.driverAdapterError].flatMap((c) => causes(c, depth + 1));
  return [...inner, e];
}
