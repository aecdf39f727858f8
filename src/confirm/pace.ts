// How fast an event decides, so that nobody queues who cannot be heard in time.

/** Weight of the newest batch: the pace follows a change within a few batches. */
const NEWEST_WEIGHT = 0.3;

export class Pace {
  private perMs: number | undefined;
  private lastDoneAt = 0;

  /** @param startedAt when the batch left, `doneAt` when its verdicts came; ms since 1970 */
  note(items: number, startedAt: number, doneAt: number): void {
    // Batches overlap: the time since the last one is what this one really took.
    const took = Math.max(1, doneAt - Math.max(startedAt, this.lastDoneAt));
    this.lastDoneAt = doneAt;
    const newest = items / took;
    this.perMs =
      this.perMs === undefined ? newest : this.perMs * (1 - NEWEST_WEIGHT) + newest * NEWEST_WEIGHT;
  }

  /** @returns 0 while nothing is known */
  expectedWaitMs(waiting: number): number {
    return this.perMs === undefined ? 0 : waiting / this.perMs;
  }
}
