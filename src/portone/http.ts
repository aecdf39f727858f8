// One call to PortOne: with a time limit and a length limit, measured, and without secrets in errors.

import { type Circuit, createCircuit, type Retries } from './circuit.ts';
import type { Gateway } from './gateway.ts';
import { GatewayUnreachable } from './payment.ts';

/** A payment object has a few kB, some with all that was ever sent about it; 100 are asked for. */
const ANSWER_MAX_BYTES = 8_388_608;
/** Busy or slow, and not done: the same as no answer. */
const COME_BACK_LATER = new Set([408, 429]);

export type Operation =
  | 'token'
  | 'read'
  | 'read_many'
  | 'read_attempts'
  | 'list'
  | 'cancel'
  | 'close_account'
  | 'register'
  | 'confirm';

export interface GatewayCall {
  gateway: Gateway;
  operation: Operation;
  status: number | 'timeout' | 'unreachable';
  tookMs: number;
}

export interface CircuitChange {
  gateway: Gateway;
  open: boolean;
}

export interface PortOneHttpOptions {
  gateway: Gateway;
  baseUrl: string;
  timeoutMs: number;
  /** Every call that was sent, the repeated ones too. */
  onCall?: ((call: GatewayCall) => void) | undefined;
  onCircuit?: ((change: CircuitChange) => void) | undefined;
}

export interface HttpAnswer {
  status: number;
  /** Null where it was no JSON, or too long. */
  body: unknown;
}

export interface HttpCall {
  operation: Operation;
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
  /** For what is known to be long. */
  answerMaxBytes?: number;
  retriesMax: Retries;
}

export interface PortOneHttp {
  /** @throws GatewayUnreachable on network errors, time-outs and 5xx: it may have happened or not */
  send(call: HttpCall): Promise<HttpAnswer>;
}

/** Each has a circuit of its own. */
export function createPortOneHttp(options: PortOneHttpOptions): PortOneHttp {
  const { gateway, onCircuit } = options;
  const circuit: Circuit = createCircuit((open) => onCircuit?.({ gateway, open }));
  return { send: (call) => circuit.run(call.retriesMax, () => send(options, call)) };
}

/** An id as a part of a path, whatever a stranger may have put into it. */
export function segment(id: string): string {
  // Half a surrogate pair would throw.
  const whole = Buffer.from(id, 'utf8').toString('utf8');
  // `..` climbs up the path in every spelling; encoded twice it is a payment that nobody has.
  return encodeURIComponent(/^\.{1,2}$/.test(whole) ? whole.replaceAll('.', '%2E') : whole);
}

async function send(options: PortOneHttpOptions, call: HttpCall): Promise<HttpAnswer> {
  const startedAt = performance.now();
  const note = (status: GatewayCall['status']) =>
    options.onCall?.({
      gateway: options.gateway,
      operation: call.operation,
      status,
      tookMs: performance.now() - startedAt,
    });
  let answer: HttpAnswer;
  try {
    answer = await exchange(options, call);
  } catch (error) {
    const { status, why } = reasonOf(error);
    note(status);
    throw new GatewayUnreachable(`no answer from PortOne: ${why}`);
  }
  note(answer.status);
  if (isNoAnswer(answer)) throw new GatewayUnreachable(`PortOne answered ${answer.status}`);
  return answer;
}

async function exchange(options: PortOneHttpOptions, call: HttpCall): Promise<HttpAnswer> {
  const withBody = call.body !== undefined;
  const response = await fetch(`${options.baseUrl.replace(/\/+$/, '')}${call.path}`, {
    method: call.method ?? 'GET',
    headers: {
      accept: 'application/json',
      ...(withBody ? { 'content-type': 'application/json' } : {}),
      ...call.headers,
    },
    ...(withBody ? { body: JSON.stringify(call.body) } : {}),
    // The credentials are for this host alone.
    redirect: 'manual',
    signal: AbortSignal.timeout(options.timeoutMs),
  });
  const bytesMax = call.answerMaxBytes ?? ANSWER_MAX_BYTES;
  return { status: response.status, body: await bodyOf(response, bytesMax) };
}

async function bodyOf(response: Response, bytesMax: number): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > bytesMax) return null;
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    return null;
  }
}

/** Never the message of the error itself: some of them quote the header they stumbled over. */
function reasonOf(error: unknown): { status: 'timeout' | 'unreachable'; why: string } {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return { status: 'timeout', why: 'the time limit passed' };
  }
  const { cause } = error as { cause?: { code?: unknown } };
  const code = typeof cause?.code === 'string' ? cause.code : 'the connection broke';
  return { status: 'unreachable', why: code };
}

function isNoAnswer({ status, body }: HttpAnswer): boolean {
  if (status >= 500) return !isProviderError(body);
  // A redirect comes from something that stands before PortOne.
  return (status >= 300 && status < 400) || COME_BACK_LATER.has(status);
}

/** V2 answers 502 where the payment provider behind it refused: PortOne itself is well. */
function isProviderError(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'type' in body && body.type === 'PG_PROVIDER';
}
