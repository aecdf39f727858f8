// A stub of V1 for what the sandbox cannot play, and the answers it gives.

import type { PaymentApi } from '../../src/portone/payment.ts';
import { type Heard, type Stub, type StubReply, startStub } from './portone-stub.ts';

export const TOKEN = { access_token: 'token-1', now: 1_000, expired_at: 2_800 };

export const PAID = {
  imp_uid: 'imp_1',
  merchant_uid: 'o-1',
  status: 'paid',
  amount: 30_000,
  cancel_amount: 0,
  currency: 'KRW',
  sandbox: false,
  pay_method: 'card',
};

export const envelope = (response: unknown): StubReply => ({
  body: { code: 0, message: null, response },
});
export const refusal = (message: string, status = 200): StubReply => ({
  status,
  body: { code: 1, message, response: null },
});

/** @param n the how manieth call it is, tokens left out */
export type Answer = (heard: Heard, n: number) => StubReply | Promise<StubReply>;
export type Work = (stub: Stub, api: PaymentApi) => Promise<void>;

/** It hands out a token and answers everything else as told. */
export async function withV1Stub(
  connect: (url: string) => PaymentApi,
  answer: Answer,
  work: Work,
): Promise<void> {
  const stub = await startStub();
  let n = 0;
  stub.answer = (heard) => {
    if (heard.path === '/users/getToken') return envelope(TOKEN);
    n += 1;
    return answer(heard, n);
  };
  try {
    await work(stub, connect(stub.url));
  } finally {
    await stub.close();
  }
}
