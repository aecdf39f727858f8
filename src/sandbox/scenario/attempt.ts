/** A buyer's attempt as a scenario writes it: the gateway's own PayRequest, read by its own reader. */

import { z } from 'zod';
import { Faults } from '../faults.ts';
import { readPayRequest } from '../pay-request.ts';
import { label, unknownKey } from './words.ts';

const OURS = ['as', 'order', 'again'] as const;
const SET_BY_ORDER = ['merchantUid', 'paymentId'];
const SAMPLE = { merchantUid: 'sample', amount: 1 };
const NO_DEFAULTS = { confirmUrl: null, webhookUrl: null, webhookVersion: '2024-04-25' } as const;

export const attempt = z
  .looseObject({
    /** What the attempt is called by later steps; attempt-1, attempt-2 ... unless told. */
    as: label.optional(),
    order: label.optional(),
    /** The payment of that attempt asks once more. */
    again: label.optional(),
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

export const faults = z.looseObject({}).superRefine((said, context) => {
  const plug = { plugIn: async () => undefined, unplug: async () => undefined };
  forward(context, () => new Faults(1, () => undefined, plug).set(said));
});

/** What the gateway's own reader finds wrong, at its place in the file. */
function forward(context: z.RefinementCtx, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (error instanceof z.ZodError) {
      for (const issue of error.issues) {
        const path = [...issue.path];
        if (issue.code !== 'unrecognized_keys') {
          context.addIssue({ code: 'custom', path, message: issue.message });
          continue;
        }
        const message = path.length === 0 ? unknownKey(issue.keys, knownKeys()) : issue.message;
        context.addIssue({ code: 'custom', path: [...path, issue.keys[0] ?? ''], message });
      }
    } else if (error instanceof TypeError || error instanceof RangeError) {
      context.addIssue({ code: 'custom', message: error.message });
    } else throw error;
  }
}

/** Whatever the gateway fills in by itself may be said. */
function knownKeys(): string[] {
  const filled = Object.keys(readPayRequest(SAMPLE, NO_DEFAULTS));
  return [...OURS, ...filled.filter((key) => !SET_BY_ORDER.includes(key))];
}
