// A server in PortOne's place that answers as a test says, for what the sandbox cannot play.

import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Heard {
  method: string;
  /** With the query, as it was on the wire. */
  path: string;
  headers: http.IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are asserted on, not built upon
  body: any;
}

export interface StubReply {
  status?: number;
  body?: unknown;
  /** Instead of JSON. */
  text?: string;
  headers?: Record<string, string>;
  /** Never answered, until the stub is closed. */
  silent?: boolean;
  /** The connection is broken; `half`: in the middle of the answer. */
  broken?: 'at_once' | 'half';
}

export interface Stub {
  url: string;
  heard: Heard[];
  /** The most calls that were at work at the same time. */
  concurrentMax: number;
  /** @param n the how manieth call it is, from 1 */
  answer: (heard: Heard, n: number) => StubReply | Promise<StubReply>;
  close(): Promise<void>;
}

export async function startStub(): Promise<Stub> {
  let atWork = 0;
  const server = http.createServer(async (request, response) => {
    atWork += 1;
    stub.concurrentMax = Math.max(stub.concurrentMax, atWork);
    response.on('close', () => {
      atWork -= 1;
    });
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const raw = Buffer.concat(parts).toString('utf8');
    const { method = '', url: path = '', headers } = request;
    const heard: Heard = { method, path, headers, body: raw === '' ? undefined : JSON.parse(raw) };
    stub.heard.push(heard);
    send(response, await stub.answer(heard, stub.heard.length));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stub: Stub = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard: [],
    concurrentMax: 0,
    answer: () => ({}),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return stub;
}

function send(response: http.ServerResponse, reply: StubReply): void {
  if (reply.silent || response.destroyed) return;
  if (reply.broken === 'at_once') {
    response.socket?.resetAndDestroy();
    return;
  }
  const body = reply.text ?? JSON.stringify(reply.body ?? {});
  const type = reply.text === undefined ? 'application/json' : 'text/html';
  response.writeHead(reply.status ?? 200, {
    'content-type': type,
    'content-length': String(Buffer.byteLength(body)),
    ...reply.headers,
  });
  if (reply.broken === 'half') response.write(body.slice(0, 1), () => response.destroy());
  else response.end(body);
}
