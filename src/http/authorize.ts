// Lets in who carries the organizer's key.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Middleware } from 'koa';
import { Problem } from './problem.ts';

export function authorize(apiKey: string): Middleware {
  const expected = digest(apiKey);
  return async (ctx, next) => {
    const given = /^Bearer (.+)$/i.exec(ctx.get('Authorization'))?.[1] ?? '';
    // Digests have one length, so that the comparison takes one time.
    if (!timingSafeEqual(digest(given), expected)) {
      ctx.set('WWW-Authenticate', 'Bearer');
      throw new Problem('unauthorized', 'send the API key as `Authorization: Bearer <API_KEY>`');
    }
    await next();
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
