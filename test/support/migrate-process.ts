// One process that migrates a database and says what it applied; for tests that start many.

import { migrate, readMigrations } from '../../src/db/migrate.ts';

const [url, folder] = process.argv.slice(2);
if (url === undefined) throw new Error('usage: migrate-process URL [FOLDER]');

migrate(url, folder === undefined ? readMigrations() : readMigrations(folder)).then(
  (applied) => process.stdout.write(JSON.stringify(applied)),
  (error: Error) => {
    process.stderr.write(error.message);
    process.exitCode = 1;
  },
);
