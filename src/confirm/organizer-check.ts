// The organizer's own rule: their server is asked, within limits, before a request may queue.

import { randomUUID } from 'node:crypto';
import {
  BrokenCircuitError,
  type BulkheadPolicy,
  BulkheadRejectedError,
  bulkhead,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  handleType,
} from 'cockatiel';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import type { DoorDocument } from './door.ts';
import type { ConfirmRequest } from './request.ts';
import { type Refused, refuse } from './verdict.ts';

export interface OrganizerCheck {
  url: string;
  secret: string;
  timeoutMs: number | null;
  /** What no answer in time means. */
  onSilence: 'refuse' | 'allow' | null;
}

const DEFAULT_TIMEOUT_MS = 1_000;
/** After so many failures in a row their server is left alone for a while. */
const FAILURES_TO_OPEN = 5;
const OPEN_FOR_MS = 5_000;
/** How many may wait for a turn, as a multiple of how many may be asked at once. */
const TURNS_WAITING_FACTOR = 20;
/** Less time than this is no question at all. */
const MIN_ASK_MS = 20;
/** A reply is a word or two; more is not read. */
const REPLY_MAX_BYTES = 4_096;

const reply = z.object({ reason: z.string() });

interface Line {
  turns: BulkheadPolicy;
  circuit: CircuitBreakerPolicy;
}

export interface CheckDesk {
  /**
   * @param timeLeftMs tells what remains of the request's own deadline
   * @returns the refusal, or null where the request may go on
   */
  ask(
    order: DoorDocument,
    request: ConfirmRequest,
    timeLeftMs: () => number,
  ): Promise<Refused | null>;
}

export function openCheckDesk(concurrentMax: number): CheckDesk {
  const lines = new Map<string, Line>();
  const lineTo = (url: string): Line => {
    const origin = new URL(url).origin;
    const known = lines.get(origin);
    if (known) return known;
    const line: Line = {
      // One slow server must not take the turns of the others.
      turns: bulkhead(concurrentMax, concurrentMax * TURNS_WAITING_FACTOR),
      // An answer is an answer, even a refusal with a server error: only silence counts.
      circuit: circuitBreaker(handleType(NoAnswer), {
        halfOpenAfter: OPEN_FOR_MS,
        breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
      }),
    };
    lines.set(origin, line);
    return line;
  };
  return {
    ask: async (order, request, timeLeftMs) => {
      const { check } = order.event;
      if (!check) return null;
      try {
        return await lineTo(check.url).turns.execute(async () => {
          const timeoutMs = Math.min(check.timeoutMs ?? DEFAULT_TIMEOUT_MS, timeLeftMs());
          // The deadline went by in the line, which says nothing about their server.
          if (timeoutMs <= MIN_ASK_MS) return refuse('overloaded');
          return lineTo(check.url).circuit.execute(() => call(check, order, request, timeoutMs));
        });
      } catch (error) {
        if (error instanceof BulkheadRejectedError) return refuse('overloaded');
        const silent = error instanceof BrokenCircuitError || error instanceof NoAnswer;
        if (!silent) throw error;
        return check.onSilence === 'allow' ? null : refuse('refused_by_organizer');
      }
    },
  };
}

/** No answer at all: what it means is the event's own choice. */
class NoAnswer extends Error {}

async function call(
  check: OrganizerCheck,
  order: DoorDocument,
  request: ConfirmRequest,
  timeoutMs: number,
): Promise<Refused | null> {
  const body = JSON.stringify({
    event: order.event.slug,
    merchantUid: order.merchantUid,
    paymentId: request.paymentId,
    buyer: { id: order.buyerId },
    items: order.items.map(({ ticketType, quantity, labels }) => ({
      ticketType,
      quantity,
      ...(labels.length > 0 ? { seats: labels } : {}),
    })),
    amount: order.amount,
  });
  const headers = { 'content-type': 'application/json', ...signatureOf(check.secret, body) };
  try {
    const response = await fetch(check.url, {
      method: 'POST',
      body,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(Math.max(1, Math.floor(timeoutMs))),
    });
    if (response.status === 200) {
      await response.body?.cancel();
      return null;
    }
    return refuse('refused_by_organizer', await reasonOf(response));
  } catch (error) {
    throw new NoAnswer((error as Error).message);
  }
}

async function reasonOf(response: Response): Promise<{ reason?: string }> {
  const text = (await response.text()).slice(0, REPLY_MAX_BYTES);
  try {
    const parsed = reply.safeParse(JSON.parse(text));
    return parsed.success ? { reason: parsed.data.reason } : {};
  } catch {
    return {};
  }
}

/** Signed like a Standard Webhook, so that their server can know who asks. */
function signatureOf(secret: string, body: string): Record<string, string> {
  const id = `msg_${randomUUID()}`;
  const at = new Date();
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': signer(secret).sign(id, at, body),
  };
}

/** A secret in `whsec_` form is its base64; any other text is taken as it is. */
function signer(secret: string): Webhook {
  return secret.startsWith('whsec_')
    ? new Webhook(secret)
    : new Webhook(Buffer.from(secret, 'utf8').toString('base64'));
}
