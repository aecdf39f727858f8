/** One POST to the merchant's server: never redirected, never retried, always settled as a value. */

import http from 'node:http';
import https from 'node:https';
import type { ConfirmAnswer } from './types.ts';

export interface OutgoingCall {
  url: string;
  headers: Record<string, string>;
  body: string;
  timeoutMs: number;
  /** Breaks the connection this long after it was established. */
  hangUpAfterMs?: number | undefined;
}

type Settle = (status: number | null, body: unknown, error: string | null) => void;

const MAX_BODY_BYTES = 64 * 1024;

/** Idle sockets are dropped before the 5 s after which Node servers drop them: reusing one that is
 * just being closed would look like a broken connection, hence a refusal. */
const IDLE_SOCKET_MS = 3_000;

export class Outgoing {
  readonly #http: http.Agent;
  readonly #https: https.Agent;
  readonly #usual: Record<string, string>;

  /** @param usual headers of every call, unless it has its own of that name */
  constructor(maxSockets: number, usual: Record<string, string> = {}) {
    this.#usual = usual;
    const options = { keepAlive: true, maxSockets, timeout: IDLE_SOCKET_MS };
    this.#http = new http.Agent(options);
    this.#https = new https.Agent(options);
  }

  post(call: OutgoingCall): Promise<ConfirmAnswer> {
    return new Promise((resolve) => {
      const secure = call.url.startsWith('https:');
      const request = (secure ? https : http).request(call.url, {
        method: 'POST',
        agent: secure ? this.#https : this.#http,
        headers: {
          ...this.#usual,
          ...call.headers,
          'content-length': String(Buffer.byteLength(call.body)),
        },
      });
      const fate = { startedAtMs: performance.now(), timedOut: false, aborted: false };
      const timers: NodeJS.Timeout[] = [];
      const settle: Settle = (status, body, error) => {
        for (const timer of timers) clearTimeout(timer);
        const { startedAtMs, timedOut, aborted } = fate;
        const latencyMs = performance.now() - startedAtMs;
        resolve({ asked: true, status, body, latencyMs, timedOut, aborted, error });
      };
      // Time runs from the socket on: waiting for one of our own sockets is not the merchant's delay.
      request.once('socket', () => {
        fate.startedAtMs = performance.now();
        timers.push(setTimeout(() => giveUp('timedOut', call.timeoutMs), call.timeoutMs));
        if (call.hangUpAfterMs === undefined) return;
        const { hangUpAfterMs } = call;
        timers.push(setTimeout(() => giveUp('aborted', hangUpAfterMs), hangUpAfterMs));
      });
      const giveUp = (how: 'timedOut' | 'aborted', afterMs: number): void => {
        fate[how] = true;
        request.destroy(
          new Error(`${how === 'aborted' ? 'hung up' : 'gave up'} after ${afterMs} ms`),
        );
      };
      // Stays for good: a destroyed request may fail once more after it has been settled.
      request.on('error', (error) => settle(null, null, error.message));
      request.once('response', (response) => read(response, settle));
      request.end(call.body);
    });
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

function read(response: http.IncomingMessage, settle: Settle): void {
  const parts: Buffer[] = [];
  let size = 0;
  response.on('data', (part: Buffer) => {
    size += part.length;
    if (size <= MAX_BODY_BYTES) parts.push(part);
  });
  response.on('error', (error) => settle(null, null, error.message));
  response.on('close', () => {
    if (!response.complete) settle(null, null, 'the connection broke before the answer was whole');
  });
  response.on('end', () => {
    settle(response.statusCode ?? null, parsed(Buffer.concat(parts).toString('utf8')), null);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
