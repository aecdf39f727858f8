/** What is wrong with the gateway right now; every switch can be thrown while it runs. */

import { z } from 'zod';
import { type CrashPlan, type CrashPoint, CrashPoints, type Stop } from './crash-points.ts';
import { chance } from './random.ts';
import type { World } from './types.ts';

export const ENDPOINTS = [
  'token',
  'payment',
  'payments',
  'find',
  'findAll',
  'status',
  'cancel',
  'prepare',
  'closeAccount',
  'issueAccount',
  'changeAccount',
  'confirm',
  'transactions',
  'paymentsByCursor',
  'resendWebhook',
] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

const restFault = z.strictObject({
  /**
   * refuse: the connection is reset before anything is read. error: `status` (500) with a page that is not
   * JSON, nothing done. hang: `hangMs` of silence, then the work is done and answered.
   * answer_lost: the work is done, and the connection reset instead of the answer. pg_error: the PG refuses
   * to cancel, to charge (manual confirm) or to close an account; elsewhere like error.
   */
  kind: z.enum(['refuse', 'error', 'hang', 'answer_lost', 'pg_error']),
  /** Absent: every endpoint. */
  endpoint: z.enum(ENDPOINTS).optional(),
  /** Absent: both. */
  world: z.enum(['v1', 'v2']).optional(),
  status: z.number().int().min(400).max(599).default(500),
  hangMs: z.number().int().min(0).max(600_000).default(30_000),
  /** Gone after so many calls; absent: until removed. */
  times: z.number().int().min(1).optional(),
  /** Hits this share of the calls, drawn from the seed. */
  share: z.number().min(0).max(1).default(1),
});

const faultState = z.strictObject({
  rest: z.array(restFault).max(100).default([]),
  webhooksSilenced: z.boolean().default(false),
});

export type RestFaultInput = z.input<typeof restFault>;
export type RestFault = z.output<typeof restFault>;
export type FaultState = z.output<typeof faultState>;
export type FaultInput = z.input<typeof faultState>;

export interface PointInput {
  answer: CrashPlan['answer'];
  hold?: CrashPlan['hold'];
  /** So many calls go by first. */
  skip?: number;
}

export interface Plug {
  unplug(): Promise<void>;
  plugIn(): Promise<void>;
}

export class Faults {
  readonly #seed: number;
  readonly #expireTokens: () => void;
  readonly #plug: Plug;
  #rest: RestFault[] = [];
  #drawn = 0;
  readonly #points = new CrashPoints();
  webhooksSilenced = false;

  constructor(seed: number, expireTokens: () => void, plug: Plug) {
    this.#seed = seed;
    this.#expireTokens = expireTokens;
    this.#plug = plug;
  }

  state(): FaultState {
    return structuredClone({ rest: this.#rest, webhooksSilenced: this.webhooksSilenced });
  }

  /** Replaces what is named and keeps the rest. Throws a ZodError on nonsense. */
  set(change: unknown | FaultInput): FaultState {
    const merged = faultState.parse({ ...this.state(), ...(change as FaultInput) });
    this.#rest = merged.rest;
    this.webhooksSilenced = merged.webhooksSilenced;
    return this.state();
  }

  /** Adds one REST fault; the returned function removes it. */
  rest(fault: RestFaultInput): () => void {
    const added = restFault.parse(fault);
    this.#rest.push(added);
    return () => {
      this.#rest = this.#rest.filter((other) => other !== added);
    };
  }

  /**
   * Stops the next call at `endpoint` at an exact place. `answer: 'lost'`: it is carried out and its
   * connection cut. `answer: 'hang'`: it is held until `release()`, `before` or `after` (the default)
   * it is carried out. Met once; it goes before the faults of `rest`.
   */
  at(
    world: World,
    endpoint: Endpoint,
    { answer, hold = 'after', skip = 0 }: PointInput = { answer: 'hang' },
  ): CrashPoint {
    return this.#points.add({ world, endpoint, answer, hold, skip });
  }

  /** The stop that this call meets, if any. */
  stopFor(world: World, endpoint: Endpoint): Stop | null {
    return this.#points.take(world, endpoint);
  }

  /** Mends everything; calls that are held go on. */
  clear(): void {
    this.#points.clear();
    this.#rest = [];
    this.webhooksSilenced = false;
  }

  /** Every token given out so far is void at once. */
  expireTokens(): void {
    this.#expireTokens();
  }

  /** Stops listening: callers get a real "connection refused". Confirms and webhooks go on. */
  unplug(): Promise<void> {
    return this.#plug.unplug();
  }

  /** Listens again on the same port. */
  plugIn(): Promise<void> {
    return this.#plug.plugIn();
  }

  /** The fault this call meets, if any. */
  take(world: World, endpoint: Endpoint): RestFault | null {
    const met = this.#rest.find(
      (fault) =>
        (fault.endpoint ?? endpoint) === endpoint &&
        (fault.world ?? world) === world &&
        this.#hits(fault),
    );
    if (met === undefined) return null;
    if (met.times !== undefined) {
      met.times -= 1;
      if (met.times === 0) this.#rest = this.#rest.filter((other) => other !== met);
    }
    return met;
  }

  #hits(fault: RestFault): boolean {
    if (fault.share === 1) return true;
    this.#drawn += 1;
    return chance(this.#seed, 3, this.#drawn) < fault.share;
  }
}
