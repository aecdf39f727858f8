// How long to wait before PortOne is asked again about the same thing.

const FIRST_MS = 2_000;
const MAX_MS = 300_000;

/** Doubles from 2 s to 5 min. @param tries how often it was tried so far */
export function backoffMs(tries: number): number {
  return Math.min(FIRST_MS * 2 ** Math.max(0, tries - 1), MAX_MS);
}
