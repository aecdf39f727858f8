import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';

function faultsOf(env: Record<string, string>): string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgresql://db/seatline',
  API_KEY: 'a-key-of-sixteen-or-more',
  CONFIRM_SECRET: 'a-secret-of-sixteen-or-more',
  PUBLIC_URL: 'https://tickets.example/',
};

describe('the configuration', () => {
  test('empty: what the README promises', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      production: false,
      role: 'all',
      http: { port: 8080, publicUrl: undefined, apiKey: undefined },
      database: { url: undefined },
      queue: { redisUrl: undefined, prefix: 'seatline' },
      confirm: { tokenRequired: true, timeoutMs: 4_000, settleMs: 600, batchMax: 128 },
      portone: { v1: undefined, v2: undefined, webhookSecrets: [], preregister: false },
    });
  });

  test('a value set to nothing counts as not set, as an empty line in an .env file does', () => {
    expect(readConfig({ REDIS_URL: '', PORT: '', API_KEY: '' })).toEqual(readConfig({}));
  });

  test('every fault is named at once', () => {
    const faults = faultsOf({
      ROLE: 'boss',
      PORT: '80000',
      DATABASE_URL: 'mysql://x/y',
      REDIS_URL: 'http://localhost',
      API_KEY: 'short',
      CONFIRM_TIMEOUT_MS: 'soon',
    });
    const named = faults.map((fault) => fault.split(':')[0]);
    expect(new Set(named)).toEqual(
      new Set(['ROLE', 'PORT', 'DATABASE_URL', 'REDIS_URL', 'API_KEY', 'CONFIRM_TIMEOUT_MS']),
    );
  });

  // FLIP: src/config.ts asks for the protocol of what is no url at all, and throws a TypeError.
  test('a url that is none is a fault like any other', () => {
    expect(faultsOf({ REDIS_URL: 'localhost', PORT: 'x' })).toHaveLength(2);
  });

  test('the error lists them one a line', () => {
    const error = new ConfigError(['A: wrong', 'B: wrong too']);
    expect(error.message).toBe('The configuration has 2 fault(s):\n  - A: wrong\n  - B: wrong too');
  });

  test.each([
    ['LOCK_TIMEOUT_MS', { LOCK_TIMEOUT_MS: '2000' }],
    ['STATEMENT_TIMEOUT_MS', { STATEMENT_TIMEOUT_MS: '2500' }],
    ['TRANSACTION_TIMEOUT_MS', { CONFIRM_TIMEOUT_MS: '2500' }],
    ['CONFIRM_SETTLE_MS', { CONFIRM_TIMEOUT_MS: '3000', CONFIRM_SETTLE_MS: '3000' }],
  ])('%s must end before what it is a part of', (name, env) => {
    const faults = faultsOf(env);
    expect(
      faults.some((fault) => fault.startsWith(`${name} (`) && /must be below/.test(fault)),
    ).toBe(true);
  });

  test('each broken relation is named', () => {
    const faults = faultsOf({ CONFIRM_TIMEOUT_MS: '500', CONFIRM_SETTLE_MS: '500' });
    expect(faults).toHaveLength(2);
  });

  test('half of the V1 credentials is a fault', () => {
    expect(faultsOf({ PORTONE_V1_KEY: 'key' })).toEqual([
      'PORTONE_V1_KEY and PORTONE_V1_SECRET: set both or neither',
    ]);
    const config = readConfig({ PORTONE_V1_KEY: 'key', PORTONE_V1_SECRET: 'secret' });
    expect(config.portone.v1).toMatchObject({ key: 'key', secret: 'secret' });
  });

  test('two webhook secrets are taken while they are rotated, three are not', () => {
    const [a, b] = ['whsec_AAAAAAAAAAAAAAAAAAAA', 'whsec_BBBBBBBBBBBBBBBBBBBB'];
    const config = readConfig({ PORTONE_WEBHOOK_SECRET: `${a}, ${b}` });
    expect(config.portone.webhookSecrets).toEqual([a, b]);
    expect(faultsOf({ PORTONE_WEBHOOK_SECRET: `${a},${b},${a}` })).toHaveLength(1);
    expect(faultsOf({ PORTONE_WEBHOOK_SECRET: 'not a secret' })).toHaveLength(1);
  });
});

describe('in production', () => {
  test('what may be made up for development must be set', () => {
    const faults = faultsOf({ NODE_ENV: 'production' });
    const named = faults.map((fault) => fault.split(':')[0]);
    expect(named).toEqual(['DATABASE_URL', 'API_KEY', 'PUBLIC_URL', 'CONFIRM_SECRET']);
  });

  test('a worker needs only the database', () => {
    expect(faultsOf({ NODE_ENV: 'production', ROLE: 'worker' })).toEqual([
      'DATABASE_URL: must be set in production',
    ]);
  });

  test('without tokens no secret for them is needed', () => {
    const { CONFIRM_SECRET: _, ...rest } = PRODUCTION;
    expect(faultsOf({ ...rest, CONFIRM_TOKEN: 'off' })).toEqual([]);
  });

  test('a test-channel payment buys no seat, unless that is asked for', () => {
    expect(readConfig(PRODUCTION).settlement.testPaymentsAccepted).toBe(false);
    const accepting = { ...PRODUCTION, PORTONE_TEST_PAYMENTS: 'accept' };
    expect(readConfig(accepting).settlement.testPaymentsAccepted).toBe(true);
    expect(readConfig({}).settlement.testPaymentsAccepted).toBe(true);
  });

  test('the public url is kept without its last slash', () => {
    expect(readConfig(PRODUCTION).http.publicUrl).toBe('https://tickets.example');
  });
});
