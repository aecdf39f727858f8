// Why a refund cannot be had, in words: for the API's answers and for the command.

import { Problem, type ProblemCode } from '../http/problem.ts';
import type { AmendRefusal } from './amend-refund.ts';
import type { ByHandRefusal } from './by-hand.ts';
import type { WishRefusal } from './wish-refund.ts';

export type RefundRefusal = WishRefusal | AmendRefusal | ByHandRefusal;

export function problemOf(refusal: RefundRefusal): Problem {
  const [code, detail] = wordsOf(refusal);
  // The refusal's own facts: `left`, `seats`, `id`, ...
  return new Problem(code, detail, { ...refusal, ok: undefined });
}

export function wordsOf(refusal: RefundRefusal): [ProblemCode, string] {
  switch (refusal.reason) {
    case 'unknown_order':
      return ['not_found', 'there is no such order'];
    case 'unknown_refund':
      return ['not_found', 'there is no such refund'];
    case 'unknown_payment':
      return ['not_found', 'the order has no such payment'];
    case 'not_paid':
      return ['conflict', 'the order is not paid'];
    case 'nothing_left':
      return ['conflict', 'nothing of the payment is left to give back'];
    case 'already_open':
      return ['conflict', `refund ${refusal.id} of this payment is not done yet`];
    case 'several_payments':
      return ['invalid_request', `paymentId: name one of ${refusal.paymentIds.join(', ')}`];
    case 'too_much':
      return ['invalid_request', `amount: ${refusal.left} are left of the payment`];
    case 'unknown_seats':
      return ['invalid_request', `seats: not sold to this order: ${refusal.seats.join(', ')}`];
    case 'seats_remain':
      return [
        'invalid_request',
        `seats: with all of the money ${refusal.seats.join(', ')} would go back too; name no seats`,
      ];
    default:
      return wordsOfOpen(refusal);
  }
}

function wordsOfOpen(
  refusal: Exclude<AmendRefusal | ByHandRefusal, { reason: 'unknown_refund' }>,
): [ProblemCode, string] {
  switch (refusal.reason) {
    case 'closed':
      return ['conflict', `the refund is ${refusal.state}`];
    case 'owed':
      return ['conflict', 'the money is owed; this refund cannot be withdrawn'];
    case 'sent':
      return ['conflict', 'PortOne was asked for it already'];
    case 'refunded_by_portone':
      return ['conflict', 'PortOne had given the money back already; nothing was done by hand'];
    case 'taken':
      return ['conflict', 'PortOne has taken the refund and will carry it out'];
    case 'under_way': {
      const until = refusal.until.toISOString();
      return ['conflict', `a try may still be under way; it is tried no more: ask after ${until}`];
    }
    case 'unreachable':
      return ['unavailable', 'PortOne must be asked first, and cannot be reached; ask again'];
  }
}
