// PortOne's V1 REST API: token, payments, cancellation, registration of amounts.

import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { createPortOneHttp, type HttpAnswer, type PortOneHttpOptions } from './http.ts';
import {
  type CancelResult,
  GatewayUnreachable,
  type PaymentApi,
  type PaymentSnapshot,
  type PaymentStatus,
} from './payment.ts';

export interface V1Options extends PortOneHttpOptions {
  key: string;
  secret: string;
  clock: Clock;
}

/** Renewed this long before it ends, so that no call starts with a token about to die. */
const TOKEN_EARLY_S = 120;

const envelope = z.object({
  code: z.number(),
  message: z.string().nullish(),
  response: z.unknown(),
});

const tokenBody = z.object({ access_token: z.string(), expired_at: z.number(), now: z.number() });

const paymentBody = z.object({
  imp_uid: z.string(),
  merchant_uid: z.string(),
  status: z.enum(['ready', 'paid', 'failed', 'cancelled']),
  amount: z.number(),
  cancel_amount: z.number().nullish(),
  currency: z.string().nullish(),
  sandbox: z.boolean().nullish(),
  pay_method: z.string().nullish(),
  vbank_date: z.number().nullish(),
});

type V1Payment = z.infer<typeof paymentBody>;

export function createV1Api(options: V1Options): PaymentApi {
  const http = createPortOneHttp(options);
  const tokens = new Tokens(options, http);
  const authorized = async (send: (headers: Record<string, string>) => Promise<HttpAnswer>) => {
    const answer = await send({ authorization: `Bearer ${await tokens.get()}` });
    if (answer.status !== 401) return answer;
    // The token died before its time; a new one is asked for once.
    tokens.forget();
    return send({ authorization: `Bearer ${await tokens.get()}` });
  };
  const get = (path: string) => authorized((headers) => http.get(path, headers));
  const post = (path: string, body: unknown) =>
    authorized((headers) => http.post(path, body, headers));

  return {
    read: async ({ paymentId }) =>
      // Without include_sandbox a test payment looks like one that does not exist.
      snapshotFrom(await get(`/payments/${encodeURIComponent(paymentId)}?include_sandbox=true`)),
    readPaidOfOrder: async (merchantUid) =>
      snapshotFrom(await get(`/payments/find/${encodeURIComponent(merchantUid)}/paid`)),
    cancel: async (payment, reason) => {
      const body = {
        imp_uid: payment.paymentId,
        reason,
        // What we think is left: a mismatch stops the call, so nothing is paid back twice.
        checksum: payment.amount - payment.cancelledAmount,
      };
      return cancelResultFrom(await post('/payments/cancel', body));
    },
    register: async (merchantUid, amount, currency) => {
      const answer = await post('/payments/prepare', {
        merchant_uid: merchantUid,
        amount,
        currency,
      });
      contentOf(answer);
    },
  };
}

class Tokens {
  private token: { value: string; goodUntil: number } | undefined;
  private renewing: Promise<string> | undefined;

  constructor(
    private readonly options: V1Options,
    private readonly http: ReturnType<typeof createPortOneHttp>,
  ) {}

  /** One renewal at a time, whoever asks. */
  get(): Promise<string> {
    const now = this.options.clock.now().getTime() / 1000;
    if (this.token && this.token.goodUntil > now) return Promise.resolve(this.token.value);
    this.renewing ??= this.renew().finally(() => {
      this.renewing = undefined;
    });
    return this.renewing;
  }

  forget(): void {
    this.token = undefined;
  }

  private async renew(): Promise<string> {
    const { key, secret, clock } = this.options;
    const answer = await this.http.post(
      '/users/getToken',
      { imp_key: key, imp_secret: secret },
      {},
    );
    if (answer.status === 401)
      throw new GatewayUnreachable('PortOne refuses the V1 key and secret');
    const { access_token, expired_at, now } = tokenBody.parse(contentOf(answer));
    // Their clock, not ours: only the difference counts. A short life is used by half.
    const life = expired_at - now;
    const early = Math.min(TOKEN_EARLY_S, life / 2);
    this.token = { value: access_token, goodUntil: clock.now().getTime() / 1000 + life - early };
    return access_token;
  }
}

/** The content of the envelope; a `code` other than 0 is a failure even at HTTP 200. */
function contentOf(answer: HttpAnswer): unknown {
  const parsed = envelope.safeParse(answer.body);
  if (!parsed.success) throw new GatewayUnreachable('PortOne answered in an unknown shape');
  if (parsed.data.code !== 0) {
    throw new GatewayUnreachable(`PortOne refused: ${parsed.data.message ?? parsed.data.code}`);
  }
  return parsed.data.response;
}

function snapshotFrom(answer: HttpAnswer): PaymentSnapshot | null {
  if (answer.status === 404) return null;
  const parsed = paymentBody.safeParse(contentOf(answer));
  if (!parsed.success) throw new GatewayUnreachable('PortOne sent a payment in an unknown shape');
  return snapshotOf(parsed.data);
}

function snapshotOf(payment: V1Payment): PaymentSnapshot {
  const cancelled = payment.cancel_amount ?? 0;
  return {
    gateway: 'v1',
    paymentId: payment.imp_uid,
    merchantUid: payment.merchant_uid,
    status: statusOf(payment, cancelled),
    amount: payment.amount,
    cancelledAmount: cancelled,
    currency: payment.currency ?? 'KRW',
    test: payment.sandbox ?? false,
    method: payment.pay_method ?? null,
    depositBy: payment.vbank_date ? new Date(payment.vbank_date * 1000) : null,
  };
}

function statusOf(payment: V1Payment, cancelled: number): PaymentStatus {
  // V1 says `cancelled` for a partial cancellation too; the amounts tell them apart.
  if (payment.status === 'cancelled') return cancelled < payment.amount ? 'paid' : 'cancelled';
  if (payment.status === 'ready' && payment.pay_method === 'vbank') return 'waiting_deposit';
  return payment.status;
}

function cancelResultFrom(answer: HttpAnswer): CancelResult {
  const parsed = envelope.safeParse(answer.body);
  if (!parsed.success) throw new GatewayUnreachable('PortOne answered in an unknown shape');
  if (parsed.data.code === 0) return { outcome: 'done' };
  return { outcome: 'refused', message: parsed.data.message ?? `code ${parsed.data.code}` };
}
