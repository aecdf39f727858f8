/** The system user Postgres runs as when we are root, which it refuses to be. */
import { type ExecFileOptions, execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LIMIT_MS = 20_000;

export interface Account {
  uid: number;
  gid: number;
}

/** Undefined: we are an ordinary user already, and Postgres runs as ourselves. */
export async function postgresAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const found = await lookUp();
  if (found) return found;
  // Two starters may both get here: the loser's useradd fails and the second look finds the user.
  await run('groupadd', ['--system', 'postgres'], { timeout: LIMIT_MS }).catch(() => undefined);
  await run('useradd', ['--system', '-g', 'postgres', '--no-create-home', 'postgres'], {
    timeout: LIMIT_MS,
  }).catch(() => undefined);
  const created = await lookUp();
  if (created) return created;
  throw new Error(
    'Postgres does not run as root and no "postgres" user could be made: run as an ordinary user, or set DATABASE_URL',
  );
}

/** Asks the system itself, as that user, instead of reckoning with modes, groups and mounts. */
export async function canEnter(folder: string, account: Account | undefined): Promise<boolean> {
  return succeeds('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...account, cwd: '/' });
}

export async function succeeds(
  file: string,
  args: string[],
  options: ExecFileOptions,
): Promise<boolean> {
  return run(file, args, { timeout: LIMIT_MS, ...options }).then(
    () => true,
    () => false,
  );
}

async function lookUp(): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map((flag) => run('id', [flag, 'postgres'], { timeout: LIMIT_MS })),
    );
    return uid && gid ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : undefined;
  } catch {
    return undefined;
  }
}
