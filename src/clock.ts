// Time as a dependency: whoever needs the time is handed a clock.

export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** A clock that stands still until it is moved; for tests. */
export class ManualClock implements Clock {
  private readonly offset: { ms: number };

  constructor(private start: Date) {
    this.offset = { ms: 0 };
  }

  now(): Date {
    return new Date(this.start.getTime() + this.offset.ms);
  }

  advance(ms: number): void {
    this.offset.ms += ms;
  }

  set(instant: Date): void {
    this.start = instant;
    this.offset.ms = 0;
  }
}
