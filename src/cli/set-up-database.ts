// The database a command works on: the configured one, or the embedded one.

import type { EmbeddedPostgres } from '../embedded/postgres.ts';
import { projectRoot } from '../root.ts';

export type DatabaseInUse = Pick<EmbeddedPostgres, 'url' | 'stop'>;

/**
 * @param url the configured database; undefined starts, or joins, the embedded one
 * @param name which of the embedded ones: each purpose has a data folder of its own
 */
export async function setUpDatabase(
  url: string | undefined,
  name: string,
  log: (line: string) => void,
): Promise<DatabaseInUse> {
  if (url !== undefined) return { url, stop: async () => undefined };
  // Loaded only here: a production image carries no embedded database.
  const { startEmbeddedPostgres } = await import('../embedded/postgres.ts');
  const postgres = await startEmbeddedPostgres({ root: projectRoot, name, log });
  return { url: postgres.url, stop: () => (postgres.owned ? postgres.stop() : Promise.resolve()) };
}
