// Calls to PortOne: each with a time limit, reads tried again, and left alone while it is down.

import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleType,
  retry,
} from 'cockatiel';
import { GatewayUnreachable } from './payment.ts';

const FAILURES_TO_OPEN = 5;
const OPEN_FOR_MS = 3_000;
const READ_TRIES_MAX = 2;
/** A payment object has a few kB; a list of them at most some hundred. */
const ANSWER_MAX_BYTES = 4_194_304;

export interface PortOneHttpOptions {
  baseUrl: string;
  timeoutMs: number;
  onCall?: (call: { path: string; status: number | 'unreachable'; tookMs: number }) => void;
}

export interface HttpAnswer {
  status: number;
  body: unknown;
}

export interface PortOneHttp {
  get(path: string, headers: Record<string, string>): Promise<HttpAnswer>;
  /** Never tried again by itself: the caller knows whether that is safe. */
  post(path: string, body: unknown, headers: Record<string, string>): Promise<HttpAnswer>;
}

export function createPortOneHttp(options: PortOneHttpOptions): PortOneHttp {
  const unreachable = handleType(GatewayUnreachable);
  const circuit = circuitBreaker(unreachable, {
    halfOpenAfter: OPEN_FOR_MS,
    breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
  });
  // Exponential with full jitter by default: callers that failed together do not return together.
  const again = retry(unreachable, {
    maxAttempts: READ_TRIES_MAX,
    backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 1_000 }),
  });
  const guarded = async (work: () => Promise<HttpAnswer>) => {
    try {
      return await circuit.execute(work);
    } catch (error) {
      if (error instanceof BrokenCircuitError)
        throw new GatewayUnreachable('PortOne is down', error);
      throw error;
    }
  };
  return {
    get: (path, headers) => again.execute(() => guarded(() => call(options, path, { headers }))),
    post: (path, body, headers) =>
      guarded(() =>
        call(options, path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(body),
        }),
      ),
  };
}

async function call(
  options: PortOneHttpOptions,
  path: string,
  init: RequestInit,
): Promise<HttpAnswer> {
  const startedAt = performance.now();
  const note = (status: number | 'unreachable') =>
    options.onCall?.({ path, status, tookMs: performance.now() - startedAt });
  try {
    const response = await fetch(`${options.baseUrl.replace(/\/+$/, '')}${path}`, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    const text = await response.text();
    note(response.status);
    if (text.length > ANSWER_MAX_BYTES) throw new GatewayUnreachable('the answer is too long');
    const answer = { status: response.status, body: parsed(text) };
    if (response.status >= 500 && !isProviderError(answer.body)) {
      throw new GatewayUnreachable(`PortOne answered ${response.status}`);
    }
    return answer;
  } catch (error) {
    if (error instanceof GatewayUnreachable) throw error;
    note('unreachable');
    throw new GatewayUnreachable(`no answer from PortOne: ${(error as Error).message}`, error);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** V2 answers 502 where the payment provider behind it refused: PortOne itself is well. */
function isProviderError(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'type' in body && body.type === 'PG_PROVIDER';
}
