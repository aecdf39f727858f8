// The shapes in which an organizer's server asks for cases, and closes them.

import { z } from 'zod';

export const CASES_PER_PAGE_MAX = 500;
const ID_MAX = 2_147_483_647;

export const caseQuery = z.strictObject({
  open: z
    .enum(['true', 'false'])
    .optional()
    .describe('`true`: what waits; `false`: what is over; absent: both.'),
  limit: z.coerce.number().int().min(1).max(CASES_PER_PAGE_MAX).default(100),
  after: z.string().max(60).optional().describe('`next` of the page before.'),
});

export const caseId = z.coerce.number().int().min(1).max(ID_MAX);

export const closeCaseBody = z.strictObject({
  note: z.string().trim().min(1).max(1_000).describe('What became of it; kept for ever.'),
  releaseSeats: z
    .array(z.string().min(1).max(200))
    .max(1_000)
    .optional()
    .describe(
      '`partial_cancel`: sold seats that go back with the money. `unknown_payment`: those that nobody paid for. Absent: none.',
    ),
  amount: z
    .number()
    .int()
    .min(0)
    .max(ID_MAX)
    .optional()
    .describe('As you saw it: 409 if more was given back since.'),
});
