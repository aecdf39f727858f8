/** Access tokens of V1 (`/users/getToken`) and V2 (`/login/api-secret`), with V1's sliding rule. */

import type { Ids } from './random.ts';

interface Token {
  value: string;
  expiresAtMs: number;
}

const LIFE_MS = 30 * 60_000;
/** Asked for within its last minute, a V1 token stays the same and lives five minutes longer. */
const LAST_MINUTE_MS = 60_000;
const EXTENSION_MS = 5 * 60_000;
const MAX_V2_TOKENS = 10_000;

export class Tokens {
  readonly #clock: () => number;
  readonly #ids: Ids;
  #v1: Token | null = null;
  readonly #v2 = new Map<string, number>();

  constructor(clock: () => number, ids: Ids) {
    this.#clock = clock;
    this.#ids = ids;
  }

  v1(): Token {
    const now = this.#clock();
    if (this.#v1 === null || this.#v1.expiresAtMs <= now) {
      this.#v1 = { value: this.#ids.uuid().replaceAll('-', ''), expiresAtMs: now + LIFE_MS };
    } else if (this.#v1.expiresAtMs - now <= LAST_MINUTE_MS) {
      this.#v1.expiresAtMs += EXTENSION_MS;
    }
    return { ...this.#v1 };
  }

  isGoodForV1(value: string): boolean {
    return this.#v1 !== null && this.#v1.value === value && this.#v1.expiresAtMs > this.#clock();
  }

  v2(): string {
    const value = `v2.${this.#ids.uuid()}`;
    if (this.#v2.size >= MAX_V2_TOKENS) this.#v2.clear();
    this.#v2.set(value, this.#clock() + LIFE_MS);
    return value;
  }

  /** Given out by the V2 login, whether or not it is still good. */
  looksLikeV2(value: string): boolean {
    return value.startsWith('v2.');
  }

  isGoodForV2(value: string): boolean {
    return (this.#v2.get(value) ?? 0) > this.#clock();
  }

  expireAll(): void {
    this.#v1 = null;
    this.#v2.clear();
  }
}
