// The only place that reads the environment: complete, typed, and every fault named at once.

import { isIP } from 'node:net';
import { z } from 'zod';

const ROLES = ['all', 'api', 'worker'] as const;

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const url = (...protocols: string[]) =>
  // Aborted, for what is no url at all cannot be asked for its protocol.
  z.url({ abort: true }).refine((text) => protocols.includes(new URL(text).protocol), {
    message: `must start with ${protocols.map((p) => `${p}//`).join(' or ')}`,
  });
const secret = (min: number) => z.string().min(min, `must have at least ${min} characters`);
const webhookSecrets = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((all) => all.length <= 2 && all.every((s) => /^(whsec_)?[A-Za-z0-9+/=]{16,}$/.test(s)), {
    message: 'must be one secret (whsec_ and base64), or two joined by a comma while you rotate',
  });

const PROXIES_MAX = 20;
const PROXY_NAMES = ['loopback', 'linklocal', 'uniquelocal'];
const parts = (text: string) => text.split(',').map((part) => part.trim());
/** `off`, `on` and numbers say how many proxies there are; a list says where they are. */
const proxies = z.string().transform((text, ctx): number | string[] => {
  const count = { off: '0', on: '1' }[text] ?? text;
  const list = parts(text);
  if (/^\d{1,3}$/.test(count) && Number(count) <= PROXIES_MAX) return Number(count);
  if (list.every((part) => PROXY_NAMES.includes(part) || isAddressRange(part))) return list;
  ctx.addIssue(
    `must be off, on (one proxy), the number of proxies (up to ${PROXIES_MAX}), or their addresses joined by commas: 10.0.0.5, 10.0.0.0/8, loopback, linklocal, uniquelocal`,
  );
  return z.NEVER;
});
const addressRanges = z
  .string()
  .transform(parts)
  .refine((all) => all.every(isAddressRange), {
    message:
      'must be addresses or ranges joined by commas: 203.0.113.7, 203.0.113.0/24, 2001:db8::/32',
  });

