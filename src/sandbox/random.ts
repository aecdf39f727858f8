/** Ids and chances that depend on the seed and a counter only, never on how calls interleave. */

function mix(value: number): number {
  // One step of mulberry32: a full-period 32-bit generator with good avalanche.
  let t = (value + 0x6d2b79f5) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) >>> 0;
}

/** 0 <= chance < 1, the same for the same seed and parts. */
export function chance(seed: number, ...parts: number[]): number {
  let hash = mix(seed);
  for (const part of parts) hash = mix(hash ^ mix(part));
  return hash / 0x1_0000_0000;
}

const hex = (value: number, digits: number): string =>
  value.toString(16).padStart(digits, '0').slice(-digits);

/** `imp_` is followed by so many numbers. */
const IMP_UIDS = 1_000_000_000_000;
const WORD = 2 ** 32;

export class Ids {
  readonly #seed: number;
  readonly #high: number;
  readonly #firstImpUid: number;
  #count = 0;

  /** @param seed up to 2^53; of its upper half only ids are made */
  constructor(seed: number) {
    this.#seed = seed;
    this.#high = Math.floor(seed / WORD);
    const drawn = mix(mix(seed) ^ this.#high);
    this.#firstImpUid = Math.floor(((drawn + mix(drawn ^ seed) / WORD) / WORD) * IMP_UIDS);
  }

  /** How many were given out, of whatever kind. */
  get used(): number {
    return this.#count;
  }

  skip(count: number): void {
    this.#count += count;
  }

  next(): number {
    this.#count += 1;
    return this.#count;
  }

  /** `imp_` and 12 digits, counted on from where the seed says: two runs seldom come near each other. */
  impUid(): string {
    return `imp_${String((this.#firstImpUid + this.next()) % IMP_UIDS).padStart(12, '0')}`;
  }

  uuid(): string {
    const n = this.next();
    const a = mix(this.#seed ^ mix(n));
    const b = mix(a ^ mix(this.#high));
    return `${hex(a, 8)}-${hex(b, 4)}-4${hex(b >>> 16, 3)}-a${hex(mix(b), 3)}-${hex(n, 12)}`;
  }

  /** An all-digit number such as banks and PGs give out. */
  digits(length: number): string {
    const n = this.next();
    const noise = Math.floor(chance(this.#seed, 2) * 10_000);
    return `${noise}${n}`.padStart(length, '9').slice(-length);
  }
}
