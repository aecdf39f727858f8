// Parses what came from outside by its schema; all faults are named, with their places.

import type { z } from 'zod';
import { Problem } from './problem.ts';

const FAULTS_MAX = 20;

export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues
    .slice(0, FAULTS_MAX)
    .map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  const first = faults[0];
  throw new Problem('invalid_request', `${first?.path || 'body'}: ${first?.message}`, { faults });
}
