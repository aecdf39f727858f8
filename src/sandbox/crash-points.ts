/** Stops one call at an exact place: a test learns that it is there, does its worst, and lets it go. */

import type { World } from './types.ts';

export interface CrashPlan {
  world: World;
  endpoint: string;
  /** lost: carried out, and the connection reset instead of the answer. hang: held until released. */
  answer: 'lost' | 'hang';
  /** hang: held on arrival with nothing done, or when it is carried out; after unless told. */
  hold: 'before' | 'after';
  /** So many calls go by first. */
  skip: number;
}

/** What the test holds. */
export interface CrashPoint {
  /** The call has arrived, and nothing of it is done. */
  reached: Promise<void>;
  /** It is done, and not answered. */
  carriedOut: Promise<void>;
  /** Lets it go on, if it has come or will come; `lost`: without an answer. */
  release(answer?: 'given' | 'lost'): void;
  /** Not waited for any more; a call that is held goes on. */
  remove(): void;
}

/** What the gateway does at it. */
export interface Stop {
  arrive(): Promise<void>;
  /** Resolves with whether the answer is to be lost. */
  leave(): Promise<boolean>;
}

interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
}

/** Promise.withResolvers, which Node 20 does not have. */
function deferred<T>(): Deferred<T> {
  let resolve: Deferred<T>['resolve'] = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

interface Waiting {
  plan: CrashPlan;
  stop: Stop;
  point: CrashPoint;
}

export class CrashPoints {
  #waiting: Waiting[] = [];
  readonly #held = new Set<CrashPoint>();

  add(plan: CrashPlan): CrashPoint {
    const reached = deferred<void>();
    const carriedOut = deferred<void>();
    const released = deferred<'given' | 'lost'>();
    const holds = (where: CrashPlan['hold']) => plan.answer === 'hang' && plan.hold === where;
    const point: CrashPoint = {
      reached: reached.promise,
      carriedOut: carriedOut.promise,
      release: (answer = 'given') => released.resolve(answer),
      remove: () => {
        this.#waiting = this.#waiting.filter((other) => other.point !== point);
        released.resolve('given');
      },
    };
    const stop: Stop = {
      arrive: async () => {
        this.#held.add(point);
        reached.resolve();
        if (holds('before')) await released.promise;
      },
      leave: async () => {
        carriedOut.resolve();
        const answer = plan.answer === 'lost' ? 'lost' : await released.promise;
        this.#held.delete(point);
        return answer === 'lost';
      },
    };
    this.#waiting.push({ plan, stop, point });
    return point;
  }

  /** The stop for this call, which no other call will meet. */
  take(world: World, endpoint: string): Stop | null {
    const met = this.#waiting.find(
      ({ plan }) => plan.world === world && plan.endpoint === endpoint,
    );
    if (met === undefined) return null;
    if (met.plan.skip > 0) {
      met.plan.skip -= 1;
      return null;
    }
    this.#waiting = this.#waiting.filter((other) => other !== met);
    return met.stop;
  }

  clear(): void {
    for (const { point } of this.#waiting) point.remove();
    for (const point of this.#held) point.release();
  }
}
