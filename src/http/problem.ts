// Errors of the organizer's side, as RFC 9457 problem documents with a stable code.

/** Every code that the organizer's API may answer with, and its HTTP status. */
export const PROBLEM_STATUS = {
  invalid_request: 422,
  malformed_body: 400,
  body_too_large: 413,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  unavailable: 503,
  internal: 500,
} as const;

export type ProblemCode = keyof typeof PROBLEM_STATUS;

/** Thrown by the HTTP layer only; the domain returns values. */
export class Problem extends Error {
  readonly status: number;

  constructor(
    readonly code: ProblemCode,
    detail: string,
    readonly extra: Record<string, unknown> = {},
  ) {
    super(detail);
    this.name = 'Problem';
    this.status = PROBLEM_STATUS[code];
  }

  toJSON(): Record<string, unknown> {
    return {
      type: 'about:blank',
      title: this.code.replaceAll('_', ' '),
      status: this.status,
      code: this.code,
      detail: this.message,
      ...this.extra,
    };
  }
}
