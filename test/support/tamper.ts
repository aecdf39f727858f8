// Takes a database connection apart for a race: stops it at a statement, or takes a guard out.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, Transaction } from '../../src/db/database.ts';
import { loadSql } from '../../src/db/sql.ts';
import { projectRoot } from '../../src/root.ts';
import { until } from './wait.ts';

/** Replaces a part of one file of prisma/sql; refused where the part is not there. */
export interface Edit {
  file: string;
  from: string | RegExp;
  to: string;
}

export interface Tampering {
  edits?: Edit[];
  /** Awaited before the statement of that file runs. */
  before?: (file: string) => Promise<void> | undefined;
  /** Awaited after it ran, still inside its transaction. */
  after?: (file: string) => Promise<void> | undefined;
}

const fileByText = new Map(
  readdirSync(join(projectRoot, 'prisma', 'sql')).map((name) => {
    const file = name.replace(/\.sql$/, '');
    return [loadSql(file), file];
  }),
);

export function tamper(database: Database, { edits = [], before, after }: Tampering): Database {
  const edited = applyEdits(edits);
  const wrap = <T extends Pick<Transaction, '$queryRawUnsafe'>>(runner: T): T =>
    new Proxy(runner, {
      get(target, property) {
        if (property !== '$queryRawUnsafe') return Reflect.get(target, property);
        return async (sql: string, ...values: unknown[]) => {
          const file = fileByText.get(sql) ?? '';
          await before?.(file);
          const rows = await target.$queryRawUnsafe(edited.get(sql) ?? sql, ...values);
          await after?.(file);
          return rows;
        };
      },
    });
  const prisma = wrap(database.prisma);
  return {
    ...database,
    prisma,
    query: (sql, ...values) => prisma.$queryRawUnsafe(sql, ...values),
    transaction: (work) => database.transaction((tx) => work(wrap(tx))),
  };
}

function applyEdits(edits: Edit[]): Map<string, string> {
  const edited = new Map<string, string>();
  for (const { file, from, to } of edits) {
    const original = loadSql(file);
    const present = edited.get(original) ?? original;
    const changed = present.replace(from, to);
    if (changed === present) throw new Error(`${file}.sql has no ${from} to take out`);
    edited.set(original, changed);
  }
  return edited;
}

/** Opens when all have arrived, or when a lock is seen to keep one of them away. */
export class Barrier {
  private arrived = 0;
  private readonly gate = new Gate();

  constructor(
    private readonly parties: number,
    private readonly isLocked: () => Promise<boolean>,
  ) {}

  arrive(): Promise<void> {
    this.arrived += 1;
    if (this.arrived === 1) void this.watch().finally(this.gate.open);
    return this.gate.opened;
  }

  private watch(): Promise<unknown> {
    const all = () => this.arrived >= this.parties;
    return until('all are here, or kept away', async () => all() || (await this.isLocked()));
  }
}

export class Gate {
  open: () => void = () => undefined;
  readonly opened: Promise<void>;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

/** Stops at a statement once: `reached` tells that it got there, `go` lets it on. */
export class Halt {
  readonly reached = new Gate();
  readonly go = new Gate();
  private used = false;

  constructor(private readonly file: string) {}

  readonly at = (file: string): Promise<void> | undefined => {
    if (this.used || file !== this.file) return undefined;
    this.used = true;
    this.reached.open();
    return this.go.opened;
  };
}