function isAddressRange(text: string): boolean {
  const [, address = '', prefix] = /^([\da-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bits = { 4: 32, 6: 128 }[isIP(address)];
  // IPv4 within IPv6 is common as a mapped address only; no two libraries agree on the rest.
  if (bits === undefined || /^(?!::ffff:).*:.*\./i.test(address)) return false;
  return prefix === undefined || (Number(prefix) >= 1 && Number(prefix) <= bits);
}

/** What may be set, with its default. `.env.example` says the same in prose. */
const environment = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  ROLE: z.enum(ROLES).default('all'),
  PORT: whole(0, 65_535).default(8080),
  HOST: z.string().default('0.0.0.0'),
  PUBLIC_URL: url('http:', 'https:').optional(),
  TRUST_PROXY: proxies.default(0),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),

  DATABASE_URL: url('postgres:', 'postgresql:').optional(),
  DATABASE_POOL_MAX: whole(4, 500).default(20),
  REDIS_URL: url('redis:', 'rediss:').optional(),
  QUEUE_PREFIX: z
    .string()
    .regex(/^[a-z0-9_-]{1,32}$/)
    .default('seatline'),

  API_KEY: secret(16).optional(),
  CONFIRM_SECRET: secret(16).optional(),
  CONFIRM_TOKEN: z.enum(['required', 'off']).default('required'),
  CONFIRM_TIMEOUT_MS: whole(500, 9_000).default(4_000),
  CONFIRM_SETTLE_MS: whole(100, 3_000).default(600),
  CONFIRM_BATCH_MAX: whole(1, 500).default(128),
  CONFIRM_WAITING_MAX: whole(1, 100_000).default(10_000),
  CONFIRM_BODY_MAX_BYTES: whole(256, 1_048_576).default(16_384),
  QUEUE_IDLE_MS: whole(1_000, 600_000).default(30_000),

  TRANSACTION_TIMEOUT_MS: whole(100, 60_000).default(2_500),
  STATEMENT_TIMEOUT_MS: whole(50, 60_000).default(2_000),
  LOCK_TIMEOUT_MS: whole(50, 60_000).default(1_500),

  SEATS_PER_ORDER_MAX: whole(1, 500).default(50),
  SEARCH_WINDOW_MAX: whole(100, 1_000_000).default(5_000),
  IMPORT_BODY_MAX_BYTES: whole(1_024, 1_073_741_824).default(67_108_864),
  CHECKS_CONCURRENT_MAX: whole(1, 1_000).default(100),

  SWEEP_BATCH_MAX: whole(1, 10_000).default(500),
  SWEEP_INTERVAL_MS: whole(100, 60_000).default(1_000),
  RECONCILE_INTERVAL_MS: whole(0, 86_400_000).default(600_000),
  RECONCILE_SETTLE_MS: whole(0, 3_600_000).default(60_000),

  PORTONE_V1_URL: url('http:', 'https:').default('https://api.iamport.kr'),
  PORTONE_V1_KEY: z.string().min(1).optional(),
  PORTONE_V1_SECRET: z.string().min(1).optional(),
  PORTONE_V2_URL: url('http:', 'https:').default('https://api.portone.io'),
  PORTONE_V2_SECRET: z.string().min(1).optional(),
  PORTONE_WEBHOOK_SECRET: webhookSecrets.optional(),
  WEBHOOK_SOURCE_IPS: addressRanges.optional(),
  PORTONE_PREREGISTER: z.enum(['on', 'off']).default('off'),
  PORTONE_TIMEOUT_MS: whole(100, 60_000).default(10_000),
  PORTONE_CONFIRM_TIMEOUT_MS: whole(1_000, 120_000).default(60_000),
  PORTONE_DOUBT_MS: whole(0, 600_000).default(60_000),
  PAYMENT_CHECK_AFTER_MS: whole(1_000, 600_000).default(20_000),
  DEPOSIT_GRACE_MS: whole(0, 86_400_000).default(600_000),
  PORTONE_TEST_PAYMENTS: z.enum(['accept', 'refuse']).optional(),

  SHUTDOWN_TIMEOUT_MS: whole(1_000, 120_000).default(15_000),
});

type Environment = z.infer<typeof environment>;

