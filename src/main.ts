// The program: reads its configuration, starts what it needs, serves, and stops in order.

import { setUpDatabase } from './cli/set-up-database.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { developmentSecrets, type Secrets } from './embedded/development-secrets.ts';
import { stopOnSignal } from './lifecycle.ts';
import { createLog } from './log.ts';
import { projectRoot } from './root.ts';
import { startService } from './service.ts';

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel, { role: config.role });
  const database = await setUpDatabase(config.database.url, 'service', (line) => log.info(line));
  const secrets = secretsFor(config);
  if (secrets.apiKeyMade) {
    process.stderr.write(
      `\n  API_KEY is not set. For development one was made:\n\n    ${secrets.apiKey}\n\n`,
    );
  }
  const service = await startService({
    config,
    databaseUrl: database.url,
    apiKey: secrets.apiKey,
    confirmSecret: secrets.confirmSecret,
    log,
  });
  stopOnSignal(log, config.shutdownTimeoutMs, async () => {
    await service.close();
    await database.stop();
  });
}

/** Made only where they are used and missing; in production the configuration demands them. */
function secretsFor(config: Config): Secrets {
  const given = { apiKey: config.http.apiKey, confirmSecret: config.confirm.secret };
  if (config.role !== 'worker' && !config.production) return developmentSecrets(projectRoot, given);
  const unused = '';
  return {
    apiKey: given.apiKey ?? unused,
    confirmSecret: given.confirmSecret ?? unused,
    apiKeyMade: false,
  };
}

main().catch((error: unknown) => {
  // Before there is a log: one clear line, or the list of faults.
  const text =
    error instanceof ConfigError ? error.message : String((error as Error).stack ?? error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
