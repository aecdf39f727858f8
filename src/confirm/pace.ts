// How fast an event decides, so that nobody queues who cannot be heard in time.

/** Weight of the newest batch: the pace follows a change within a few batches. */
const NEWEST_WEIGHT = 0.2;

export class Pace {
  private batchMs: number | undefined;
  private lastDoneAt = 0;

  /** @param batchMax how many requests one batch takes when many wait */
  constructor(private readonly batchMax: number) {}

  /** @param startedAt when the batch left, `doneAt` when its verdicts came; ms since 1970 */
  note(startedAt: number, doneAt: number): void {
    // Batches overlap: the time since the last one is what this one really took.
    const took = doneAt - Math.max(startedAt, this.lastDoneAt);
    this.lastDoneAt = doneAt;
    this.batchMs =
      this.batchMs === undefined ? took : this.batchMs * (1 - NEWEST_WEIGHT) + took * NEWEST_WEIGHT;
  }

  /** How long `waiting` requests will keep the event busy; 0 while nothing is known. */
  expectedWaitMs(waiting: number): number {
    return Math.ceil(waiting / this.batchMax) * (this.batchMs ?? 0);
  }
}
