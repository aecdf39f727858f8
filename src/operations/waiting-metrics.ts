// What waits in the database, as an operator watches it: holds, refunds, cases, webhooks.

import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { CASE_KINDS } from '../payments/cases.ts';
import { WAITS_FOR_ORGANIZER } from '../payments/refund-waits.ts';

const sql = loadSql('count_waiting');

/** `mending`: PortOne would not make the refund, and it is left alone until somebody helps. */
const WAITS_FOR = ['portone', 'organizer', 'mending'];

interface Waiting {
  held: number;
  refunds: Record<string, number>;
  cases: Record<string, number>;
  webhookLagSeconds: number;
}

type Values = [labels: Record<string, string>, value: number][];

/** One look at the database for each scrape; every process tells the same. */
export function watchDatabase(database: Database, clock: Clock, registers: Registry[]): void {
  let looking: Promise<Waiting | undefined> | undefined;
  const look = () => {
    looking ??= database
      .query<Waiting>(sql, clock.now(), WAITS_FOR_ORGANIZER)
      // A database that is away takes these figures along, and leaves the process's own.
      .then(
        ([waiting]) => waiting,
        () => undefined,
      )
      .finally(() => {
        looking = undefined;
      });
    return looking;
  };
  const watch = (name: string, help: string, label: string, values: (of: Waiting) => Values) =>
    new Gauge({
      name: `seatline_${name}`,
      help,
      labelNames: [label],
      registers,
      async collect() {
        const waiting = await look();
        this.reset();
        for (const [labels, value] of waiting ? values(waiting) : []) this.set(labels, value);
      },
    });
  watch('holds', 'Live holds in the database, by state', 'state', ({ held }) => [
    [{ state: 'held' }, held],
  ]);
  watch('open_refunds', 'Refunds not done, by what they wait for', 'waits_for', ({ refunds }) =>
    WAITS_FOR.map((waits_for) => [{ waits_for }, refunds[waits_for] ?? 0]),
  );
  watch('open_cases', 'Cases not closed, by kind', 'kind', ({ cases }) =>
    CASE_KINDS.map((kind) => [{ kind }, cases[kind] ?? 0]),
  );
  watch(
    'webhook_lag_seconds',
    'How long the webhook that waits longest is overdue',
    'state',
    (of) => [[{ state: 'pending' }, of.webhookLagSeconds]],
  );
}
