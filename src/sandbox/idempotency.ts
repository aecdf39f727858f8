/** V2's `Idempotency-Key`: a repeat within three hours gets the stored answer, one too early a 409. */

import type { RestContext, RestMiddleware } from './rest.ts';

interface Stored {
  atMs: number;
  /** null while the first request is still being worked on. */
  answer: { status: number; body: unknown } | null;
}

const KEPT_MS = 3 * 3_600_000;
const MAX_KEYS = 100_000;
/** A structured-field string: quoted, 16 to 256 printable ASCII characters. */
const KEY = /^"([\x20-\x7e]{16,256})"$/;

export function idempotent(clock: () => number): RestMiddleware {
  const stored = new Map<string, Stored>();
  return async (ctx, next) => {
    const header = ctx.get('idempotency-key');
    if (header === '') return next();
    const key = KEY.exec(header)?.[1];
    if (key === undefined) {
      return refuse(
        ctx,
        400,
        'INVALID_REQUEST',
        'Idempotency-Key must be a quoted string of 16-256',
      );
    }
    const name = `${ctx.method} ${ctx.path} ${key}`;
    const earlier = stored.get(name);
    if (earlier !== undefined && clock() - earlier.atMs < KEPT_MS) return repeat(ctx, earlier);
    const entry: Stored = { atMs: clock(), answer: null };
    stored.delete(name);
    stored.set(name, entry);
    forgetOldest(stored);
    await next();
    // Nothing was looked at: a retry must be able to do it. What the PG refused stays refused.
    if (ctx.state.dropped || ctx.state.faulty) stored.delete(name);
    else entry.answer = { status: ctx.status, body: structuredClone(ctx.body) };
  };
}

function repeat(ctx: RestContext, { answer }: Stored) {
  ctx.state.note?.(answer === null ? 'outstanding' : 'replayed');
  if (answer === null) {
    return refuse(ctx, 409, 'IDEMPOTENCY_OUTSTANDING_REQUEST', 'still being worked on');
  }
  ctx.status = answer.status;
  ctx.body = answer.body;
}

function refuse(ctx: RestContext, status: number, type: string, message: string): void {
  ctx.status = status;
  ctx.body = { type, message };
}

function forgetOldest(stored: Map<string, Stored>): void {
  if (stored.size <= MAX_KEYS) return;
  const oldest = stored.keys().next().value;
  if (oldest !== undefined) stored.delete(oldest);
}
