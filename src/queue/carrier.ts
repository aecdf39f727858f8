// What carries queues and messages between processes: Redis, or Postgres where there is none.

import type { Job, Queue, QueueOptions, Worker, WorkerOptions } from 'bullmq';

export type CarrierKind = 'redis' | 'postgres';

export type Processor<Data> = (job: Job<Data>) => Promise<unknown>;

export interface Carrier {
  readonly kind: CarrierKind;
  /** How many workers may be open at once in one process. */
  readonly workersMax: number;
  /** A queue to add to. It fails at once while the carrier is away. */
  openQueue(name: string, options?: Omit<QueueOptions, 'connection' | 'prefix'>): Queue;
  /** A worker. It waits while the carrier is away and goes on when it is back. */
  openWorker<Data>(
    name: string,
    processor: Processor<Data>,
    options: Omit<WorkerOptions, 'connection' | 'prefix'>,
  ): Worker<Data>;
  /** At most once: a message to nobody, or to somebody who is away, is lost. */
  publish(channel: string, messages: string[]): Promise<void>;
  subscribe(channel: string, hear: (message: string) => void): Promise<() => Promise<void>>;
  /** Notes that a queue has work; kept until `forgetActive`. */
  noteActive(name: string): Promise<void>;
  forgetActive(name: string): Promise<void>;
  listActive(): Promise<string[]>;
  /** Called when the carrier was lost and when it is back. */
  onChange(hear: (up: boolean) => void): void;
  ping(): Promise<void>;
  close(): Promise<void>;
}
