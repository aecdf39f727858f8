// The V1 access token: shared by all calls, renewed before it ends, one renewal at a time.

import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { HttpAnswer, HttpCall, PortOneHttp } from './http.ts';
import { GatewayUnreachable } from './payment.ts';
import { contentOf } from './v1-payment.ts';

/**
 * PortOne hands out the same token until its last minute, and then lets it live 5 minutes longer:
 * asked for earlier, it would only be told the same end again.
 */
const EARLY_S = 45;

const tokenBody = z.object({
  access_token: z.string().min(1),
  expired_at: z.number(),
  now: z.number(),
});

export interface V1Credentials {
  key: string;
  secret: string;
  clock: Clock;
}

export interface V1Connection {
  /** Sends it with a token; where that was refused, nothing was done, and it is sent once more. */
  send(call: HttpCall): Promise<HttpAnswer>;
}

/** @returns what sends over a circuit, all of them with one token */
export function connectV1(
  http: PortOneHttp,
  credentials: V1Credentials,
): (over: PortOneHttp) => V1Connection {
  const tokens = new Tokens(http, credentials);
  return (over) => ({ send: (call) => sendWith(tokens, over, call) });
}

async function sendWith(tokens: Tokens, over: PortOneHttp, call: HttpCall): Promise<HttpAnswer> {
  const attempt = async () => {
    const token = await tokens.get();
    const headers = { ...call.headers, authorization: `Bearer ${token}` };
    return { token, answer: await over.send({ ...call, headers }) };
  };
  const first = await attempt();
  if (first.answer.status !== 401) return admitted(first.answer);
  // The token died before its time.
  tokens.forget(first.token);
  const second = await attempt();
  return admitted(second.answer);
}

/** A door that is shut to us says nothing about what was asked. */
function admitted(answer: HttpAnswer): HttpAnswer {
  if (answer.status !== 401 && answer.status !== 403) return answer;
  throw new GatewayUnreachable(`PortOne does not admit us: ${answer.status}`);
}

class Tokens {
  private token: { value: string; goodUntilMs: number } | undefined;
  private renewing: Promise<string> | undefined;

  constructor(
    private readonly http: PortOneHttp,
    private readonly credentials: V1Credentials,
  ) {}

  get(): Promise<string> {
    const now = this.credentials.clock.now().getTime();
    if (this.token && this.token.goodUntilMs > now) return Promise.resolve(this.token.value);
    this.renewing ??= this.renew().finally(() => {
      this.renewing = undefined;
    });
    return this.renewing;
  }

  /** Only this one: the refusal may come late, when a newer one is in use already. */
  forget(value: string): void {
    if (this.token?.value === value) this.token = undefined;
  }

  private async renew(): Promise<string> {
    const { key, secret, clock } = this.credentials;
    const askedAtMs = clock.now().getTime();
    const answer = await this.http.send({
      operation: 'token',
      method: 'POST',
      path: '/users/getToken',
      body: { imp_key: key, imp_secret: secret },
      // It changes nothing, so that it may be asked for again.
      retriesMax: 2,
    });
    if (answer.status === 401) {
      throw new GatewayUnreachable('PortOne refuses the V1 key and secret');
    }
    const parsed = tokenBody.safeParse(contentOf(answer));
    if (!parsed.success) throw new GatewayUnreachable('PortOne sent a token in an unknown shape');
    const { access_token, expired_at, now } = parsed.data;
    // Their clock, not ours: only the difference counts. A short life is used by half.
    const lifeS = expired_at - now;
    const earlyS = Math.min(EARLY_S, lifeS / 2);
    this.token = { value: access_token, goodUntilMs: askedAtMs + (lifeS - earlyS) * 1_000 };
    return access_token;
  }
}