export class ConfigError extends Error {
  constructor(readonly faults: string[]) {
    super(
      `The configuration has ${faults.length} fault(s):\n${faults.map((f) => `  - ${f}`).join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}

export type Config = ReturnType<typeof shape>;

/**
 * Reads and checks the whole environment.
 * @throws ConfigError naming every fault, relations between values included
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  const faults = parsed.success
    ? relationFaults(parsed.data)
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);
  return shape(parsed.data);
}

function relationFaults(e: Environment): string[] {
  const faults: string[] = [];
  const below = (a: keyof Environment, b: keyof Environment) => {
    if (Number(e[a]) >= Number(e[b])) faults.push(`${a} (${e[a]}) must be below ${b} (${e[b]})`);
  };
  // Each part of the confirm path must end before the whole does, or the deadline is a wish.
  below('LOCK_TIMEOUT_MS', 'STATEMENT_TIMEOUT_MS');
  below('STATEMENT_TIMEOUT_MS', 'TRANSACTION_TIMEOUT_MS');
  below('TRANSACTION_TIMEOUT_MS', 'CONFIRM_TIMEOUT_MS');
  below('CONFIRM_SETTLE_MS', 'CONFIRM_TIMEOUT_MS');
  if ((e.PORTONE_V1_KEY === undefined) !== (e.PORTONE_V1_SECRET === undefined)) {
    faults.push('PORTONE_V1_KEY and PORTONE_V1_SECRET: set both or neither');
  }
  if (e.NODE_ENV === 'production') {
    for (const name of neededInProduction(e)) {
      if (e[name] === undefined) faults.push(`${name}: must be set in production`);
    }
  }
  return faults;
}

function neededInProduction(e: Environment): (keyof Environment)[] {
  if (e.ROLE === 'worker') return ['DATABASE_URL'];
  const token: (keyof Environment)[] = e.CONFIRM_TOKEN === 'required' ? ['CONFIRM_SECRET'] : [];
  return ['DATABASE_URL', 'API_KEY', 'PUBLIC_URL', ...token];
}

function shape(e: Environment) {
  return {
    production: e.NODE_ENV === 'production',
    role: e.ROLE,
    logLevel: e.LOG_LEVEL,
    shutdownTimeoutMs: e.SHUTDOWN_TIMEOUT_MS,
    http: {
      host: e.HOST,
      port: e.PORT,
      publicUrl: e.PUBLIC_URL?.replace(/\/+$/, ''),
      trustProxy: e.TRUST_PROXY,
      webhookSources: e.WEBHOOK_SOURCE_IPS,
      gatewayBodyMaxBytes: e.CONFIRM_BODY_MAX_BYTES,
      organizerBodyMaxBytes: e.IMPORT_BODY_MAX_BYTES,
      apiKey: e.API_KEY,
    },
    database: {
      url: e.DATABASE_URL,
      poolMax: e.DATABASE_POOL_MAX,
      transactionTimeoutMs: e.TRANSACTION_TIMEOUT_MS,
      statementTimeoutMs: e.STATEMENT_TIMEOUT_MS,
      lockTimeoutMs: e.LOCK_TIMEOUT_MS,
    },
    queue: { redisUrl: e.REDIS_URL, prefix: e.QUEUE_PREFIX, idleMs: e.QUEUE_IDLE_MS },
    confirm: {
      secret: e.CONFIRM_SECRET,
      tokenRequired: e.CONFIRM_TOKEN === 'required',
      timeoutMs: e.CONFIRM_TIMEOUT_MS,
      /** The last part of the deadline, kept for settling in the database what got no verdict. */
      settleMs: e.CONFIRM_SETTLE_MS,
      batchMax: e.CONFIRM_BATCH_MAX,
      waitingMax: e.CONFIRM_WAITING_MAX,
      searchWindowMax: e.SEARCH_WINDOW_MAX,
      checksConcurrentMax: e.CHECKS_CONCURRENT_MAX,
    },
    orders: { seatsMax: e.SEATS_PER_ORDER_MAX },
    sweep: { batchMax: e.SWEEP_BATCH_MAX, intervalMs: e.SWEEP_INTERVAL_MS },
    /** 0: never by itself. `settleMs`: what is younger is left to its own webhook. */
    reconcile: { intervalMs: e.RECONCILE_INTERVAL_MS, settleMs: e.RECONCILE_SETTLE_MS },
    portone: {
      v1:
        e.PORTONE_V1_KEY !== undefined && e.PORTONE_V1_SECRET !== undefined
          ? { url: e.PORTONE_V1_URL, key: e.PORTONE_V1_KEY, secret: e.PORTONE_V1_SECRET }
          : undefined,
      v2:
        e.PORTONE_V2_SECRET !== undefined
          ? { url: e.PORTONE_V2_URL, secret: e.PORTONE_V2_SECRET }
          : undefined,
      webhookSecrets: e.PORTONE_WEBHOOK_SECRET ?? [],
      preregister: e.PORTONE_PREREGISTER === 'on',
      timeoutMs: e.PORTONE_TIMEOUT_MS,
      /** PortOne may go on with a call for so long after we have stopped listening. */
      doubtMs: e.PORTONE_DOUBT_MS,
      /** A manual confirm waits for the bank behind PortOne. */
      confirmTimeoutMs: e.PORTONE_CONFIRM_TIMEOUT_MS,
      /** A 200 was answered so long ago: its payment is looked up, and known or forged. */
      checkAfterMs: e.PAYMENT_CHECK_AFTER_MS,
    },
    settlement: {
      /** A test-channel payment looks paid; in production it must never buy a seat. */
      testPaymentsAccepted:
        (e.PORTONE_TEST_PAYMENTS ?? (e.NODE_ENV === 'production' ? 'refuse' : 'accept')) ===
        'accept',
      /** The bank tells the provider of a deposit, and the provider PortOne: that takes a while. */
      depositGraceMs: e.DEPOSIT_GRACE_MS,
    },
  };
}
