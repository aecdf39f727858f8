// Structured logs: one JSON line an occurrence, with ids only; secrets and buyer data never.

import { type Logger, pino } from 'pino';

export type Log = Logger;

/** @param level pino's level names; `silent` writes nothing */
export function createLog(level: string, bindings: Record<string, unknown> = {}): Log {
  return pino({
    level,
    base: bindings,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    // A last net; nothing of this kind should be passed to a log line to begin with.
    redact: ['secret', '*.secret', 'token', '*.token', 'authorization', '*.authorization'],
  });
}
