/** What both REST dialects share: reading bodies, meeting faults, and guarding each endpoint. */

import type { Middleware, ParameterizedContext } from 'koa';
import getRawBody from 'raw-body';
import type { Endpoint } from './faults.ts';
import type { Gateway } from './gateway.ts';
import type { RequestOutcome, World } from './types.ts';

export type Fields = Record<string, unknown>;

export interface RestState {
  fields: Fields;
  /** false: the body was neither JSON nor a form. undefined: not looked at yet. */
  readable: boolean | undefined;
  /** A fault answered, or cut the call off before it was looked at. */
  faulty: boolean | undefined;
  /** Tells the books what became of a wish to cancel or to charge. */
  note: ((outcome: RequestOutcome, cancellationId?: string) => void) | undefined;
  /** The connection was reset before any work was done. */
  dropped: boolean;
}

export type RestContext = ParameterizedContext<RestState>;
export type RestMiddleware = Middleware<RestState>;

const MAX_BODY = '64kb';

/** JSON or form into fields; null when it is neither. `jsonAnyhow`: whatever the type says. */
export async function readFields(ctx: RestContext, jsonAnyhow = false): Promise<Fields | null> {
  const text = await getRawBody(ctx.req, { encoding: 'utf8', limit: MAX_BODY }).catch(() => null);
  if (text === null) return null;
  if (text === '') return {};
  if (!jsonAnyhow && ctx.is('application/x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(text));
  }
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { ...value }
      : null;
  } catch {
    return null;
  }
}

/** The body, before anything is decided by it; once, whoever asks for it first. */
export const reading: RestMiddleware = async (ctx, next) => {
  if (ctx.state.readable === undefined) {
    const fields = await readFields(ctx);
    ctx.state.readable = fields !== null;
    ctx.state.fields = fields ?? {};
  }
  return next();
};

export function faultsAt(gateway: Gateway, world: World, endpoint: Endpoint): RestMiddleware {
  return async (ctx, next) => {
    const stop = gateway.faults.stopFor(world, endpoint);
    if (stop !== null) {
      await stop.arrive();
      await next();
      if (await stop.leave()) reset(ctx);
      return;
    }
    const fault = gateway.faults.take(world, endpoint);
    if (fault === null) return next();
    if (fault.kind === 'refuse') {
      ctx.state.dropped = true;
      ctx.state.faulty = true;
      return reset(ctx);
    }
    const byThePg = fault.kind === 'pg_error' && endpoint in PG_SAYS_NO;
    if (fault.kind === 'error' || (fault.kind === 'pg_error' && !byThePg)) {
      ctx.state.faulty = true;
      // The 5xx bodies of the real thing are undocumented; a proxy's page is the unkindest of them.
      ctx.status = fault.status;
      ctx.type = 'html';
      ctx.body = `<html><body><h1>${fault.status}</h1></body></html>`;
      return;
    }
    if (byThePg) return pgRefuses(ctx, world, endpoint);
    if (fault.kind === 'hang') await gateway.later.sleep(fault.hangMs);
    await next();
    if (fault.kind === 'answer_lost') reset(ctx);
  };
}

const PG_SAYS_NO: Partial<Record<Endpoint, { message: string; v1Status: number }>> = {
  cancel: { message: '[PG] 취소가 거절되었습니다.', v1Status: 200 },
  confirm: { message: '[PG] 승인이 거절되었습니다.', v1Status: 200 },
  closeAccount: { message: '[PG] 가상계좌 말소에 실패하였습니다.', v1Status: 400 },
};

function pgRefuses(ctx: RestContext, world: World, endpoint: Endpoint): void {
  const { message = '', v1Status = 200 } = PG_SAYS_NO[endpoint] ?? {};
  ctx.state.note?.('pg_refused');
  ctx.status = world === 'v1' ? v1Status : 502;
  ctx.body =
    world === 'v1'
      ? { code: 1, message, response: null }
      : { type: 'PG_PROVIDER', message, pgCode: 'SANDBOX', pgMessage: message };
}

function reset(ctx: RestContext): void {
  ctx.respond = false;
  ctx.req.socket.resetAndDestroy();
}

/** A number or a numeric string; null when absent or empty; NaN when it is neither. */
export function amountOf(value: unknown): number | null {
  if (value === undefined || value === null || value === '') return null;
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

export const isYes = (value: unknown): boolean => value === true || value === 'true';
