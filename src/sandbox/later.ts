/** Everything that goes on after a call has answered: counted, awaited by idle, ended by stop. */

export class Later {
  readonly #timers = new Map<NodeJS.Timeout, () => void>();
  readonly #waiting = new Set<() => void>();
  #outstanding = 0;
  #stopped = false;
  #surprise: unknown = null;

  /** Counts `work` as outstanding until it settles. A failure is kept and thrown by idle. */
  track(work: Promise<unknown>): void {
    this.#outstanding += 1;
    work
      .catch((error: unknown) => {
        this.#surprise ??= error;
      })
      .finally(() => this.#done());
  }

  /** Runs `work` after `delayMs`, unless stopped before. */
  after(delayMs: number, work: () => unknown): void {
    if (this.#stopped) return;
    this.track(
      this.sleep(delayMs).then((elapsed) => {
        return elapsed ? work() : undefined;
      }),
    );
  }

  /** true after `delayMs`; false as soon as the sandbox stops. Not counted as outstanding. */
  sleep(delayMs: number): Promise<boolean> {
    if (this.#stopped) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve(true);
      }, delayMs);
      this.#timers.set(timer, () => resolve(false));
    });
  }

  async idle(): Promise<void> {
    if (this.#outstanding > 0) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
    if (this.#surprise === null) return;
    const surprise = this.#surprise;
    this.#surprise = null;
    throw surprise;
  }

  stop(): void {
    this.#stopped = true;
    for (const [timer, wake] of this.#timers) {
      clearTimeout(timer);
      wake();
    }
    this.#timers.clear();
  }

  #done(): void {
    this.#outstanding -= 1;
    if (this.#outstanding > 0) return;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
