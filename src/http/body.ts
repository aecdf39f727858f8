// Reads request bodies, bounded, keeping the raw text that signatures are made over.

import type { Context } from 'koa';
import rawBody from 'raw-body';
import { Problem } from './problem.ts';

export interface Body {
  raw: string;
  value: unknown;
}

export async function readText(ctx: Context, maxBytes: number): Promise<string> {
  try {
    return await rawBody(ctx.req, {
      limit: maxBytes,
      length: ctx.request.length ?? null,
      encoding: 'utf-8',
    });
  } catch (error) {
    const { type } = error as { type?: string };
    if (type === 'entity.too.large') {
      // The rest is not read: the connection ends with the answer.
      ctx.set('Connection', 'close');
      throw new Problem('body_too_large', `the body may have at most ${maxBytes} bytes`);
    }
    throw new Problem('malformed_body', 'the body could not be read');
  }
}

/** JSON, or a form where the sender says so and means it: curl says so of everything. */
export async function readBody(ctx: Context, maxBytes: number): Promise<Body> {
  const raw = await readText(ctx, maxBytes);
  const json = /^\s*[[{]/.test(raw);
  if (!json && ctx.is('application/x-www-form-urlencoded')) {
    if (/%00|\0/.test(raw)) throw unstorable();
    return { raw, value: Object.fromEntries(new URLSearchParams(raw)) };
  }
  return { raw, value: parseJson(raw) };
}

export function parseJson(raw: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    throw new Problem('malformed_body', 'the body is not valid JSON');
  }
  if (isDeeperThan(NESTING_MAX, value)) {
    throw new Problem('malformed_body', `the body may be nested ${NESTING_MAX} levels at most`);
  }
  // Only an escape can bring in what is no text; written out anew, no other escape is left of \u.
  if (raw.includes('\\u') && NO_TEXT.test(JSON.stringify(value))) throw unstorable();
  return value;
}

/** Thousands of levels fit into a small body, and writing them out again overflows the stack. */
const NESTING_MAX = 64;

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

/** A NUL or half a surrogate pair, as JSON.stringify escapes it after an even number of `\`. */
const NO_TEXT = /(?<!\\)(\\\\)*\\u(0000|d[89a-f][0-9a-f]{2})/;

/** Postgres keeps neither; one such id would fail a whole batch that it is decided in. */
function unstorable(): Problem {
  return new Problem('malformed_body', 'the body contains a NUL or half a surrogate pair');
}
