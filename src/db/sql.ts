// The hand-written statements: one a file in prisma/sql, read once, named after its file.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../root.ts';

/** @param name the file's name in prisma/sql without `.sql` */
export function loadSql(name: string): string {
  const text = readFileSync(join(projectRoot, 'prisma', 'sql', `${name}.sql`), 'utf8');
  return text.replace(/^\s*--.*$/gm, '').trim();
}
