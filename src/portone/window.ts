// The window of a list: PortOne takes one of at most 90 days.

export interface Window {
  from: Date;
  to: Date;
}

export const WINDOW_MAX_MS = 90 * 86_400_000;

export function checkWindow({ from, to }: Window): void {
  const lengthMs = to.getTime() - from.getTime();
  if (!(lengthMs >= 0 && lengthMs <= WINDOW_MAX_MS)) {
    throw new RangeError('a window has 0 to 90 days');
  }
}
