// PortOne's V2 REST API. What changes something carries a key, so that it happens once at most.
//
// PortOne's own @portone/server-sdk does the same calls, but has no time limit, sends nothing again,
// knows no Idempotency-Key, and stumbles over errors that are not JSON; so it only serves a test.

import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import { z } from 'zod';
import { checkAmount, leftOf } from './amounts.ts';
import type { Retries } from './circuit.ts';
import {
  createPortOneHttp,
  type HttpAnswer,
  type Operation,
  type PortOneHttp,
  type PortOneHttpOptions,
  segment,
} from './http.ts';
import {
  type CancelRequest,
  type CancelResult,
  type CloseResult,
  GatewayUnreachable,
  type ManyRead,
  type PaymentApi,
  type PaymentRef,
  type PaymentSnapshot,
  UnusableAnswer,
} from './payment.ts';
import { confirmBodyOf, confirmResultFrom } from './v2-confirm.ts';
import { listV2 } from './v2-list.ts';
import { attemptsFrom, paymentFrom, refusalOf } from './v2-payment.ts';

export interface V2Options extends Omit<PortOneHttpOptions, 'gateway'> {
  secret: string;
  /** PortOne works on a charge for up to a minute, whether or not somebody still listens. */
  confirmTimeoutMs: number;
  /** A payment in a list was in a shape that we do not know. */
  onUnreadable?: (() => void) | undefined;
}

const READS_MAX = 100;
const READS_CONCURRENT_MAX = 8;

/** What is left is not what we think: each of them calls for a fresh look. */
const CHANGED = new Set([
  'PAYMENT_ALREADY_CANCELLED',
  'CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN',
  'CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT',
]);

export function createV2Api(options: V2Options): PaymentApi {
  const { secret, timeoutMs, confirmTimeoutMs, onUnreadable } = options;
  const calls = new V2Calls(createPortOneHttp({ ...options, timeoutMs, gateway: 'v2' }), secret);
  // A circuit of its own: slow reads must not keep buyers from paying, nor a trial that takes a
  // minute the reads from going on.
  const charges = new V2Calls(
    createPortOneHttp({ ...options, timeoutMs: confirmTimeoutMs, gateway: 'v2' }),
    secret,
  );
  // And one more: trouble with amounts must not keep payments from being read.
  const amounts = new V2Calls(createPortOneHttp({ ...options, timeoutMs, gateway: 'v2' }), secret);
  const readOrder = async (merchantUid: string) => paymentFrom(await calls.readOrder(merchantUid));
  return {
    read: (ref) => readAttempt(calls, ref),
    readMany: (refs) => readMany(readOrder, refs),
    readAttempts: (merchantUid) => readAttempts(calls, merchantUid),
    list: (window) =>
      listV2(
        (path) => calls.get('list', path),
        window,
        () => onUnreadable?.(),
      ),
    cancel: (request) => cancel(calls, request),
    closeAccount: (ref) => closeAccount(calls, ref),
    register: async (merchantUid, amount, currency) => {
      const path = `/payments/${segment(merchantUid)}/pre-register`;
      const answer = await amounts.change('register', path, { totalAmount: amount, currency });
      if (answer.status === 200) return { outcome: 'done' };
      return { outcome: 'refused', message: refusalOf(answer).message };
    },
    confirm: async (request) => {
      const path = `/payments/${segment(request.merchantUid)}/confirm`;
      // Once: after a lost answer the caller looks first whether the buyer was charged.
      const how = { key: request.key, retriesMax: 0 } as const;
      return confirmResultFrom(await charges.change('confirm', path, confirmBodyOf(request), how));
    },
  };
}

class V2Calls {
  private readonly authorization: string;

  constructor(
    private readonly http: PortOneHttp,
    secret: string,
  ) {
    // Said here, since the error of fetch would quote it.
    if (!/^[\x21-\x7e]+$/.test(secret)) {
      throw new TypeError('the V2 API secret has characters that no header can carry');
    }
    this.authorization = `PortOne ${secret}`;
  }

  get(operation: Operation, path: string): Promise<HttpAnswer> {
    const headers = { authorization: this.authorization };
    return this.http.send({ operation, path, headers, retriesMax: 2 });
  }

  readOrder(merchantUid: string): Promise<HttpAnswer> {
    return this.get('read', `/payments/${segment(merchantUid)}`);
  }

  /** Sent once more where no answer came: with the same key it still happens once. */
  change(
    operation: Operation,
    path: string,
    body: unknown,
    { key, retriesMax }: { key: string; retriesMax: Retries } = {
      key: randomUUID(),
      retriesMax: 1,
    },
  ): Promise<HttpAnswer> {
    const headers = { authorization: this.authorization, 'idempotency-key': quoted(key) };
    return this.http.send({ operation, method: 'POST', path, headers, body, retriesMax });
  }
}

