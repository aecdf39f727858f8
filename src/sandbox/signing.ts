/** Which webhook secrets sign V2's messages: the rotation of a secret, from its beginning to its end. */

import { z } from 'zod';
import type { V2Credentials } from './types.ts';

/** both: for a while after a new one was issued, so that either verifies. */
export const signWith = z.enum(['old', 'both', 'new']);
export type SignWith = z.infer<typeof signWith>;

/** All that may sign at some time; none: V2 goes unsigned. */
export function webhookSecretsOf(v2: V2Credentials): string[] {
  return [v2.webhookSecret, v2.nextWebhookSecret].filter((one) => one !== undefined);
}

export class Signing {
  readonly #credentials: V2Credentials;
  #with: SignWith = 'old';

  constructor(credentials: V2Credentials) {
    this.#credentials = credentials;
  }

  get secrets(): string[] {
    const { webhookSecret, nextWebhookSecret } = this.#credentials;
    const all = webhookSecretsOf(this.#credentials);
    if (this.#with === 'both') return all;
    const only = this.#with === 'old' ? webhookSecret : nextWebhookSecret;
    return only === undefined ? [] : [only];
  }

  use(wanted: SignWith): void {
    if (wanted !== 'old' && webhookSecretsOf(this.#credentials).length < 2) {
      throw new TypeError('this sandbox has no second webhook secret to rotate to');
    }
    this.#with = wanted;
  }
}
