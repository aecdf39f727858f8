/** Writes down every wish to cancel or to charge that arrives by REST, before anything goes wrong with it. */

import type { Gateway } from './gateway.ts';
import type { Payment } from './ledger.ts';
import { amountOf, type RestContext, type RestMiddleware, textOf } from './rest.ts';
import type { CancelRequestRecord, ChargeRequestRecord, World } from './types.ts';

/** Wishes about unknown payments; the oldest are forgotten. */
const MAX_STRAYS = 10_000;

export function noteCancelRequest(gateway: Gateway, world: World): RestMiddleware {
  return (ctx, next) => {
    const { fields } = ctx.state;
    const record: CancelRequestRecord = {
      ...arrivalOf(gateway, ctx),
      requester: 'api',
      amount: amountOf(fields.amount),
      reason: textOf(fields.reason) ?? '',
      checksum: amountOf(world === 'v1' ? fields.checksum : fields.currentCancellableAmount),
      outcome: 'open',
      cancellationId: null,
    };
    const strays = gateway.ledger.strayCancelRequests;
    (addressed(gateway, world, ctx)?.cancelRequests ?? strays).push(record);
    if (strays.length > MAX_STRAYS) strays.shift();
    ctx.state.note = (outcome, cancellationId) => {
      record.outcome = outcome as CancelRequestRecord['outcome'];
      record.cancellationId = cancellationId ?? null;
    };
    return followed(ctx, next, record);
  };
}

/** Charges of the manual confirm. Those for unknown orders are nobody's, and are not kept. */
export function noteChargeRequest(gateway: Gateway): RestMiddleware {
  return (ctx, next) => {
    const arrival = arrivalOf(gateway, ctx);
    const record: ChargeRequestRecord = { ...arrival, outcome: 'open' };
    const token = ctx.state.fields.paymentToken;
    const attempts = gateway.ledger.attemptsOf('v2', idOf(ctx));
    const meant = attempts.find(({ authentication }) => authentication?.token === token);
    (meant ?? attempts.at(-1))?.chargeRequests.push(record);
    ctx.state.note = (outcome) => {
      record.outcome = outcome as ChargeRequestRecord['outcome'];
    };
    return followed(ctx, next, record);
  };
}

/** What is answered without anybody saying what became of it was answered by a guard or a fault. */
async function followed(
  ctx: RestContext,
  next: () => Promise<unknown>,
  record: CancelRequestRecord | ChargeRequestRecord,
): Promise<void> {
  await next();
  if (record.outcome === 'open') record.outcome = ctx.state.faulty ? 'fault' : 'rejected';
  record.status = ctx.respond === false ? null : ctx.status;
}

function arrivalOf(gateway: Gateway, ctx: RestContext) {
  const idempotencyKey = ctx.get('idempotency-key') || null;
  return { atMs: gateway.clock(), idempotencyKey, status: null };
}

/** The payment a wish names: on V1 `imp_uid` wins, even when it is wrong and the other is right. */
export function addressed(gateway: Gateway, world: World, ctx: RestContext): Payment | null {
  const { ledger } = gateway;
  if (world === 'v2') return ledger.current('v2', idOf(ctx));
  const { imp_uid, merchant_uid } = ctx.state.fields;
  const impUid = textOf(imp_uid);
  if (impUid !== null) return ledger.find('v1', impUid);
  return ledger.current('v1', textOf(merchant_uid) ?? '');
}

function idOf(ctx: RestContext): string {
  const params: unknown = Reflect.get(ctx, 'params');
  if (typeof params !== 'object' || params === null) return '';
  return textOf(Reflect.get(params, 'id')) ?? '';
}
