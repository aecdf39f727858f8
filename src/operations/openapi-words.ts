// What each code and each law means, in plain words: for the API's document and for the commands.

import type { Violations } from '../audit/audit.ts';
import type { VerdictCode } from '../confirm/verdict.ts';
import type { ProblemCode } from '../http/problem.ts';

/** The compiler sees to it that every verdict is explained. */
export const VERDICT_MEANING: Record<VerdictCode, string> = {
  confirmed: 'The seats are held for this payment: charge.',
  sold_out: 'Too few seats of the ticket type are left, and none of it is held.',
  all_held: 'Too few are free, but some are held and may come back; `at`: when the next hold ends.',
  no_adjacent_seats: 'Seats are left, but not side by side, and the order wants them `together`.',
  seat_taken: 'A seat that the order names is gone; `seats`: which.',
  limit_reached: "More than the event's `maxPerOrder` or `maxPerBuyer` allows.",
  not_open: 'The sale has not opened; `at`: when it does.',
  sale_closed: 'The sale has closed.',
  unknown_order: 'No such order was registered.',
  amount_mismatch: "The amount is not the order's.",
  already_paid: 'The order is paid, or was paid and refunded.',
  order_cancelled: 'The order was cancelled.',
  conflicting_repeat: 'The same payment asked before, with another order or amount.',
  hold_ended: 'The payment had a hold once; it is over.',
  timed_out: 'No verdict within the deadline; nothing is held. A new payment may be tried.',
  overloaded: 'More requests wait than can be decided in time; nothing is held.',
  unavailable: 'The database or the queue is away; nothing is held.',
  refused_by_organizer: "The organizer's own rule refused, or was silent; `reason` has its words.",
  forbidden: "The token or the signature is missing, or is not this order's.",
  invalid_request: "The body is none of PortOne's three dialects.",
};

export const PROBLEM_MEANING: Record<ProblemCode, string> = {
  invalid_request: 'The body was understood, but breaks a rule; `faults` or `line` says where.',
  malformed_body: 'The body is not valid JSON or could not be read.',
  body_too_large: 'The body has more bytes than are taken.',
  unauthorized: 'The API key, or the signature of a webhook, is missing or wrong.',
  forbidden: 'Webhooks are not taken from the address that this one came from.',
  not_found: 'There is no such thing.',
  method_not_allowed: 'The path takes another method.',
  conflict: 'It does not go with what stands already; `detail` says with what.',
  unavailable: 'The database is away, or PortOne where it must be asked; try again.',
  internal: 'A fault on our side; it has been logged.',
};

/** Each law as a person would say it, under the name of its count of violations. */
export const LAW_MEANING: Record<keyof Violations, string> = {
  oversold: 'No seat is given to two orders',
  orphanHolds: 'Every hold has all of its seats',
  overdueHolds: 'No hold stands long after its time without PortOne being asked',
  unansweredHolds: 'No hold is left by a request that was never answered',
  paidWithoutSeat: 'Whoever paid has seats, or a refund is on its way',
  soldWithoutPayment: 'Nothing is sold that was not paid',
  wrongAmounts: 'Nothing is sold for another amount than the order says',
  refundsStuck: 'No refund that PortOne refused waits for a person',
  refundsTwice: 'No money goes back twice',
  seatsFreedUnrefunded: 'No sold seat is free again before its money is back',
  moneyAstray: "Each order's money agrees with its seats, or an open case says why",
  eventMoneyAstray: 'What was paid and kept is the price of the seats sold, or a case says why',
  seatsWithoutMove: "Every seat's state is on the record",
  positionGaps: 'Positions have no gaps',
  foreignHolds: "No verdict points to another order's hold",
  ordersAstray: "Every order's status agrees with its hold",
  countsAstray: 'The counts of free seats are right',
};
