// Checks every law against the database, at any time, also in the middle of a sale.

import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';

const sql = loadSql('audit');

/** The sweep runs every second and may be behind by a few passes in a rush. */
const OVERDUE_GRACE_MS = 10_000;
/** What `verdict or void` calls seconds. */
const UNANSWERED_GRACE_MS = 5_000;

/** How many violations there are; all zero when well. */
export interface Violations {
  oversold: number;
  orphanHolds: number;
  overdueHolds: number;
  unansweredHolds: number;
  paidWithoutSeat: number;
  soldWithoutPayment: number;
  wrongAmounts: number;
  refundsStuck: number;
  seatsWithoutMove: number;
  positionGaps: number;
  foreignHolds: number;
  ordersAstray: number;
  countsAstray: number;
}

export type Audit = Violations & { clean: boolean };

/** @returns null where there is no such event */
export async function auditEvent(
  { database, clock }: { database: Database; clock: Clock },
  slug: string,
): Promise<Audit | null> {
  const event = await database.prisma.event.findUnique({ where: { slug }, select: { id: true } });
  if (!event) return null;
  // A whole house may take longer to read than the confirm path allows a statement.
  const violations = await database.bulk(async (client) => {
    const parameters = [event.id, clock.now(), OVERDUE_GRACE_MS, UNANSWERED_GRACE_MS];
    return (await client.query<Violations>(sql, parameters)).rows[0];
  });
  if (!violations) return null;
  return { ...violations, clean: Object.values(violations).every((count) => count === 0) };
}
