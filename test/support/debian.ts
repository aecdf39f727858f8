// Programs that tests need and npm does not bring: found, or installed as Debian's package.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { withFileLock } from '../../src/embedded/file-lock.ts';

const run = promisify(execFile);

const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin'];
const INSTALL_LIMIT_MS = 600_000;

export interface Program {
  /** Any of these will do. */
  names: string[];
  debianPackage: string;
}

export function findProgram(names: readonly string[]): string | undefined {
  const paths = names.flatMap((name) => FOLDERS.map((folder) => join(folder, name)));
  return paths.find((path) => existsSync(path));
}

/** @returns its path; undefined where it is not there and could not be installed, which is told */
export async function ensureProgram({
  names,
  debianPackage,
}: Program): Promise<string | undefined> {
  const found = findProgram(names);
  if (found) return found;
  const canInstall = process.getuid?.() === 0 && findProgram(['apt-get']) !== undefined;
  if (!canInstall) return undefined;
  console.error(`Installing ${debianPackage} (a minute or two, once)...`);
  const lock = join(tmpdir(), 'seatline-install.lock');
  const failure = await withFileLock(lock, INSTALL_LIMIT_MS, () =>
    findProgram(names) ? Promise.resolve(undefined) : install(debianPackage),
  );
  const installed = findProgram(names);
  if (!installed) console.error(failure ?? `apt-get installed no ${debianPackage}`);
  return installed;
}

/** @returns the reason, if it failed */
async function install(debianPackage: string): Promise<string | undefined> {
  const policy = '/usr/sbin/policy-rc.d';
  // Debian asks this script whether a package may start its service: 101 is "no".
  const ours = await writeFile(policy, '#!/bin/sh\nexit 101\n', { flag: 'wx', mode: 0o755 }).then(
    () => true,
    () => false,
  );
  try {
    await apt(['update']);
    await apt(['install', '-y', '--no-install-recommends', debianPackage]);
    return undefined;
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1);
    return said || String(error);
  } finally {
    if (ours) await rm(policy, { force: true });
  }
}

async function apt(args: readonly string[]): Promise<void> {
  await run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: INSTALL_LIMIT_MS,
    maxBuffer: 16 * 1024 * 1024,
  });
}
