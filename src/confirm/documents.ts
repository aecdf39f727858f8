// Reads orders and earlier verdicts in one round trip: each costs about as much as the reading.

import { loadSql } from '../db/sql.ts';
import type { RawRunner } from '../seats/hold-seats.ts';
import type { EarlierVerdict } from './repeat.ts';

const verdictsSql = loadSql('load_verdicts');

interface Asked {
  merchantUid: string;
  paymentId: string;
}

/** @param ordersSql selects one JSON `document` an order, given merchant uids as $1 */
export function documentsSql(ordersSql: string): string {
  return `SELECT 'order' AS kind, o.document FROM (${ordersSql}) o UNION ALL
    SELECT 'verdict' AS kind, v.document FROM (${verdictsSql.replace('$1', '$2')}) v`;
}

/** @param sql made by `documentsSql` */
export async function readDocuments<Order>(
  runner: RawRunner,
  sql: string,
  asked: Asked[],
): Promise<{ orders: Order[]; earlier: EarlierVerdict[] }> {
  type Row = { kind: 'order'; document: Order } | { kind: 'verdict'; document: EarlierVerdict };
  const rows = await runner.$queryRawUnsafe<Row[]>(
    sql,
    [...new Set(asked.map((a) => a.merchantUid))],
    [...new Set(asked.map((a) => a.paymentId))],
  );
  return {
    orders: rows.flatMap((row) => (row.kind === 'order' ? [row.document] : [])),
    earlier: rows.flatMap((row) => (row.kind === 'verdict' ? [row.document] : [])),
  };
}
