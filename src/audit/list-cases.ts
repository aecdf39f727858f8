// What waits for the organizer in an event: open cases and open refunds, in one list, oldest first.

import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { type CaseRow, isOpen, wordsFor } from './case-words.ts';

const sql = loadSql('list_cases');

export interface CasePage {
  cases: CaseView[];
  /** Where the next page begins; null at the end. */
  next: string | null;
}

export type CaseView = ReturnType<typeof viewCase>;

export interface CaseQuery {
  /** Absent: both. */
  open?: boolean | undefined;
  limit: number;
  after?: CasePlace | undefined;
}

/** A place in the list; as text, `next` of one page and `after` of the one that follows. */
export interface CasePlace {
  since: Date;
  source: CaseRow['source'];
  id: number;
}

/** @returns null where there is no such event */
export async function listCases(
  database: Database,
  slug: string,
  query: CaseQuery,
): Promise<CasePage | null> {
  const { open, limit, after } = query;
  const known = await database.prisma.event.count({ where: { slug } });
  if (known === 0) return null;
  const rows = await database.query<CaseRow>(
    sql,
    slug,
    open ?? null,
    // One more tells whether there is another page.
    limit + 1,
    after?.since ?? null,
    after?.source ?? null,
    after?.id ?? null,
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    cases: page.map(viewCase),
    next: rows.length > limit && last ? writePlace(last) : null,
  };
}

function viewCase(row: CaseRow) {
  const refund = row.source === 'refund' ? { state: row.state, lastError: row.lastError } : null;
  return {
    kind: row.kind,
    /** The case's, or for the kind `refund` the refund's: two counts of their own. */
    id: row.id,
    merchantUid: row.merchantUid,
    paymentId: row.paymentId,
    currency: row.currency,
    amount: row.amount,
    since: row.since.toISOString(),
    open: isOpen(row),
    ...wordsFor(row),
    refund,
    accepted: row.accepted,
    closedAt: row.closedAt?.toISOString() ?? null,
    closedBy: row.closedBy,
    note: row.note,
  };
}

function writePlace({ since, source, id }: CasePlace): string {
  return `${since.getTime()}.${source}.${id}`;
}

/** @returns null for what no page ever named */
export function readPlace(text: string): CasePlace | null {
  const parts = /^(\d{1,15})\.(case|refund)\.(\d{1,10})$/.exec(text);
  const id = Number(parts?.[3]);
  if (!parts || id > 2_147_483_647) return null;
  return { since: new Date(Number(parts[1])), source: parts[2] as CaseRow['source'], id };
}
