// The shapes in which an organizer's server speaks of events and seats.

import { z } from 'zod';

const PRICE_MAX = 2_000_000_000;

const code = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'letters, digits, _ . - (1 to 64)');
const text = z.string().trim().min(1).max(200);
const instant = z.iso.datetime({ offset: true }).transform((value) => new Date(value));

const check = z.strictObject({
  url: z
    .url({ abort: true })
    .refine((u) => /^https?:$/.test(new URL(u).protocol), 'must be http(s)'),
  secret: z
    .string()
    .min(8)
    .max(200)
    .regex(/^(?!whsec_)|^whsec_[A-Za-z0-9+/]+={0,2}$/, 'after whsec_ there must be base64'),
  timeoutMs: z.number().int().min(50).max(5_000).optional(),
  onSilence: z.enum(['refuse', 'allow']).optional(),
});

/** Providers give a buyer a day or more to pay in; a shorter hold cannot wait for that. */
const DEPOSIT_WAIT_SECONDS = 86_400;
const HOLD_SECONDS_MAX = 2_592_000;

const virtualAccounts = z
  .strictObject({
    policy: z.enum(['forbid', 'allow']),
    maxWaitSeconds: z.number().int().min(60).max(HOLD_SECONDS_MAX).optional(),
  })
  .refine((v) => v.policy === 'allow' || v.maxWaitSeconds === undefined, {
    path: ['maxWaitSeconds'],
    message: 'goes with the policy allow only',
  });

export const newEvent = z
  .strictObject({
    slug: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens (1 to 63)'),
    name: text,
    opensAt: instant,
    closesAt: instant.optional(),
    holdSeconds: z.number().int().min(1).max(HOLD_SECONDS_MAX).default(300),
    language: z.enum(['ko', 'en']).default('ko'),
    maxPerOrder: z.number().int().min(1).max(10_000).optional(),
    maxPerBuyer: z.number().int().min(1).max(10_000).optional(),
    check: check.optional(),
    virtualAccounts: virtualAccounts
      .optional()
      .describe('Unset: `allow` where holds last a day or longer, else `forbid`.'),
    bypassedPayments: z
      .enum(['seat-if-free', 'refund'])
      .optional()
      .describe(
        'What becomes of a paid payment that never asked for its seats. Unset: `refund` where the event has a `check`, which was not asked, else `seat-if-free`.',
      ),
    ticketTypes: z
      .array(
        z.strictObject({
          code,
          name: text,
          price: z.number().int().min(1).max(PRICE_MAX),
          currency: z
            .string()
            .regex(/^[A-Z]{3}$/)
            .default('KRW'),
        }),
      )
      .min(1)
      .max(200),
  })
  .refine((e) => !e.closesAt || e.closesAt > e.opensAt, {
    path: ['closesAt'],
    message: 'must be after opensAt',
  })
  .refine((e) => new Set(e.ticketTypes.map((t) => t.code)).size === e.ticketTypes.length, {
    path: ['ticketTypes'],
    message: 'each code may appear once',
  });

export type NewEvent = z.infer<typeof newEvent>;

/** Unless told: a buyer may pay into an account only where the hold outlasts the transfer. */
export function virtualAccountPolicy(event: NewEvent): 'forbid' | 'allow' {
  if (event.virtualAccounts) return event.virtualAccounts.policy;
  return event.holdSeconds < DEPOSIT_WAIT_SECONDS ? 'forbid' : 'allow';
}

/** Unless told: whoever has a rule of their own does not seat those who never came to it. */
export function bypassPolicy(event: NewEvent): 'seat-if-free' | 'refund' {
  return event.bypassedPayments ?? (event.check ? 'refund' : 'seat-if-free');
}

/** What one call may create; a larger house comes in several calls. */
export const SEATS_PER_CALL_MAX = 1_000_000;
const count = z.number().int().min(1).max(SEATS_PER_CALL_MAX);

const standing = z.strictObject({
  ticketType: code,
  count,
  labelPrefix: z.string().max(40).optional(),
});

const rows = z.strictObject({
  ticketType: code,
  rows: z
    .array(
      z
        .strictObject({
          section: z.string().trim().min(1).max(60),
          row: z.string().trim().min(1).max(60),
          from: z.number().int().min(0).max(1_000_000),
          to: z.number().int().min(0).max(1_000_000),
        })
        .refine((r) => r.to >= r.from, { path: ['to'], message: 'must not be below from' }),
    )
    .min(1)
    .max(10_000),
});

export const newSeats = z.union([standing, rows]);
export type NewSeats = z.infer<typeof newSeats>;
