/** Where a cluster and its belongings lie: in the project, or in a temporary folder if need be. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, canEnter } from './account.ts';

export interface Place {
  base: string;
  data: string;
  password: string;
  owner: string;
  lock: string;
  serverLog: string;
  account: Account | undefined;
}

export async function choosePlace(
  root: string,
  name: string,
  account: Account | undefined,
  log: (line: string) => void,
): Promise<Place> {
  if (!/^[a-z0-9-]{1,40}$/.test(name)) throw new Error(`"${name}" cannot name a data folder`);
  const project = await realpath(root);
  const inProject = join(project, '.seatline');
  if (await isUsable(inProject, account)) return placeIn(inProject, name, account);

  const key = createHash('sha256').update(project).digest('hex').slice(0, 12);
  for (const parent of new Set([tmpdir(), '/var/tmp', '/tmp'])) {
    const base = join(parent, `seatline-${key}`);
    // In a shared folder somebody else may have made one of this name to read along.
    if (!(await isUsable(base, account)) || !(await isOurs(base))) continue;
    log(`Postgres cannot keep its data in ${inProject}; they are in ${base} instead`);
    return placeIn(base, name, account);
  }
  throw new Error(`no folder that Postgres can use, neither ${inProject} nor ${tmpdir()}`);
}

async function placeIn(base: string, name: string, preferred: Account | undefined): Promise<Place> {
  const data = join(base, `postgres-${name}`);
  // Data that an ordinary user made earlier stay that user's, and their server runs as that user.
  const found = preferred && (await lstat(data).catch(() => undefined));
  const account = found && found.uid !== 0 ? { uid: found.uid, gid: found.gid } : preferred;
  return {
    base,
    data,
    password: `${data}.password`,
    owner: `${data}.owner.json`,
    lock: `${data}.lock`,
    serverLog: `${data}.log`,
    account,
  };
}

async function isUsable(folder: string, account: Account | undefined): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true });
    const found = await lstat(folder);
    if (!found.isDirectory()) return false;
    // Whatever our umask: the Postgres user passes through here. The files inside are closed.
    if (account && (found.mode & 0o055) !== 0o055) await chmod(folder, 0o755);
    await access(folder, constants.W_OK);
    return await canEnter(folder, account);
  } catch {
    return false;
  }
}

async function isOurs(folder: string): Promise<boolean> {
  return (await lstat(folder)).uid === process.getuid?.();
}
