// In which orders, and how often, the same messages may arrive.

/** At most so many deliveries in one sequence, repeats included. */
export const DELIVERIES_MAX = 4;

/** Every order of `count` messages, each delivered at least once, with every choice of repeats. */
export function sequences(count: number): number[][] {
  if (count === 0) return [[]];
  const found: number[][] = [];
  const longest = Math.max(count, DELIVERIES_MAX);
  for (let length = count; length <= longest; length += 1) {
    found.push(...words(count, length).filter((word) => new Set(word).size === count));
  }
  return found;
}

function words(letters: number, length: number): number[][] {
  if (length === 0) return [[]];
  return words(letters, length - 1).flatMap((word) =>
    Array.from({ length: letters }, (_, letter) => [...word, letter]),
  );
}
