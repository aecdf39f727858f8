// One LISTEN connection for a process, made anew whenever it is lost.

import pg from 'pg';
import type { Log } from '../log.ts';

const RECONNECT_MS = 300;

type Hear = (message: string) => void;

export class PostgresListener {
  private client: pg.Client | undefined;
  private readonly hearers = new Map<string, Set<Hear>>();
  private readonly changeHearers: ((up: boolean) => void)[] = [];
  private connecting: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly log: Log,
  ) {}

  onChange(hear: (up: boolean) => void): void {
    this.changeHearers.push(hear);
  }

  async subscribe(channel: string, hear: Hear): Promise<() => Promise<void>> {
    const known = this.hearers.get(channel);
    const hearers = known ?? new Set<Hear>();
    hearers.add(hear);
    this.hearers.set(channel, hearers);
    if (this.client && !known) await this.client.query(`LISTEN ${quote(channel)}`);
    else await this.connect();
    return async () => {
      hearers.delete(hear);
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.client?.end().catch(() => undefined);
  }

  private connect(): Promise<void> {
    if (this.client || this.closed) return Promise.resolve();
    this.connecting ??= this.open().finally(() => {
      this.connecting = undefined;
    });
    return this.connecting;
  }

  private async open(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'seatline-listener',
      connectionTimeoutMillis: 2_000,
      keepAlive: true,
    });
    client.on('notification', ({ channel, payload }) => {
      for (const hear of this.hearers.get(channel) ?? []) hear(payload ?? '');
    });
    client.on('error', (error) => this.lost(client, error));
    client.on('end', () => this.lost(client, new Error('connection ended')));
    await client.connect();
    for (const channel of this.hearers.keys()) await client.query(`LISTEN ${quote(channel)}`);
    this.client = client;
    for (const hear of this.changeHearers) hear(true);
  }

  private lost(client: pg.Client, error: Error): void {
    if (this.closed || this.client !== client) return;
    this.client = undefined;
    this.log.warn({ error: error.message }, 'database listener lost');
    for (const hear of this.changeHearers) hear(false);
    this.retry();
  }

  private retry(): void {
    this.timer = setTimeout(() => {
      this.connect().catch(() => this.retry());
    }, RECONNECT_MS);
  }
}

function quote(channel: string): string {
  return `"${channel.replaceAll('"', '""')}"`;
}
