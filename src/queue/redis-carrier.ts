// Queues and messages over Redis: the carrier for production and for many processes.

import { Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import type { Log } from '../log.ts';
import type { Carrier } from './carrier.ts';
import { errorReporter, RUN_RETRY_DELAY_MS } from './worker-defaults.ts';

export interface RedisCarrierOptions {
  url: string;
  prefix: string;
  log: Log;
  /** A command that takes longer than this counts as lost. */
  commandTimeoutMs: number;
}

/** Reconnects soon and for ever: a sale must go on within seconds of Redis' return. */
const retryStrategy = (tries: number) => Math.min(50 * tries, 500);

export function openRedisCarrier(options: RedisCarrierOptions): Carrier {
  const connect = (extra: RedisOptions) => {
    const client = new Redis(options.url, { retryStrategy, keepAlive: 10_000, ...extra });
    client.on('error', (error) => options.log.warn({ error: error.message }, 'redis'));
    return client;
  };
  // Producers fail fast: a confirm request cannot wait for Redis to come back.
  const producer = connect({
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: options.commandTimeoutMs,
  });
  const consumer = connect({ maxRetriesPerRequest: null });
  const listener = new Listener(connect({ maxRetriesPerRequest: null }));
  const key = (name: string) => `${options.prefix}:${name}`;
  const activeKey = key('active-queues');

  return {
    kind: 'redis',
    // One connection each; Redis takes ten thousand by default, from all processes together.
    workersMax: 1_000,
    openQueue: (name, queueOptions) => {
      const queue = new Queue(name, {
        ...queueOptions,
        connection: producer,
        prefix: options.prefix,
        skipVersionCheck: true,
        skipWaitingForReady: true,
        skipMetasUpdate: true,
      });
      queue.on('error', (error) =>
        options.log.warn({ queue: name, error: error.message }, 'queue'),
      );
      return queue;
    },
    openWorker: (name, processor, workerOptions) => {
      const worker = new Worker(name, processor, {
        ...workerOptions,
        runRetryDelay: RUN_RETRY_DELAY_MS,
        connection: consumer,
        prefix: options.prefix,
        skipVersionCheck: true,
      });
      worker.on('error', errorReporter(options.log, name));
      return worker;
    },
    publish: async (channel, messages) => {
      await Promise.all(messages.map((message) => producer.publish(key(channel), message)));
    },
    subscribe: (channel, hear) => listener.subscribe(key(channel), hear),
    noteActive: async (name) => {
      await producer.sadd(activeKey, name);
    },
    forgetActive: async (name) => {
      await producer.srem(activeKey, name);
    },
    listActive: () => producer.smembers(activeKey),
    onChange: (hear) => {
      producer.on('ready', () => hear(true));
      producer.on('close', () => hear(false));
    },
    ping: async () => {
      if (producer.status !== 'ready') await onceReady(producer, options.commandTimeoutMs);
      await producer.ping();
    },
    close: async () => {
      for (const client of [producer, consumer, listener.client]) client.disconnect();
    },
  };
}

function onceReady(client: Redis, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      client.off('ready', ready);
      reject(new Error('Redis does not answer'));
    }, timeoutMs);
    const ready = () => {
      clearTimeout(timer);
      resolve();
    };
    client.once('ready', ready);
  });
}

/** One connection for all subscriptions; ioredis subscribes again after it was lost. */
class Listener {
  private readonly hearers = new Map<string, Set<(message: string) => void>>();

  constructor(readonly client: Redis) {
    client.on('message', (channel: string, message: string) => {
      for (const hear of this.hearers.get(channel) ?? []) hear(message);
    });
  }

  async subscribe(channel: string, hear: (message: string) => void): Promise<() => Promise<void>> {
    const hearers = this.hearers.get(channel) ?? new Set();
    hearers.add(hear);
    this.hearers.set(channel, hearers);
    await this.client.subscribe(channel);
    return async () => {
      hearers.delete(hear);
      if (hearers.size === 0 && this.client.status === 'ready') {
        await this.client.unsubscribe(channel);
      }
    };
  }
}
