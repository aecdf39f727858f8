/** How V1 answers: always the envelope, whose `code` tells a refusal even at HTTP 200. */

import type { RestContext } from './rest.ts';
import { bad, good } from './rest-v1-shapes.ts';

export const NO_SUCH_PAYMENT = '존재하지 않는 결제정보입니다.';

export function refuse(ctx: RestContext, status: number, message: string, code = 1): void {
  ctx.status = status;
  ctx.body = bad(message, code);
}

export function answer(ctx: RestContext, response: unknown): void {
  ctx.status = 200;
  ctx.body = good(response);
}
