// The shape in which an organizer's server asks for a release.

import { z } from 'zod';

const TARGETS_MAX = 10_000;

const names = z.array(z.string().min(1).max(200)).max(TARGETS_MAX);

export const releaseBody = z
  .strictObject({
    orders: names.optional(),
    seats: names.optional(),
    overdue: z.literal(true).optional(),
    allHeld: z.literal(true).optional(),
    refund: z
      .boolean()
      .optional()
      .describe('Sold seats that are named: their money goes back, and with it the seats.'),
    reason: z.string().trim().min(1).max(500),
    dryRun: z.boolean().optional(),
  })
  .refine((b) => b.orders?.length || b.seats?.length || b.overdue || b.allHeld, {
    message: 'say what to release: orders, seats, overdue or allHeld',
  })
  .refine((b) => !b.refund || b.orders?.length || b.seats?.length, {
    path: ['refund'],
    message: 'only orders or seats that are named can be refunded',
  });
