// A server that is told to close answers what it was asked, and waits for nobody else.

import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { closeServer, listen } from '../../src/http/server.ts';

/** Longer than any test may take: nothing ends by it. */
const NEVER_MS = 600_000;

const agent = new http.Agent({ keepAlive: true });
afterEach(() => agent.destroy());

/** A request that has come to the server and waits there, on a connection that is kept. */
async function asked() {
  const server = await listen(() => undefined, '127.0.0.1', 0);
  const { port } = server.address() as AddressInfo;
  const request = http.get({ port, agent });
  const [, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  return { server, request, response };
}

test('a connection that is kept alive is closed once its answer is given', async () => {
  const { server, request, response } = await asked();
  const closing = closeServer(server, NEVER_MS);
  response.end('done');
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  expect(await text(answer)).toBe('done');
  await closing;
});

test('what is never answered is cut when its time is over', async () => {
  const { server, request } = await asked();
  const cut = once(request, 'error');
  await closeServer(server, 100);
  expect(await cut).toMatchObject([{ code: 'ECONNRESET' }]);
});
