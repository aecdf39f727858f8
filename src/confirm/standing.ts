// Looks up verdicts that stand in the database, as answers to the requests that ask.

import type { Database } from '../db/database.ts';
import { loadSql } from '../db/sql.ts';
import { loadHoldSeats } from '../seats/hold-seats.ts';
import { answerRepeat, type EarlierVerdict } from './repeat.ts';
import type { ConfirmRequest } from './request.ts';
import type { Verdict } from './verdict.ts';

const sql = loadSql('load_verdicts');

type Asked = Pick<ConfirmRequest, 'paymentId' | 'merchantUid' | 'amount'>;

/** @returns for each request its standing verdict, or null where its payment has none */
export async function lookUpVerdicts(
  database: Database,
  asked: Asked[],
): Promise<(Verdict | null)[]> {
  const rows = await database.query<{ document: EarlierVerdict }>(sql, [
    ...new Set(asked.map((a) => a.paymentId)),
  ]);
  return answersFrom(
    database,
    rows.map((row) => row.document),
    asked,
  );
}

/** @param earlier the verdicts read for these requests, in any order */
export async function answersFrom(
  database: Database,
  earlier: EarlierVerdict[],
  asked: Asked[],
): Promise<(Verdict | null)[]> {
  if (earlier.length === 0) return asked.map(() => null);
  const byPayment = new Map(earlier.map((verdict) => [verdict.paymentId, verdict]));
  const answers = asked.map((a) => {
    const verdict = byPayment.get(a.paymentId);
    return verdict ? answerRepeat(verdict, a) : null;
  });
  const held = answers.flatMap((a) => (a?.code === 'still_held' ? [a.holdId] : []));
  const seats = await loadHoldSeats(database.prisma, held);
  return answers.map((a) => {
    if (a?.code !== 'still_held') return a;
    return { ...a, code: 'confirmed', seats: seats.get(a.holdId) ?? [] };
  });
}
