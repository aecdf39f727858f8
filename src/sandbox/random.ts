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

export class Ids {
  readonly #seed: number;
  #count = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  next(): number {
    this.#count += 1;
    return this.#count;
  }

  /** `imp_` and 12 digits, five of the seed and seven of the counter. */
  impUid(): string {
    const run = Math.floor(chance(this.#seed, 1) * 100_000);
    return `imp_${String(run).padStart(5, '0')}${String(this.next()).padStart(7, '0')}`;
  }

  uuid(): string {
    const n = this.next();
    const a = mix(this.#seed ^ mix(n));
    const b = mix(a);
    return `${hex(a, 8)}-${hex(b, 4)}-4${hex(b >>> 16, 3)}-a${hex(mix(b), 3)}-${hex(n, 12)}`;
  }

  /** An all-digit number such as banks and PGs give out. */
  digits(length: number): string {
    const n = this.next();
    const noise = Math.floor(chance(this.#seed, 2) * 10_000);
    return `${noise}${n}`.padStart(length, '9').slice(-length);
  }
}
