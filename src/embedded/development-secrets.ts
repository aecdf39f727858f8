// Keys for development, made once and kept, so that urls and scripts survive a restart.

import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Secrets {
  apiKey: string;
  confirmSecret: string;
  /** True the first time an API key is made: then it is shown. */
  apiKeyMade: boolean;
}

/** @param given what the configuration names; the rest is read or made */
export function developmentSecrets(
  root: string,
  given: { apiKey: string | undefined; confirmSecret: string | undefined },
): Secrets {
  if (given.apiKey !== undefined && given.confirmSecret !== undefined) {
    return { apiKey: given.apiKey, confirmSecret: given.confirmSecret, apiKeyMade: false };
  }
  const kept = readOrMake(join(root, '.seatline'));
  return {
    apiKey: given.apiKey ?? kept.apiKey,
    confirmSecret: given.confirmSecret ?? kept.confirmSecret,
    apiKeyMade: given.apiKey === undefined && kept.made,
  };
}

function readOrMake(folder: string): { apiKey: string; confirmSecret: string; made: boolean } {
  const file = join(folder, 'development-secrets.json');
  mkdirSync(folder, { recursive: true });
  const secret = () => randomBytes(24).toString('base64url');
  try {
    const made = { apiKey: secret(), confirmSecret: secret() };
    // `wx`: of two processes that start at once, one writes and the other reads.
    writeFileSync(file, JSON.stringify(made), { mode: 0o600, flag: 'wx' });
    return { ...made, made: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return {
      ...(JSON.parse(readFileSync(file, 'utf8')) as Omit<Secrets, 'apiKeyMade'>),
      made: false,
    };
  }
}
