// A call to PortOne has limits, is measured, is repeated only where allowed, and tells no secrets.

import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gatewayMetrics } from '../../src/operations/gateway-metrics.ts';
import type { Retries } from '../../src/portone/circuit.ts';
import {
  type CircuitChange,
  createPortOneHttp,
  type GatewayCall,
  type HttpCall,
  type PortOneHttp,
  segment,
} from '../../src/portone/http.ts';
import { GatewayUnreachable } from '../../src/portone/payment.ts';
import { until } from '../support/wait.ts';
import { type Stub, startStub } from './portone-stub.ts';

let stub: Stub;
let calls: GatewayCall[];
let circuits: CircuitChange[];
let http: PortOneHttp;

beforeEach(async () => {
  stub = await startStub();
  calls = [];
  circuits = [];
  http = open(10_000);
});

afterEach(() => stub.close());

const open = (timeoutMs: number, baseUrl = stub.url) =>
  createPortOneHttp({
    gateway: 'v2',
    baseUrl,
    timeoutMs,
    onCall: (call) => calls.push(call),
    onCircuit: (change) => circuits.push(change),
  });

const call = (retriesMax: Retries, more: Partial<HttpCall> = {}): HttpCall => ({
  operation: 'read',
  path: '/payments/1',
  retriesMax,
  ...more,
});

const failure = (sending: Promise<unknown>): Promise<Error> =>
  sending.then(
    () => {
      throw new Error('it was answered');
    },
    (error) => error,
  );

describe('an answer', () => {
  test('of PortOne is handed on, refusals too, and is not asked for again', async () => {
    stub.answer = () => ({ status: 409, body: { type: 'PAYMENT_NOT_PAID' } });
    const answer = await http.send(call(2));
    expect(answer).toEqual({ status: 409, body: { type: 'PAYMENT_NOT_PAID' } });
    expect(stub.heard).toHaveLength(1);
  });

  test('that a provider behind PortOne refused is an answer', async () => {
    stub.answer = () => ({ status: 502, body: { type: 'PG_PROVIDER', message: 'no' } });
    expect(await http.send(call(2))).toMatchObject({ status: 502 });
  });

  test('that is no JSON, or too long, has no body', async () => {
    stub.answer = (_, n) =>
      n === 1 ? { text: '<html>' } : { body: { long: 'x'.repeat(9_000_000) } };
    expect(await http.send(call(0))).toEqual({ status: 200, body: null });
    expect(await http.send(call(0))).toEqual({ status: 200, body: null });
  });

  test.each([
    ['a 5xx', { status: 503, text: '<html>down</html>' }],
    ['too many requests', { status: 429, body: {} }],
    ['a redirect', { status: 302, headers: { location: '/elsewhere' } }],
    ['a broken connection', { broken: 'at_once' }],
    ['half an answer', { broken: 'half', body: { status: 'PAID' } }],
  ] as const)('is not known after %s', async (_, reply) => {
    stub.answer = () => reply;
    expect(await failure(http.send(call(0)))).toBeInstanceOf(GatewayUnreachable);
    expect(stub.heard.map(({ path }) => path)).toEqual(['/payments/1']);
  });

  test('is not known where nobody listens', async () => {
    await stub.close();
    expect((await failure(http.send(call(0)))).message).toContain('ECONNREFUSED');
    expect(calls).toMatchObject([{ status: 'unreachable' }]);
    stub = await startStub();
  });

  test('that does not come ends with the time limit', async () => {
    stub.answer = () => ({ silent: true });
    const error = await failure(open(100).send(call(0)));
    expect(error).toBeInstanceOf(GatewayUnreachable);
    expect(calls).toMatchObject([{ status: 'timeout' }]);
  });
});

