/** A merchant's server that records what it is sent and answers as the test says. */

import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  path: string;
  headers: Record<string, string>;
  raw: string;
}

export interface Reply {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  delayMs?: number;
  /** Breaks the connection instead of answering. */
  reset?: boolean;
  /** Sends the head and half of the body, then breaks the connection. */
  half?: boolean;
}

export interface Merchant {
  url: string;
  confirmUrl: string;
  webhookUrl: string;
  confirms: Received[];
  webhooks: Received[];
  /** Confirms whose caller went away before the answer. */
  abandoned: number;
  /** Confirms in the order in which they came and were answered. */
  confirmLog: ('asked' | 'answered')[];
  onConfirm: (received: Received, n: number) => Reply;
  onWebhook: (received: Received, n: number) => Reply;
  close(): Promise<void>;
}

export async function startMerchant(): Promise<Merchant> {
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const raw = Buffer.concat(parts).toString('utf8');
      const headers = request.headers as Record<string, string>;
      const received = { path: request.url ?? '', headers, raw };
      const isConfirm = received.path.startsWith('/confirm');
      const list = isConfirm ? merchant.confirms : merchant.webhooks;
      list.push(received);
      if (isConfirm) merchant.confirmLog.push('asked');
      const reply = isConfirm
        ? merchant.onConfirm(received, list.length)
        : merchant.onWebhook(received, list.length);
      response.on('close', () => {
        if (isConfirm && !response.writableFinished) merchant.abandoned += 1;
      });
      setTimeout(() => {
        if (isConfirm) merchant.confirmLog.push('answered');
        send(response, reply);
      }, reply.delayMs ?? 0);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const merchant: Merchant = {
    url,
    confirmUrl: `${url}/confirm`,
    webhookUrl: `${url}/webhook`,
    confirms: [],
    webhooks: [],
    abandoned: 0,
    confirmLog: [],
    onConfirm: () => ({}),
    onWebhook: () => ({}),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return merchant;
}

function send(response: http.ServerResponse, reply: Reply): void {
  if (response.destroyed) return;
  if (reply.reset === true) {
    response.socket?.resetAndDestroy();
    return;
  }
  const body = JSON.stringify(reply.body ?? { code: 'confirmed' });
  if (reply.half === true) {
    response.writeHead(200, { 'content-length': String(body.length) });
    response.write(body.slice(0, 3), () => response.destroy());
    return;
  }
  response.writeHead(reply.status ?? 200, {
    'content-type': 'application/json',
    ...reply.headers,
  });
  response.end(body);
}

export type Json = Record<string, unknown>;

export const json = (received: Received | undefined): Json => JSON.parse(received?.raw ?? 'null');

export const form = (received: Received | undefined): Json =>
  Object.fromEntries(new URLSearchParams(received?.raw ?? ''));
