import { describe, expect, test } from 'vitest';
import { databaseFate, StaleRead } from '../../src/faults/database-errors.ts';

/** As Prisma's driver adapter wraps what Postgres said. */
function wrapped(sqlstate: string): Error {
  return Object.assign(new Error('Raw query failed'), {
    code: 'P2010',
    meta: { driverAdapterError: { cause: { originalCode: sqlstate, kind: 'postgres' } } },
  });
}

describe('the fate of a database error', () => {
  test.each([
    ['serialization failure', '40001', 'retry'],
    ['deadlock', '40P01', 'retry'],
    ['lock time-out', '55P03', 'retry'],
    ['a row that somebody else wrote first', '23505', 'retry'],
    ['statement time-out', '57014', 'unavailable'],
    ['idle in transaction', '25P03', 'unavailable'],
    ['too many connections', '53300', 'unavailable'],
    ['shut down', '57P01', 'unavailable'],
    ['crashed', '57P02', 'unavailable'],
    ['starting up', '57P03', 'unavailable'],
    ['connection refused by the server', '08004', 'unavailable'],
    ['connection broken', '08006', 'unavailable'],
    ['a check that says no', '23514', 'fail'],
    ['a key that is not there', '23503', 'fail'],
    ['a syntax error', '42601', 'fail'],
    ['a full disk', '53100', 'fail'],
  ])('%s (%s): %s, wrapped or not', (_what, sqlstate, fate) => {
    expect(databaseFate(Object.assign(new Error('x'), { code: sqlstate }))).toBe(fate);
    expect(databaseFate(wrapped(sqlstate))).toBe(fate);
  });

  test.each([
    ['P2034', 'retry'],
    ['P2002', 'retry'],
    ['P2028', 'unavailable'],
    ['P2024', 'unavailable'],
    ['P1001', 'unavailable'],
    ['P1017', 'unavailable'],
    ['ECONNREFUSED', 'unavailable'],
    ['ECONNRESET', 'unavailable'],
    ['EPIPE', 'unavailable'],
    ['P2025', 'fail'],
  ])('%s of Prisma or the network: %s', (code, fate) => {
    expect(databaseFate(Object.assign(new Error('x'), { code }))).toBe(fate);
  });

  test.each([
    ['Connection terminated unexpectedly', 'unavailable'],
    ['timeout exceeded when trying to connect', 'unavailable'],
    ['Query read timeout', 'unavailable'],
    ["Cannot read properties of undefined (reading 'id')", 'fail'],
  ])('"%s": %s', (message, fate) => {
    expect(databaseFate(new Error(message))).toBe(fate);
  });

  test('a guarded write that met fewer rows is tried again', () => {
    expect(databaseFate(new StaleRead('batch'))).toBe('retry');
  });

  test("the database's own word counts for more than the wrapper's", () => {
    const cause = Object.assign(new Error('deadlock'), { code: '40P01' });
    expect(databaseFate(Object.assign(new Error('outer', { cause }), { code: 'P2028' }))).toBe(
      'retry',
    );
  });

  test.each([undefined, null, 'text', 7, {}])('%j is no error of the database: fail', (thrown) => {
    expect(databaseFate(thrown)).toBe('fail');
  });

  test('an error that wraps itself is read to the end', () => {
    const error = new Error('x') as Error & { cause: unknown };
    error.cause = error;
    expect(databaseFate(error)).toBe('fail');
  });
});
