/** The listening socket, which can be pulled out and put back on the same port. */

import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** Thousands of callers may connect in the same instant; Node's default backlog is 511. */
const BACKLOG = 4_096;

export class Listener {
  readonly #server: http.Server;
  readonly #host: string;
  #port: number;

  constructor(handler: http.RequestListener, host: string, port: number) {
    this.#server = http.createServer(handler);
    this.#host = host;
    this.#port = port;
  }

  get url(): string {
    return `http://${this.#host}:${this.#port}`;
  }

  plugIn(): Promise<void> {
    if (this.#server.listening) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: this.#host, port: this.#port, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  unplug(): Promise<void> {
    if (!this.#server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
