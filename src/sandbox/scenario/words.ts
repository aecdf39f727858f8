/** The small words of the scenario format, and objects that name what they know. */

import { z } from 'zod';

const PAUSE_MAX_MS = 86_400_000;
const MONEY_MAX = 2_000_000_000;

/** An object that names what it knows when it is told something else. */
export function known<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? unknownKey(issue.keys as string[], Object.keys(shape))
        : undefined,
  });
}

export function unknownKey(keys: string[], allowed: string[]): string {
  return `there is no "${keys.join('", "')}" here; there is: ${allowed.join(', ')}`;
}

export const text = (max: number) => z.string().trim().min(1).max(max);

export const label = z
  .string()
  .regex(/^[A-Za-z][\w-]{0,39}$/, 'a letter, then letters, digits, - and _ (at most 40)');

export const forwardedFor = z
  .string()
  .regex(/^[ -~]{1,200}$/, 'addresses joined by commas, as they stand in X-Forwarded-For');

export const url = z
  .url({ protocol: /^https?$/, error: 'must be a URL that begins with http' })
  .max(2_000);

export const won = z.number().int().min(0).max(MONEY_MAX);
export const pauseMs = z.number().int().min(0).max(PAUSE_MAX_MS);
export const status = z.number().int().min(100).max(599);