describe('a call', () => {
  test.each([0, 1, 2] as const)('is sent again %i times at most', async (retriesMax) => {
    stub.answer = () => ({ status: 500 });
    expect(await failure(http.send(call(retriesMax)))).toBeInstanceOf(GatewayUnreachable);
    expect(stub.heard).toHaveLength(1 + retriesMax);
  });

  test('is sent again as it was, and its late answer counts', async () => {
    stub.answer = (_, n) => (n === 1 ? { status: 500 } : { body: { ok: true } });
    const headers = { 'idempotency-key': '"0123456789abcdef"' };
    const answer = await http.send(call(1, { method: 'POST', headers, body: { amount: 1 } }));
    expect(answer.body).toEqual({ ok: true });
    const [first, second] = stub.heard;
    expect(second).toEqual({ ...first, headers: expect.objectContaining(headers) });
  });

  test('is measured each time, by operation and status', async () => {
    stub.answer = (_, n) => (n === 1 ? { status: 500 } : { status: 404, body: {} });
    await http.send(call(2, { operation: 'list' }));
    expect(calls).toMatchObject([
      { gateway: 'v2', operation: 'list', status: 500 },
      { gateway: 'v2', operation: 'list', status: 404 },
    ]);
  });

  test('does not quote in its error the header that could not be sent', async () => {
    const headers = { authorization: 'PortOne very-secret\nx' };
    const error = await failure(http.send(call(0, { headers })));
    expect(error).toBeInstanceOf(GatewayUnreachable);
    expect(`${error.stack} ${error.cause}`).not.toContain('very-secret');
  });

  test.each([
    ['a/b?c#d', '/x/a%2Fb%3Fc%23d/y'],
    ['..', '/x/%252E%252E/y'],
    ['.', '/x/%252E/y'],
    ['%2e%2e', '/x/%252e%252e/y'],
    ['half \ud800 pair', '/x/half%20%EF%BF%BD%20pair/y'],
  ])('keeps the id %j within its part of the path', async (id, path) => {
    await http.send(call(0, { path: `/x/${segment(id)}/y` }));
    expect(stub.heard[0]?.path).toBe(path);
  });
});

describe('the circuit', () => {
  const fiveFailures = async () => {
    stub.answer = () => ({ status: 500 });
    for (let n = 0; n < 5; n += 1) await failure(http.send(call(0)));
  };

  test('opens after five failures in a row, and then nothing is sent', async () => {
    await fiveFailures();
    expect(await failure(http.send(call(2)))).toBeInstanceOf(GatewayUnreachable);
    expect(stub.heard).toHaveLength(5);
    expect(circuits).toEqual([{ gateway: 'v2', open: true }]);
  });

  test('is not opened by refusals', async () => {
    stub.answer = () => ({ status: 404, body: {} });
    for (let n = 0; n < 10; n += 1) await http.send(call(0));
    expect(circuits).toEqual([]);
  });

  test('closes once a single trial was answered, for which nobody waits', async () => {
    await fiveFailures();
    let answerTrial = () => {};
    stub.answer = () =>
      new Promise((resolve) => {
        answerTrial = () => resolve({ body: {} });
      });
    await until('a trial to be let through', () => {
      http.send(call(0)).catch(() => undefined);
      return until('the trial', () => stub.heard.length === 6, 100).catch(() => false);
    });
    expect((await failure(http.send(call(0)))).message).toBe('PortOne is down');
    expect(circuits).toEqual([{ gateway: 'v2', open: true }]);
    answerTrial();
    await until('the circuit is closed', () => circuits.at(-1)?.open === false);
    stub.answer = () => ({ body: {} });
    expect(await http.send(call(0))).toMatchObject({ status: 200 });
  });
});

describe('metrics', () => {
  test('name gateway, operation and status, and tell whether a circuit is open', async () => {
    const registry = new Registry();
    const metrics = gatewayMetrics([registry]);
    const tookMs = 20;
    metrics.gatewayCalled({ gateway: 'v1', operation: 'cancel', status: 200, tookMs });
    metrics.gatewayCircuit({ gateway: 'v2', open: true });
    metrics.gatewayUnreadable('v1');
    const text = await registry.metrics();
    const labels = 'gateway="v1",operation="cancel",status="200"';
    expect(text).toContain(`seatline_portone_call_seconds_count{${labels}} 1`);
    expect(text).toContain('seatline_portone_circuit_open{gateway="v1"} 0');
    expect(text).toContain('seatline_portone_circuit_open{gateway="v2"} 1');
    expect(text).toContain('seatline_portone_unreadable_total{gateway="v1"} 1');
    metrics.gatewayCircuit({ gateway: 'v2', open: false });
    expect(await registry.metrics()).toContain('circuit_open{gateway="v2"} 0');
  });
});
