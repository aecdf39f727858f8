// Chance that depends on the seed alone, however the work interleaves.

import { chance } from '../sandbox/random.ts';

export class Dice {
  private rolls = 0;

  /** @param stream each buyer throws dice of their own */
  constructor(
    private readonly seed: number,
    private readonly stream: number,
  ) {}

  /** From 0 up to, but without, 1. */
  roll(): number {
    this.rolls += 1;
    return chance(this.seed, this.stream, this.rolls);
  }

  happens(probability: number): boolean {
    return this.roll() < probability;
  }

  whole(min: number, max: number): number {
    return min + Math.floor(this.roll() * (max - min + 1));
  }

  /** Most rolls are short, a few are long. */
  exponential(mean: number): number {
    return -Math.log(1 - this.roll()) * mean;
  }

  pick<T>(weighted: readonly (readonly [T, number])[]): T {
    const total = weighted.reduce((sum, [, weight]) => sum + weight, 0);
    let left = this.roll() * total;
    for (const [value, weight] of weighted) {
      left -= weight;
      if (left < 0) return value;
    }
    const last = weighted.at(-1);
    if (!last) throw new RangeError('nothing to pick from');
    return last[0];
  }
}
