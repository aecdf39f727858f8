/** What is most likely wrong when a scenario did not hold, for whoever reads the terminal. */

import type { ScenarioResult } from './run.ts';
import { codeOf } from './timeline.ts';

export interface HintFacts {
  v1Url: string;
  v2Url: string;
  /** The seed that was asked for. */
  seed: number | undefined;
}

export function hintOf(result: ScenarioResult, { v1Url, v2Url, seed }: HintFacts): string {
  const codes = result.payments.flatMap(({ confirms }) => confirms.map(({ body }) => codeOf(body)));
  if (codes.includes('conflicting_repeat')) {
    return seed === undefined
      ? 'Seatline knows a payment of that id from an order of another run: play it again'
      : `Seatline knows these ids from an earlier run: --seed ${seed} makes the same ones each time. ` +
          'Leave it out, or give Seatline a fresh database';
  }
  return `Does Seatline take this sandbox for PortOne? PORTONE_V1_URL=${v1Url} PORTONE_V2_URL=${v2Url}`;
}
