// PortOne's V1 REST API. It has no idempotency keys: what moves money is sent once.

import { checkAmount, leftOf } from './amounts.ts';
import { createPortOneHttp, type HttpAnswer, type PortOneHttpOptions, segment } from './http.ts';
import {
  type CancelRequest,
  type CancelResult,
  type CloseResult,
  GatewayUnreachable,
  type PaymentApi,
  type PaymentRef,
  type PaymentSnapshot,
  type RegisterResult,
} from './payment.ts';
import { listV1 } from './v1-list.ts';
import { isV1Id, readAttemptsV1, readManyV1 } from './v1-many.ts';
import { openEnvelope, paymentFrom, readPayment } from './v1-payment.ts';
import { connectV1, type V1Connection, type V1Credentials } from './v1-token.ts';

export interface V1Options extends Omit<PortOneHttpOptions, 'gateway'>, V1Credentials {
  /** A payment in a list was in a shape that we do not know. */
  onUnreadable?: (() => void) | undefined;
}

export function createV1Api(options: V1Options): PaymentApi {
  const http = createPortOneHttp({ ...options, gateway: 'v1' });
  const connect = connectV1(http, options);
  const v1 = connect(http);
  // A circuit of its own: trouble with amounts must not keep payments from being read.
  const amounts = connect(createPortOneHttp({ ...options, gateway: 'v1' }));
  return {
    read: (ref) => read(v1, ref),
    readMany: (refs) => readManyV1(v1, refs),
    readAttempts: (merchantUid) => readAttemptsV1(v1, merchantUid),
    list: (window) => listV1(v1, window, () => options.onUnreadable?.()),
    cancel: (request) => cancel(v1, request),
    closeAccount: (ref) => closeAccount(v1, ref),
    register: (merchantUid, amount, currency) => register(amounts, merchantUid, amount, currency),
    // On V1 PortOne asks us, and the charge does not wait for a call of ours.
    confirm: null,
  };
}

async function read(v1: V1Connection, { paymentId }: PaymentRef): Promise<PaymentSnapshot | null> {
  if (!isV1Id(paymentId)) return null;
  // Without include_sandbox a test payment looks like one that does not exist.
  const path = `/payments/${segment(paymentId)}?include_sandbox=true`;
  return paymentFrom(await v1.send({ operation: 'read', path, retriesMax: 2 }));
}

/**
 * Never sent again from here: the first may have been carried out. A refusal because the checksum
 * does not fit looks like any other, so that the caller reads again after each one.
 */
async function cancel(v1: V1Connection, request: CancelRequest): Promise<CancelResult> {
  checkAmount(request);
  const { payment, amount, reason, account } = request;
  const left = leftOf(request);
  // A checksum of 0 might be taken for none at all.
  if (left <= 0) return { outcome: 'changed' };
  const body = {
    imp_uid: payment.paymentId,
    reason,
    // What we think is left: a difference stops the call, so nothing is paid back twice.
    checksum: left,
    ...(amount === null ? {} : { amount }),
    ...(account && {
      refund_holder: account.holder,
      refund_bank: account.bank,
      refund_account: account.number,
      ...(account.phone === null ? {} : { refund_tel: account.phone }),
    }),
  };
  const answer = await v1.send({
    operation: 'cancel',
    method: 'POST',
    path: '/payments/cancel',
    body,
    retriesMax: 0,
  });
  return cancelResultFrom(answer, payment.cancelledAmount + (amount ?? left));
}

function cancelResultFrom(answer: HttpAnswer, cancelledThen: number): CancelResult {
  const content = openEnvelope(answer);
  if (content.refused) return { outcome: 'refused', message: content.message };
  const payment = readPayment(content.response);
  if (!payment) throw new GatewayUnreachable('PortOne sent a payment in an unknown shape');
  // Some providers (PayPal, Smartro's accounts) carry it out later: it is taken, not yet done.
  return { outcome: payment.cancelledAmount >= cancelledThen ? 'done' : 'pending' };
}

async function closeAccount(v1: V1Connection, ref: PaymentRef): Promise<CloseResult> {
  const answer = await v1.send({
    operation: 'close_account',
    method: 'DELETE',
    path: `/vbanks/${segment(ref.paymentId)}`,
    retriesMax: 0,
  });
  if (!openEnvelope(answer).refused) return 'closed';
  // A payment that is no account, one that waits no more, a provider that cannot: all are a 400.
  const payment = await read(v1, ref);
  return payment?.status === 'waiting_deposit' ? 'unsupported' : 'not_open';
}

async function register(
  v1: V1Connection,
  merchantUid: string,
  amount: number,
  currency: string,
): Promise<RegisterResult> {
  const send = async (method: 'POST' | 'PUT') =>
    openEnvelope(
      await v1.send({
        operation: 'register',
        method,
        path: '/payments/prepare',
        body: { merchant_uid: merchantUid, amount, currency },
        // Told twice, it is the same.
        retriesMax: 1,
      }),
    );
  const first = await send('POST');
  if (!first.refused) return { outcome: 'done' };
  // It may be registered already, perhaps with another amount; no code says so.
  if (!(await send('PUT')).refused) return { outcome: 'done' };
  return { outcome: 'refused', message: first.message };
}
