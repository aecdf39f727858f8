// One reconciliation at a time over all processes; a process that is killed gives its turn back.

import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { loadSql } from '../db/sql.ts';
import type { Gateway } from '../portone/gateway.ts';
import type { PaymentRef } from '../portone/payment.ts';

/** A run over so much looks at everything that is sold as well. */
const WIDE_MS = 7 * 24 * 3_600_000;

const sql = { turn: loadSql('reconcile_turn'), toRead: loadSql('reconcile_to_read') };

/** Any number that no other lock of this database has. */
const LOCK = 7_310_421;
const CONNECT_TIMEOUT_MS = 5_000;
/** Naming what is to be read looks at each table once; a large house takes seconds. */
const STATEMENT_TIMEOUT_MS = 120_000;
const POLL_MS = 250;
const FETCH_MAX = 500;

export interface ToRead {
  gateway: Gateway;
  eventId: number | null;
  from: Date;
  to: Date;
}

/** A connection of its own: the turn is its session's, and so is the list of what is to be read. */
export class Turn {
  private constructor(private readonly client: pg.Client) {}

  /** @returns null where another run still had the turn after `waitMs` */
  static async take(url: string, waitMs: number): Promise<Turn | null> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'seatline-reconcile',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      keepAlive: true,
    });
    // A connection lost between two statements fails the next one.
    client.on('error', () => undefined);
    try {
      await client.connect();
      if (await hasTurn(client, waitMs)) return new Turn(client);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    await client.end();
    return null;
  }

  /** A few hundred at a time. No other may be open meanwhile. */
  async *toRead({ gateway, eventId, from, to }: ToRead): AsyncGenerator<PaymentRef[]> {
    await this.client.query('BEGIN');
    const isWide = eventId !== null || to.getTime() - from.getTime() >= WIDE_MS;
    await this.client.query(sql.toRead, [gateway, eventId, from, to, isWide]);
    await this.client.query('COMMIT');
    for (;;) {
      const { rows } = await this.client.query<Omit<PaymentRef, 'gateway'>>(
        `FETCH ${FETCH_MAX} FROM reconcile_to_read`,
      );
      if (rows.length === 0) break;
      yield rows.map((row) => ({ ...row, gateway }));
    }
    await this.client.query('CLOSE reconcile_to_read');
  }

  async end(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

async function hasTurn(client: pg.Client, waitMs: number): Promise<boolean> {
  const giveUpAt = Date.now() + waitMs;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>(sql.turn, [LOCK]);
    if (rows[0]?.taken) return true;
    if (Date.now() >= giveUpAt) return false;
    await pause(POLL_MS);
  }
}
