// POST /confirm: read, know the caller, ask the desk, answer.

import type { Context, Middleware } from 'koa';
import type { Clock } from '../clock.ts';
import { readBody } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import type { Log } from '../log.ts';
import type { SignatureChecker } from '../portone/signature.ts';
import type { Answer, Caller, ConfirmDesk } from './desk.ts';
import { type ConfirmRequest, readConfirmRequest } from './request.ts';
import { buyerText } from './texts.ts';
import type { ConfirmTokens } from './token.ts';
import {
  type Confirmed,
  REFUSAL_STATUS,
  type Refused,
  refuse,
  type SeatView,
  type Verdict,
} from './verdict.ts';

export interface ConfirmHandlerOptions {
  desk: ConfirmDesk;
  tokens: ConfirmTokens;
  tokenRequired: boolean;
  signatures: SignatureChecker;
  bodyMaxBytes: number;
  clock: Clock;
  log: Log;
  onAnswer?: (verdict: Verdict, latencyMs: number) => void;
}

const RETRY_AFTER_SECONDS = '1';

export function confirmHandler(options: ConfirmHandlerOptions): Middleware {
  return async (ctx) => {
    const caller = callerOf(ctx, options.clock);
    const { answer, request } = await answerTo(ctx, options, caller);
    await write(ctx, answer, caller);
    const latencyMs = options.clock.now().getTime() - caller.arrivedAt;
    options.onAnswer?.(answer.verdict, latencyMs);
    options.log.info(
      {
        paymentId: request?.paymentId,
        merchantUid: request?.merchantUid,
        eventId: answer.eventId,
        code: answer.verdict.code,
        position: answer.verdict.position,
        latencyMs,
        ...(caller.gone.aborted ? { callerGone: true } : {}),
      },
      'confirm answered',
    );
  };
}

async function answerTo(ctx: Context, options: ConfirmHandlerOptions, caller: Caller) {
  let body: { raw: string; value: unknown };
  try {
    body = await readBody(ctx, options.bodyMaxBytes);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    options.log.info({ faults: [error.message] }, 'confirm request not understood');
    return { answer: plain(refuse('invalid_request')) };
  }
  const read = readConfirmRequest(body.value);
  if (!read.ok) {
    options.log.info({ faults: read.faults }, 'confirm request not understood');
    return { answer: plain(refuse('invalid_request')) };
  }
  const { request } = read;
  const trust = trustIn(ctx, body.raw, request, options);
  if (trust === 'none') return { answer: plain(refuse('forbidden')), request };
  const proven = trust === 'proven';
  return { answer: await options.desk.ask({ ...request, proven }, caller), request };
}

/** An answer to somebody whose event, and so whose language, is not known. */
function plain(verdict: Refused): Answer {
  return { verdict, language: 'ko' };
}

/**
 * V1 calls are unsigned, so the token bound to the order stands for the caller. V2 calls are
 * signed wherever a webhook secret is configured; a signature that is there must be good.
 * @returns `order`: whoever it is knows the order's token, as its buyer does
 */
function trustIn(
  ctx: Context,
  rawBody: string,
  request: ConfirmRequest,
  options: ConfirmHandlerOptions,
): 'none' | 'order' | 'proven' {
  const token = ctx.query.token;
  const tokenGood = typeof token === 'string' && options.tokens.verify(request.merchantUid, token);
  if (token !== undefined && !tokenGood && options.tokenRequired) return 'none';
  if (request.gateway === 'v2' && options.signatures.configured) {
    const signature = options.signatures.check(rawBody, ctx.req.headers);
    if (signature === 'valid') return 'proven';
    if (signature === 'invalid' || request.signed) return 'none';
  }
  return tokenGood || !options.tokenRequired ? 'order' : 'none';
}

export function callerOf(ctx: Context, clock: Clock): Caller {
  const gone = new AbortController();
  // The request's own `close` also fires once the body is read; the answer's tells the truth.
  ctx.res.once('close', () => {
    if (!ctx.res.writableFinished) gone.abort();
  });
  return { arrivedAt: clock.now().getTime(), gone: gone.signal };
}

async function write(ctx: Context, answer: Answer, caller: Caller): Promise<void> {
  const { verdict, language } = answer;
  if (verdict.code === 'confirmed') {
    if (caller.gone.aborted) {
      await answer.retract?.();
      return;
    }
    ctx.status = 200;
    ctx.body = confirmedBody(verdict);
    return;
  }
  writeRefusal(ctx, verdict, buyerText(verdict, language));
}

export function confirmedBody(verdict: Confirmed): Record<string, unknown> {
  const { code, position, seats, holdExpiresAt } = verdict;
  return { code, position, seats: seats.map(inOrder), holdExpiresAt };
}

/** @param text what the buyer reads */
export function writeRefusal(
  ctx: Context,
  verdict: Refused,
  text: string,
  more: Record<string, unknown> = {},
): void {
  ctx.status = REFUSAL_STATUS[verdict.code];
  ctx.body = {
    code: verdict.code,
    reason: text,
    errorMessage: text,
    ...(verdict.position === undefined ? {} : { position: verdict.position }),
    ...(verdict.at === undefined ? {} : { at: verdict.at }),
    ...(verdict.labels === undefined ? {} : { seats: verdict.labels }),
    ...more,
  };
  if (ctx.status === 503) ctx.set('Retry-After', RETRY_AFTER_SECONDS);
}

/** A repeat gets the same answer to the letter, whichever way its seats were read. */
function inOrder({ label, ticketType, section, row, number }: SeatView): SeatView {
  return {
    label,
    ticketType,
    ...(section === undefined ? {} : { section }),
    ...(row === undefined ? {} : { row }),
    ...(number === undefined ? {} : { number }),
  };
}
