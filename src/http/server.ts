// The listening socket: opened with sane limits, closed without dropping an answer.

import http from 'node:http';

/** Above what load balancers keep idle connections for (usually 60 s). */
const KEEP_ALIVE_MS = 65_000;
const HEADERS_TIMEOUT_MS = 66_000;
const REQUEST_TIMEOUT_MS = 120_000;
/** A sale begins with thousands of connections in one second. */
const BACKLOG = 4_096;

export function listen(
  handler: http.RequestListener,
  host: string,
  port: number,
): Promise<http.Server> {
  const server = http.createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    },
    handler,
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

/** How long a connection may outlive its last answer once the server is closing. */
const IDLE_POLL_MS = 50;

/**
 * Done as soon as what was asked is answered, though callers would keep their connections open.
 * @param timeoutMs after which connections that still wait are cut
 */
export async function closeServer(server: http.Server, timeoutMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_POLL_MS);
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}
