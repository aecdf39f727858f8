// Our side of payments that PortOne tells of.

import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import type { CaseKind } from '../payments/cases.ts';
import type { OurSide } from './compare.ts';

const sql = loadSql('reconcile_ours');

export interface OurPayment extends OurSide {
  paymentId: string;
  merchantUid: string;
  orderId: number;
  eventId: number;
  event: string;
  openCases: CaseKind[];
}

/** @returns by payment id; those whose order is not ours are left out */
export async function loadOurs(
  { database, clock }: { database: Database; clock: Clock },
  named: { paymentId: string; merchantUid: string }[],
): Promise<Map<string, OurPayment>> {
  if (named.length === 0) return new Map();
  const rows = await database.query<OurPayment>(
    sql,
    named.map((payment) => payment.paymentId),
    named.map((payment) => payment.merchantUid),
    clock.now(),
  );
  return new Map(rows.map((row) => [row.paymentId, row]));
}
