// The shapes in which an organizer's server asks for reconciliations.

import { z } from 'zod';

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

export const reconcileBody = z.strictObject({
  from: instant.optional(),
  to: instant.optional(),
  dryRun: z.boolean().optional(),
});

/** Each may list a thousand findings. */
const LIMIT_MAX = 50;

export const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(20),
  differing: z.enum(['true', 'false']).default('false'),
});
