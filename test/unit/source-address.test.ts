import type http from 'node:http';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import { pino } from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { ConfigError, readConfig } from '../../src/config.ts';
import { closeServer, listen } from '../../src/http/server.ts';
import { addressList } from '../../src/http/source-address.ts';
import { strangerLog } from '../../src/settlement/handler.ts';
import { silentLog } from '../support/sale.ts';

let server: http.Server | undefined;
afterEach(async () => {
  if (server) await closeServer(server, 1_000);
  server = undefined;
});

/** What the service, set up so, thinks of a request that reaches it from 127.0.0.1. */
async function seenBy(trust: string, headers: Record<string, string>): Promise<unknown> {
  const router = new Router();
  router.get('/', (ctx) => {
    ctx.body = { ip: ctx.ip, host: ctx.host, protocol: ctx.protocol };
  });
  const { trustProxy } = readConfig({ TRUST_PROXY: trust }).http;
  const app = createApp({
    log: silentLog,
    trustProxy,
    open: [router],
    organizer: [],
    apiKey: null,
  });
  server = await listen(app.callback(), '127.0.0.1', 0);
  const { port } = server.address() as AddressInfo;
  return (await fetch(`http://127.0.0.1:${port}/`, { headers })).json();
}

describe('the source of a request', () => {
  test.each<[string, string | null, string]>([
    // Nobody is believed.
    ['', '203.0.113.9', '127.0.0.1'],
    ['off', '203.0.113.9', '127.0.0.1'],
    ['0', '203.0.113.9', '127.0.0.1'],
    // One proxy wrote the last address; what stands before it, its caller may have written.
    ['on', '203.0.113.9', '203.0.113.9'],
    ['on', '1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['1', '1.1.1.1,2.2.2.2,203.0.113.9', '203.0.113.9'],
    ['on', null, '127.0.0.1'],
    ['on', '', '127.0.0.1'],
    ['2', '1.1.1.1, 203.0.113.9, 10.0.0.1', '203.0.113.9'],
    ['3', '203.0.113.9', '203.0.113.9'],
    // Proxies by address: the first from behind that is none of them.
    ['loopback', '203.0.113.9', '203.0.113.9'],
    ['loopback', '203.0.113.9, 10.0.0.1', '10.0.0.1'],
    ['loopback, uniquelocal', '1.1.1.1, 203.0.113.9, 10.0.0.1', '203.0.113.9'],
    ['127.0.0.0/8,198.51.100.7', '1.1.1.1, 203.0.113.9, 198.51.100.7', '203.0.113.9'],
    ['10.0.0.0/8', '203.0.113.9', '127.0.0.1'],
    ['loopback', '203.0.113.9, nonsense', 'nonsense'],
    // However it is written.
    ['on', '203.0.113.9:4711', '203.0.113.9'],
    ['on', '[2001:db8::1]:4711', '2001:db8::1'],
    ['on', '::ffff:203.0.113.9', '203.0.113.9'],
    ['on', '2001:db8::1', '2001:db8::1'],
  ])('TRUST_PROXY %j and X-Forwarded-For %j: %s', async (trust, forwarded, ip) => {
    const headers: Record<string, string> =
      forwarded === null ? {} : { 'x-forwarded-for': forwarded };
    expect(await seenBy(trust, headers)).toMatchObject({ ip });
  });

  test('host and protocol are never taken from what was forwarded', async () => {
    const seen = await seenBy('on', {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
    });
    expect(seen).toMatchObject({ host: expect.stringMatching(/^127\.0\.0\.1:/), protocol: 'http' });
  });
});

describe('a list of addresses', () => {
  const inList = addressList(['203.0.113.7', '198.51.100.0/24', '2001:db8::/32', '::ffff:9.9.9.9']);

  test.each([
    '203.0.113.7',
    '::ffff:203.0.113.7',
    '::ffff:cb00:7107',
    '198.51.100.0',
    '198.51.100.255',
    '2001:db8:1::5',
    '2001:0DB8:0:0:0:0:0:5',
    '9.9.9.9',
  ])('%s is in it', (address) => {
    expect(inList(address)).toBe(true);
  });

  test.each(['203.0.113.8', '198.51.101.1', '2001:db9::1', '127.0.0.1', '', 'x', '203.0.113.7,x'])(
    '%j is not',
    (address) => {
      expect(inList(address)).toBe(false);
    },
  );
});

describe('the settings', () => {
  function faultsOf(env: Record<string, string>): string[] {
    try {
      readConfig(env);
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.faults;
      throw error;
    }
  }

  test.each([
    'yes',
    'true',
    '-1',
    '21',
    '1.5',
    '10.0.0.300',
    '10.0.0.0/33',
    '10.0.0.0/0',
    '::1.2.3.4',
    'a,b',
    ',',
  ])('TRUST_PROXY=%s is refused, and it is said what to write', (value) => {
    const faults = faultsOf({ TRUST_PROXY: value });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^TRUST_PROXY: must be off, on .*loopback/);
  });

  test.each([
    'loopback',
    '10.0',
    '203.0.113.0/33',
    '2001:db8::/129',
    '203.0.113.0/24/8',
    'fe80::1%eth0',
  ])('WEBHOOK_SOURCE_IPS=%s is refused, and it is said what to write', (value) => {
    const faults = faultsOf({ WEBHOOK_SOURCE_IPS: value });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^WEBHOOK_SOURCE_IPS: must be addresses or ranges .*2001:db8::/);
  });

  test('unset, no proxy is trusted and webhooks are taken from anywhere', () => {
    expect(readConfig({}).http).toMatchObject({ trustProxy: 0, webhookSources: undefined });
  });
});

test('a stranger is logged once a minute, and a thousand strangers at most', () => {
  const lines: { address: string; hint: string }[] = [];
  const log = pino({ base: {} }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  let nowMs = 0;
  const tell = strangerLog(log, { now: () => new Date(nowMs) });
  for (let time = 0; time < 3; time += 1) tell('198.51.100.1');
  expect(lines).toMatchObject([
    { address: '198.51.100.1', hint: expect.stringContaining('WEBHOOK_SOURCE_IPS') },
  ]);
  for (let n = 0; n < 2_000; n += 1) tell(`2001:db8::${n}`);
  expect(lines).toHaveLength(1_000);
  nowMs = 59_999;
  tell('198.51.100.1');
  expect(lines).toHaveLength(1_000);
  nowMs = 60_000;
  for (let time = 0; time < 3; time += 1) tell('198.51.100.1');
  expect(lines).toHaveLength(1_001);
});
