// A database of its own for each test file: a clone of the migrated template.

import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { databaseUrl, onServer } from './global-setup.ts';

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

export async function cloneDatabase(): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  const name = `seatline_test_${randomBytes(6).toString('hex')}`;
  await onServer(server, (c) =>
    c.query(`CREATE DATABASE ${name} TEMPLATE ${inject('templateDatabase')}`),
  );
  return {
    url: databaseUrl(server, name),
    drop: () => onServer(server, (c) => c.query(`DROP DATABASE ${name} WITH (FORCE)`)),
  };
}
