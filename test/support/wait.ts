// Waits for a named moment; says which one never came.

const POLL_MS = 20;

/** @returns what `probe` returned as soon as it is neither null, undefined nor false */
export async function until<T>(
  moment: string,
  probe: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  timeoutMs = 30_000,
): Promise<T> {
  const giveUpAt = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== null && value !== undefined && value !== false) return value as T;
    if (Date.now() > giveUpAt) throw new Error(`waited ${timeoutMs} ms in vain for: ${moment}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