/** A string of RFC 8941, of which PortOne takes 16 to 256 characters and keeps the answer 3 h. */
function quoted(key: string): string {
  if (!/^[\x20\x21\x23-\x5b\x5d-\x7e]{16,256}$/.test(key)) {
    throw new RangeError('a key has 16 to 256 plain characters');
  }
  return `"${key}"`;
}

/**
 * V2 tells of an order by its latest attempt, or by the paid one. Where that is another than was
 * asked for and nothing is paid, the attempt itself is looked for among all of them.
 */
async function readAttempt(calls: V2Calls, ref: PaymentRef): Promise<PaymentSnapshot | null> {
  const payment = paymentFrom(await calls.readOrder(ref.merchantUid));
  if (!payment || payment.paymentId === ref.paymentId || payment.status === 'paid') return payment;
  const attempts = await readAttempts(calls, ref.merchantUid);
  return attempts.find(({ paymentId }) => paymentId === ref.paymentId) ?? payment;
}

async function readAttempts(calls: V2Calls, merchantUid: string): Promise<PaymentSnapshot[]> {
  const path = `/payments/${segment(merchantUid)}/transactions`;
  return attemptsFrom(await calls.get('read_attempts', path));
}

async function readMany(
  readOrder: (merchantUid: string) => Promise<PaymentSnapshot | null>,
  refs: PaymentRef[],
): Promise<ManyRead> {
  const orders = [...new Set(refs.map(({ merchantUid }) => merchantUid))];
  if (orders.length > READS_MAX) throw new RangeError(`at most ${READS_MAX} payments at a time`);
  const turn = pLimit(READS_CONCURRENT_MAX);
  const unread = new Set<string>();
  const read = async (order: string) => {
    try {
      return await readOrder(order);
    } catch (error) {
      if (!(error instanceof UnusableAnswer)) throw error;
      unread.add(order);
      return null;
    }
  };
  try {
    const told = await Promise.all(orders.map((order) => turn(() => read(order))));
    const known = told.filter((payment) => payment !== null);
    return { known, unread: refs.filter(({ merchantUid }) => unread.has(merchantUid)) };
  } finally {
    // After a failure nobody waits for the others.
    turn.clearQueue();
  }
}

const cancelBody = z.object({ cancellation: z.object({ status: z.string() }) });

async function cancel(calls: V2Calls, request: CancelRequest): Promise<CancelResult> {
  checkAmount(request);
  const { payment, amount, reason, account, key } = request;
  const path = `/payments/${segment(payment.merchantUid)}/cancel`;
  const body = {
    reason,
    ...(amount === null ? {} : { amount }),
    // What we think is left: a difference stops the call, so nothing is paid back twice.
    currentCancellableAmount: leftOf(request),
    ...(account && {
      refundAccount: {
        bank: account.bank,
        number: account.number,
        holderName: account.holder,
        ...(account.phone === null ? {} : { holderPhoneNumber: account.phone }),
      },
    }),
  };
  return cancelResultFrom(await calls.change('cancel', path, body, { key, retriesMax: 1 }));
}

function cancelResultFrom(answer: HttpAnswer): CancelResult {
  if (answer.status === 200) {
    const { status } = cancelBody.safeParse(answer.body).data?.cancellation ?? {};
    if (status === 'SUCCEEDED') return { outcome: 'done' };
    if (status === 'REQUESTED') return { outcome: 'pending' };
    if (status === 'FAILED') return { outcome: 'refused', message: 'cancellation FAILED' };
    throw new GatewayUnreachable('PortOne answered a cancellation in an unknown shape');
  }
  const { type, message } = refusalOf(answer);
  return CHANGED.has(type) ? { outcome: 'changed' } : { outcome: 'refused', message };
}

async function closeAccount(calls: V2Calls, ref: PaymentRef): Promise<CloseResult> {
  const path = `/payments/${segment(ref.merchantUid)}/virtual-account/close`;
  const answer = await calls.change('close_account', path, {});
  if (answer.status === 200) return 'closed';
  const { type } = refusalOf(answer);
  if (type === 'PAYMENT_NOT_WAITING_FOR_DEPOSIT' || type === 'PAYMENT_NOT_FOUND') return 'not_open';
  // The provider's own refusal does not tell which of the two it is.
  const payment = paymentFrom(await calls.readOrder(ref.merchantUid));
  return payment?.status === 'waiting_deposit' ? 'unsupported' : 'not_open';
}
