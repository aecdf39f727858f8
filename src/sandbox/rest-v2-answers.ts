/** How V2 answers: a body as it is, or an error with a type. */

import type { RestContext } from './rest.ts';

export function refuse(
  ctx: RestContext,
  status: number,
  type: string,
  message?: string,
  more: Record<string, unknown> = {},
): void {
  ctx.status = status;
  ctx.body = { type, message: message ?? type.toLowerCase().replaceAll('_', ' '), ...more };
}

export function answer(ctx: RestContext, body: unknown): void {
  ctx.status = 200;
  ctx.body = body;
}
