// Time as a dependency: whoever needs the time is handed a clock.

export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
