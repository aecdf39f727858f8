// A port that stays free until somebody listens there: the system gives none of these to callers.

import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what any common system hands out by itself, to connections and to port 0. */
const FROM = 15_000;
const TO = 32_000;

export async function freePort(): Promise<number> {
  for (;;) {
    const port = FROM + Math.floor(Math.random() * (TO - FROM));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
