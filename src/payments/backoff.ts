// How long to wait before PortOne is asked again about the same thing.

const FIRST_MS = 2_000;
const MAX_MS = 300_000;
/** After an outage of whatever length, all is asked again within this time. */
const OUTAGE_MAX_MS = 15_000;

/** Doubles from 2 s to 5 min. @param tries how often it was tried so far */
export function backoffMs(tries: number): number {
  return Math.min(FIRST_MS * 2 ** Math.max(0, tries - 1), MAX_MS);
}

/** The same for what waits so long already, where tries are not counted. */
export function outageBackoffByAgeMs(waitedMs: number): number {
  return Math.min(Math.max(waitedMs, FIRST_MS), OUTAGE_MAX_MS);
}

/** While PortOne gives no answer at all: doubles from 2 s to 15 s. */
export function outageBackoffMs(tries: number): number {
  return Math.min(backoffMs(tries), OUTAGE_MAX_MS);
}
