/** A buyer's attempt as a scenario writes it: the gateway's own PayRequest, read by its own reader. */

import { z } from 'zod';
import { Faults } from '../faults.ts';
import { readPayRequest } from '../pay-request.ts';
import { label, unknownKey } from './words.ts';

const OURS = ['as', 'order', 'again'] as const;
/** Belong to the order. */
export const SET_BY_ORDER: readonly string[] = ['merchantUid', 'paymentId'];
const SAMPLE = { merchantUid: 'sample', amount: 1 };
const NO_DEFAULTS = { confirmUrl: null, webhookUrl: null, webhookVersion: '2024-04-25' } as const;

export const attempt = z
  .looseObject({
    as: label.optional().describe('what later steps call it; attempt-1, attempt-2 ... unless told'),
    order: label.optional().describe('which is paid, where there are several'),
    again: label.optional().describe('the payment of that attempt asks once more'),
  })
  .superRefine((said, context) => {
    const request = requestOf(said);
    const taken = SET_BY_ORDER.find((key) => key in request);
    if (taken === undefined) {
      forward(context, () => readPayRequest({ ...SAMPLE, ...request }, NO_DEFAULTS));
      return;
    }
    const message = `${taken} is not said here: merchantUid belongs to the order, and "again" repeats a payment`;
    context.addIssue({ code: 'custom', path: [taken], message });
  });

export type Attempt = z.infer<typeof attempt>;

/** The part of it that the gateway reads. */
export function requestOf(said: Record<string, unknown>): Record<string, unknown> {
  const ours: readonly string[] = OURS;
  return Object.fromEntries(Object.entries(said).filter(([key]) => !ours.includes(key)));
}

/** The buyer's and the PG's pauses; how fast the merchant's own server is does not scale. */
const SCALED = ['lateMs', 'pgDelayMs', 'dueInMs', 'delayMs', 'authLastsMs'];
const NESTED = ['webhooks', 'cancels'];

export function scaledIn(
  request: Record<string, unknown>,
  scaled: (ms: number) => number,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(request).map(([key, value]) => {
      if (SCALED.includes(key) && typeof value === 'number')
        return [key, Math.round(scaled(value))];
      if (NESTED.includes(key)) return [key, scaledIn({ ...(value as object) }, scaled)];
      return [key, value];
    }),
  );
}

export const faults = z.looseObject({}).superRefine((said, context) => {
  const plug = { plugIn: async () => undefined, unplug: async () => undefined };
  forward(context, () => new Faults(1, () => undefined, plug).set(said));
});

export interface Odd {
  path: PropertyKey[];
  message: string;
}

/** What the gateway would refuse of the attempt as it is going to be made: in its dialect, by its id. */
export function faultsOfRequest(request: Record<string, unknown>): Odd[] {
  return faultsOfReading(() => readPayRequest(request, NO_DEFAULTS));
}

/** What the gateway's own reader finds wrong, at its place in the file. */
function forward(context: z.RefinementCtx, read: () => unknown): void {
  for (const { path, message } of faultsOfReading(read)) {
    context.addIssue({ code: 'custom', path, message });
  }
}

function faultsOfReading(read: () => unknown): Odd[] {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof z.ZodError) return error.issues.map(oddOf);
    if (error instanceof TypeError || error instanceof RangeError) {
      return [{ path: [], message: error.message }];
    }
    throw error;
  }
}

function oddOf(issue: z.core.$ZodIssue): Odd {
  const { path } = issue;
  if (issue.code !== 'unrecognized_keys') return { path, message: issue.message };
  const message = path.length === 0 ? unknownKey(issue.keys, knownKeys()) : issue.message;
  return { path: [...path, issue.keys[0] ?? ''], message };
}

/** Whatever the gateway fills in by itself may be said. */
function knownKeys(): string[] {
  const filled = Object.keys(readPayRequest(SAMPLE, NO_DEFAULTS));
  return [...OURS, ...filled.filter((key) => !SET_BY_ORDER.includes(key))];
}
