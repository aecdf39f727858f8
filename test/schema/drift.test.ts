// prisma/schema.prisma and the hand-written migrations describe one and the same database.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../src/root.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

interface Column {
  table: string;
  column: string;
  type: string;
  nullable: boolean;
}

const SCALARS: Record<string, string> = {
  Int: 'integer',
  BigInt: 'bigint',
  String: 'text',
  Boolean: 'boolean',
  Json: 'jsonb',
};
const NATIVE: Record<string, string> = {
  '@db.Uuid': 'uuid',
  '@db.Timestamptz(3)': 'timestamp(3) with time zone',
};
const schema = readFileSync(join(projectRoot, 'prisma', 'schema.prisma'), 'utf8');

/** The columns that the schema file names, without relations. */
function declared(): Column[] {
  return [...schema.matchAll(/^model (\w+) \{\n([\s\S]*?)^\}/gm)].flatMap(([, , body = '']) => {
    const table = body.match(/@@map\("(\w+)"\)/)?.[1] ?? '';
    return body.split('\n').flatMap((line) => columnOf(table, line) ?? []);
  });
}

function columnOf(table: string, line: string): Column | null {
  const field = line.match(/^ {2}(\w+)\s+(\w+)(\[\])?(\?)?(.*)$/);
  if (!field) return null;
  const [, name = '', type = '', list, optional, attributes = ''] = field;
  const native = Object.entries(NATIVE).find(([attribute]) => attributes.includes(attribute))?.[1];
  const scalar = native ?? SCALARS[type];
  if (scalar === undefined) return null;
  return {
    table,
    column: attributes.match(/@map\("(\w+)"\)/)?.[1] ?? name,
    type: list ? `${scalar}[]` : scalar,
    // Prisma takes a list that is null for an empty one and writes no NOT NULL for it.
    nullable: optional !== undefined || list !== undefined,
  };
}

let clone: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  clone = await cloneDatabase();
  client = new pg.Client({ connectionString: clone.url });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await clone?.drop();
});

async function present(): Promise<Column[]> {
  const result = await client.query<Column>(
    `SELECT c.relname AS "table", a.attname AS "column",
            format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> '_prisma_migrations'`,
  );
  return result.rows;
}

const line = (c: Column) => `${c.table}.${c.column} ${c.type}${c.nullable ? '' : ' NOT NULL'}`;

describe('schema.prisma and the migrated database', () => {
  test('the schema file is read: 13 models and their scalar fields', () => {
    const tables = new Set(declared().map((c) => c.table));
    expect(tables.size).toBe([...schema.matchAll(/^model /gm)].length);
    expect(declared().map(line)).toContain('holds.ended_at timestamp(3) with time zone');
    expect(declared().map(line)).toContain('seats.rank integer NOT NULL');
  });

  test('name the same columns with the same types, and neither names one more', async () => {
    expect((await present()).map(line).sort()).toEqual(declared().map(line).sort());
  });

  test('CONTROL a column that only one of them has is found', async () => {
    await client.query('BEGIN');
    await client.query('ALTER TABLE seats ADD COLUMN colour TEXT');
    const lines = (await present()).map(line);
    await client.query('ROLLBACK');
    expect(lines).not.toEqual(declared().map(line).sort());
    expect(lines).toContain('seats.colour text');
  });

  test('every unique key and index of the schema file is in the database', async () => {
    const indexes = await client.query<{ key: string; unique: boolean }>(
      `SELECT c.relname || '(' || string_agg(a.attname, ',' ORDER BY k.ord) || ')' AS key,
              i.indisunique AS unique
         FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, ord)
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND i.indpred IS NULL
        GROUP BY c.relname, i.indexrelid, i.indisunique`,
    );
    const have = indexes.rows.map((row) => `${row.unique ? 'unique ' : ''}${row.key}`);
    expect(keysDeclared().filter((key) => !have.includes(key))).toEqual([]);
    expect(keysDeclared().length).toBeGreaterThan(20);
  });

  test('the keys between tables are those that both need; each that was dropped is replaced', async () => {
    const keys = await client.query<{ name: string }>(
      `SELECT conname AS name FROM pg_constraint
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY conname`,
    );
    const names = keys.rows.map((row) => row.name);
    expect(names).toEqual(
      expect.arrayContaining([
        'holds_order_event_fkey',
        'payments_order_id_fkey',
        'refunds_payment_id_fkey',
        'seats_hold_id_state_fkey',
        'seats_type_event_fkey',
        'verdicts_order_event_fkey',
      ]),
    );
  });
});

/** `table(column,...)` of every @id, @unique, @@unique and @@index. */
function keysDeclared(): string[] {
  return [...schema.matchAll(/^model (\w+) \{\n([\s\S]*?)^\}/gm)].flatMap(([, , body = '']) => {
    const table = body.match(/@@map\("(\w+)"\)/)?.[1] ?? '';
    const lines = body.split('\n');
    const columns = new Map(
      lines.flatMap((text) => {
        const name = text.match(/^ {2}(\w+)\s/)?.[1];
        const column = columnOf(table, text)?.column;
        return name && column ? [[name, column] as const] : [];
      }),
    );
    const single = lines.flatMap((text) => {
      const column = columnOf(table, text)?.column;
      return column && /@(id|unique)\b/.test(text) ? [`unique ${table}(${column})`] : [];
    });
    const composed = [...body.matchAll(/@@(unique|index)\(\[([^\]]+)\]/g)].map(
      ([, kind, fields = '']) => {
        const names = fields.split(',').map((field) => columns.get(field.trim()) ?? field);
        return `${kind === 'unique' ? 'unique ' : ''}${table}(${names.join(',')})`;
      },
    );
    return [...single, ...composed];
  });
}
