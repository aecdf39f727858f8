// The few statistics that the demo's figures need; pure.

export interface Latency {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** Nearest rank: always a value that was measured. @param sorted ascending @param share 0 to 1 */
export function percentile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return 0;
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[Math.min(rank, sorted.length) - 1] ?? 0;
}

export function latencyOf(valuesMs: readonly number[]): Latency {
  const sorted = [...valuesMs].sort((a, b) => a - b);
  const at = (share: number) => Math.round(percentile(sorted, share) * 10) / 10;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

export interface Rate {
  /** Over the whole time from the first to the last. */
  mean: number;
  /** In the best single second. */
  peak: number;
}

export function rateOf(momentsMs: readonly number[]): Rate {
  const sorted = [...momentsMs].sort((a, b) => a - b);
  let peak = 0;
  let from = 0;
  sorted.forEach((moment, index) => {
    while ((sorted[from] ?? moment) <= moment - 1_000) from += 1;
    peak = Math.max(peak, index - from + 1);
  });
  const spanMs = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0);
  // Under a second there is no rate to speak of but the count itself.
  return { mean: Math.round(sorted.length / Math.max(1, spanMs / 1_000)), peak };
}

export function countBy<T>(
  values: readonly T[],
  keyOf: (value: T) => string,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[keyOf(value)] = (counts[keyOf(value)] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
}

/** How many moments fall into each bin of `binMs`, from `fromMs` on. */
export function binned(
  momentsMs: readonly number[],
  fromMs: number,
  binMs: number,
  bins: number,
): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const moment of momentsMs) {
    const bin = Math.floor((moment - fromMs) / binMs);
    if (bin >= 0 && bin < bins) counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}
