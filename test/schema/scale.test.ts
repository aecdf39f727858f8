// At a million seats, half of them sold, the hot statements read what they return and no more.

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { loadSql } from '../../src/db/sql.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { connect } from '../support/sale.ts';

const SEATS = 1_000_000;
const SOLD = 500_000;
const HELD = 20_000;
const BATCH = 64;

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

let clone: TestDatabase;
let client: pg.Client;
let service: Database;

beforeAll(async () => {
  clone = await cloneDatabase();
  client = new pg.Client({ connectionString: clone.url });
  await client.connect();
  service = connect(clone.url);
  await client.query(SEED);
  await client.query('VACUUM (ANALYZE) seats');
  await client.query('ANALYZE holds, orders, ticket_types, events');
});
afterAll(async () => {
  await client?.end();
  await service?.close();
  await clone?.drop();
});

/**
 * The seats are put in as they would be in the middle of a sale: the best half sold, then some
 * held, the rest free. Their keys are checked in one pass at the end; that saves ten seconds.
 */
const SEED = `
SET session_replication_role = replica;
INSERT INTO events (id, slug, name, opens_at, hold_seconds) VALUES (1, 'big', 'Big', '2020-01-01', 300);
INSERT INTO ticket_types (id, event_id, code, name, price, available)
  VALUES (1, 1, 'ga', 'GA', 1000, ${SEATS - SOLD - HELD});
INSERT INTO orders (id, merchant_uid, event_id, buyer_id, amount, currency, status, fingerprint)
  SELECT n, 'o' || n, 1, 'b' || n, 1000, 'KRW', 'held', 'f' FROM generate_series(1, ${HELD} + 1) n;
INSERT INTO holds (id, order_id, event_id, buyer_id, payment_id, gateway, quantity, state,
                   created_at, expires_at, answer_by, answered_at, check_at)
  SELECT lpad(to_hex(n), 32, '0')::uuid, n, 1, 'b' || n, 'p' || n, 'v1', 1,
         CASE WHEN n > ${HELD} THEN 'sold' ELSE 'held' END, now(),
         now() + (n - 1000) * interval '10 ms', now() + (n - 1000) * interval '1 ms',
         CASE WHEN n % 4 > 0 THEN now() END,
         CASE n % 4 WHEN 0 THEN now() + (n - 1000) * interval '1 ms'
                    WHEN 1 THEN now() + (n - 1000) * interval '1 ms' + interval '1 h' END
    FROM generate_series(1, ${HELD} + 1) n;
INSERT INTO seats (event_id, ticket_type_id, label, rank, state, hold_id, moved_by, moved_why, moved_at)
  SELECT 1, 1, 'ga-' || n, n,
         CASE WHEN n <= ${SOLD} THEN 'sold' WHEN n <= ${SOLD + HELD} THEN 'held' ELSE 'available' END,
         CASE WHEN n <= ${SOLD} THEN lpad(to_hex(${HELD + 1}), 32, '0')::uuid
              WHEN n <= ${SOLD + HELD} THEN lpad(to_hex(n - ${SOLD}), 32, '0')::uuid END,
         't', 't', now()
    FROM generate_series(1, ${SEATS}) n;
SET session_replication_role = DEFAULT;`;

/** How a connection plans: as Postgres does by itself, and as the service's own pool is set up. */
type Planner = 'the default planner' | "the service's planner";

async function explain(planner: Planner, file: string, values: unknown[]) {
  const connection = planner === 'the default planner' ? client : await service.pool.connect();
  await connection.query('BEGIN');
  try {
    const sql = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${loadSql(file)}`;
    const result = await connection.query(sql, values);
    const root: PlanNode = result.rows[0]['QUERY PLAN'][0].Plan;
    const nodes = flatten(root);
    return {
      root,
      blocks: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
      rows: root['Actual Rows'],
      scans: nodes.filter((n) => n['Node Type'] === 'Seq Scan').map((n) => n['Relation Name']),
      sorts: nodes.filter((n) => n['Node Type'].includes('Sort')).length,
      filtered: nodes.reduce((sum, n) => sum + (n['Rows Removed by Filter'] ?? 0), 0),
      read: Math.max(...nodes.map((n) => n['Actual Rows'] * n['Actual Loops'])),
    };
  } finally {
    await connection.query('ROLLBACK');
    if (connection !== client) (connection as pg.PoolClient).release();
  }
}

function flatten(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)];
}

const PLANNERS: Planner[] = ['the default planner', "the service's planner"];

describe.each(PLANNERS)(`with ${SEATS} seats and %s`, (planner) => {
  test('the best free seats of a batch cost a few blocks', async () => {
    const plan = await explain(planner, 'free_seats', [[1], [BATCH]]);
    expect(plan).toMatchObject({ rows: BATCH, scans: [], sorts: 0, filtered: 0, read: BATCH });
    expect(plan.blocks).toBeLessThan(BATCH + 10);
  });

  test('so does the widest window in which a party is searched', async () => {
    const plan = await explain(planner, 'free_seats', [[1], [20_000]]);
    expect(plan).toMatchObject({ rows: 20_000, scans: [], sorts: 0, filtered: 0 });
    expect(plan.blocks).toBeLessThan(2_000);
  });

  test('seats asked for by name are found by name', async () => {
    const labels = Array.from({ length: 10 }, (_, i) => `ga-${SEATS - i * 1_000}`);
    const plan = await explain(planner, 'free_seats_by_label', [1, labels]);
    expect(plan).toMatchObject({ rows: 10, scans: [], read: 10 });
    expect(plan.blocks).toBeLessThan(60);
  });

  test('holds that nobody was answered for are read in order, and no others', async () => {
    const plan = await explain(planner, 'find_unanswered', [new Date(), 100]);
    expect(plan).toMatchObject({ rows: 100, scans: [], sorts: 0, filtered: 0, read: 100 });
    expect(plan.blocks).toBeLessThan(120);
  });

  test('holds whose payment is to be looked up are found without reading the others', async () => {
    const later = new Date(Date.now() + 7_200_000);
    const values = [new Date(Date.now() + 3_600_000), 100, later, 'v1'];
    const plan = await explain(planner, 'claim_unproven', values);
    expect(plan).toMatchObject({ rows: 100, scans: [], sorts: 0 });
    expect(plan.blocks).toBeLessThan(6_000);
  });

  test('overdue holds are claimed in the order of their end', async () => {
    const later = new Date(Date.now() + 20_000);
    const plan = await explain(planner, 'claim_overdue', [new Date(), 100, later]);
    expect(plan).toMatchObject({ rows: 100, scans: [], sorts: 0, read: 100 });
    // The claim itself writes: a row, its index entries.
    expect(plan.blocks).toBeLessThan(4_000);
  });

  test('the next hold to end is found at the first look', async () => {
    const plan = await explain(planner, 'next_hold_ends', [[1]]);
    expect(plan).toMatchObject({ rows: 1, sorts: 0, read: 1 });
    expect(plan.scans.filter((table) => table !== 'ticket_types')).toEqual([]);
    expect(plan.blocks).toBeLessThan(20);
  });
});

test('CONTROL without its index, the same question reads the whole house', async () => {
  await client.query('BEGIN');
  await client.query('DROP INDEX seats_free');
  const sql = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${loadSql('free_seats')}`;
  const result = await client.query(sql, [[1], [BATCH]]);
  await client.query('ROLLBACK');
  const root: PlanNode = result.rows[0]['QUERY PLAN'][0].Plan;
  expect(root['Shared Hit Blocks'] + root['Shared Read Blocks']).toBeGreaterThan(1_000);
});
