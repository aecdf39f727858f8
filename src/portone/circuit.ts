// Leaves a part of PortOne alone while it is down, and tries again only as often as was allowed.

import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  fullJitterGenerator,
  handleType,
  handleWhen,
  retry,
} from 'cockatiel';
import { GatewayUnreachable } from './payment.ts';

const FAILURES_TO_OPEN = 5;
const OPEN_FOR_MS = 3_000;
const PAUSE_FIRST_MS = 200;
const PAUSE_MAX_MS = 2_000;

/** 0: the caller alone knows whether it may be sent again. */
export type Retries = 0 | 1 | 2;

export interface Circuit {
  run<T>(retriesMax: Retries, work: () => Promise<T>): Promise<T>;
}

/** Nothing was sent: the circuit is open. */
class LeftAlone extends GatewayUnreachable {
  constructor() {
    super('PortOne is down');
  }
}

/** @param onChange told when it opens and when it has closed again, never twice in a row the same */
export function createCircuit(onChange: (open: boolean) => void): Circuit {
  const breaker = circuitBreaker(handleType(GatewayUnreachable), {
    halfOpenAfter: OPEN_FOR_MS,
    breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
  });
  let open = false;
  const turn = (now: boolean) => {
    if (now === open) return;
    open = now;
    onChange(now);
  };
  // A trial that failed opens it once more, so that this may be told twice.
  breaker.onBreak(() => turn(true));
  breaker.onReset(() => turn(false));
  const again = (maxAttempts: number) =>
    retry(
      handleWhen((error) => error instanceof GatewayUnreachable && !(error instanceof LeftAlone)),
      {
        maxAttempts,
        // Full jitter: callers that failed together do not return together.
        backoff: new ExponentialBackoff({
          generator: fullJitterGenerator,
          initialDelay: PAUSE_FIRST_MS,
          maxDelay: PAUSE_MAX_MS,
        }),
      },
    );
  const policies = { 1: again(1), 2: again(2) };

  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    // While one call tries whether PortOne is back, the others do not wait for its time limit.
    if (breaker.state === CircuitState.HalfOpen) throw new LeftAlone();
    try {
      return await breaker.execute(work);
    } catch (error) {
      throw error instanceof BrokenCircuitError ? new LeftAlone() : error;
    }
  };
  return {
    run: (retriesMax, work) =>
      retriesMax === 0 ? guarded(work) : policies[retriesMax].execute(() => guarded(work)),
  };
}
