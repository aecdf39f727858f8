/** What both REST dialects share: reading bodies, meeting faults, and guarding each endpoint. */

import type { Middleware, ParameterizedContext } from 'koa';
import getRawBody from 'raw-body';
import type { Endpoint } from './faults.ts';
import type { Gateway } from './gateway.ts';
import type { World } from './types.ts';

export type Fields = Record<string, unknown>;

export interface RestState {
  fields: Fields;
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

export function faultsAt(gateway: Gateway, world: World, endpoint: Endpoint): RestMiddleware {
  return async (ctx, next) => {
    const fault = gateway.faults.take(world, endpoint);
    if (fault === null) return next();
    if (fault.kind === 'refuse') {
      ctx.state.dropped = true;
      return reset(ctx);
    }
    if (fault.kind === 'error' || (fault.kind === 'pg_error' && endpoint !== 'cancel')) {
      // The 5xx bodies of the real thing are undocumented; a proxy's page is the unkindest of them.
      ctx.status = fault.status;
      ctx.type = 'html';
      ctx.body = `<html><body><h1>${fault.status}</h1></body></html>`;
      return;
    }
    if (fault.kind === 'pg_error') return pgRefuses(ctx, world);
    if (fault.kind === 'hang') await gateway.later.sleep(fault.hangMs);
    await next();
    if (fault.kind === 'answer_lost') reset(ctx);
  };
}

function pgRefuses(ctx: RestContext, world: World): void {
  const message = '[PG] 취소가 거절되었습니다.';
  ctx.status = world === 'v1' ? 200 : 502;
  ctx.body =
    world === 'v1' ? { code: 1, message, response: null } : { type: 'PG_PROVIDER', message };
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
