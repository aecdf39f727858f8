// The one place where something thrown becomes an answer.

import type { Middleware } from 'koa';
import { databaseFate } from '../faults/database-errors.ts';
import { TooManyWaiting } from '../faults/too-many-waiting.ts';
import type { Log } from '../log.ts';
import { Problem } from './problem.ts';

export function renderErrors(log: Log): Middleware {
  return async (ctx, next) => {
    try {
      // No name of anything has a NUL in it, and Postgres would not even look for one.
      if (ctx.path.includes('%00')) throw new Problem('not_found', 'there is no such path');
      await next();
      if (ctx.status === 404 && ctx.body === undefined) {
        throw new Problem('not_found', `there is no ${ctx.method} ${ctx.path}`);
      }
    } catch (error) {
      const problem = problemOf(error, log);
      ctx.status = problem.status;
      ctx.body = problem.toJSON();
      ctx.type = 'application/problem+json';
      if (problem.status === 503) ctx.set('Retry-After', '1');
    }
  };
}

function problemOf(error: unknown, log: Log): Problem {
  if (error instanceof Problem) return error;
  const { message, stack } = error as Error;
  if (error instanceof TooManyWaiting || databaseFate(error) !== 'fail') {
    log.warn({ error: message }, 'not served now');
    return new Problem('unavailable', 'the service is briefly unavailable; try again');
  }
  log.error({ error: message, stack }, 'request failed');
  return new Problem('internal', 'something went wrong on our side; it has been logged');
}
