// The closed list of answers to a confirm request, and what each one is in HTTP.

/** Every refusal, with its HTTP status. None is ever 2xx or a redirect: only 200 charges. */
export const REFUSAL_STATUS = {
  sold_out: 409,
  all_held: 409,
  no_adjacent_seats: 409,
  seat_taken: 409,
  limit_reached: 409,
  not_open: 409,
  sale_closed: 409,
  unknown_order: 404,
  amount_mismatch: 422,
  already_paid: 409,
  order_cancelled: 409,
  conflicting_repeat: 409,
  hold_ended: 409,
  timed_out: 503,
  overloaded: 503,
  unavailable: 503,
  refused_by_organizer: 409,
  forbidden: 403,
  invalid_request: 422,
} as const;

export type RefusalCode = keyof typeof REFUSAL_STATUS;
export type VerdictCode = 'confirmed' | RefusalCode;

export const VERDICT_CODES = ['confirmed', ...Object.keys(REFUSAL_STATUS)] as VerdictCode[];

export interface SeatView {
  label: string;
  ticketType: string;
  section?: string;
  row?: string;
  number?: string;
}

export interface Confirmed {
  code: 'confirmed';
  position: number;
  holdId: string;
  seats: SeatView[];
  /** RFC 3339 */
  holdExpiresAt: string;
}

export interface Refused {
  code: RefusalCode;
  position?: number;
  /** For `not_open`: when the sale opens. For `all_held`: when the next hold ends. RFC 3339. */
  at?: string;
  /** For `seat_taken`: the labels that are gone. */
  labels?: string[];
  /** For `refused_by_organizer`: the organizer's own words to the buyer. */
  reason?: string;
}

export type Verdict = Confirmed | Refused;

export function refuse(code: RefusalCode, detail: Omit<Refused, 'code'> = {}): Refused {
  return { code, ...detail };
}

export function isRefusalCode(code: string): code is RefusalCode {
  return Object.hasOwn(REFUSAL_STATUS, code);
}
