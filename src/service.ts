// One running process of the service: opened in order, closed in the opposite order.

import type http from 'node:http';
import type { AddressInfo } from 'node:net';
import { startWorkers, type Workers } from '../workers/registry.ts';
import { createApp } from './app.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { openDatabase } from './db/database.ts';
import { migrate } from './db/migrate.ts';
import { type ApiDependencies, type Dependencies, gatewayOf, openApi } from './dependencies.ts';
import { closeServer, listen } from './http/server.ts';
import type { Log } from './log.ts';
import { createMetrics } from './operations/metrics.ts';
import { openCarrier, prepareCarrier } from './queue/open-carrier.ts';
import { gatewayRoutes, operationsRoutes, organizerRoutes } from './routes.ts';

export interface ServiceOptions {
  config: Config;
  databaseUrl: string;
  /** The organizer's key and the secret of confirm tokens, made for development where unset. */
  apiKey: string;
  confirmSecret: string;
  log: Log;
  clock?: Clock;
}

export interface Service {
  /** Where it listens; null for a worker whose port was taken. */
  url: string | null;
  dependencies: Dependencies;
  close(): Promise<void>;
}

export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, databaseUrl, log, clock = systemClock } = options;
  const applied = await migrate(databaseUrl);
  if (applied.length > 0) log.info({ applied }, 'migrations applied');
  await prepareCarrier(config, databaseUrl);

  const database = openDatabase({ ...config.database, url: databaseUrl, log });
  await database.prisma.$connect();
  const carrier = openCarrier(config, databaseUrl, log);
  await carrier.ping();
  const metrics = createMetrics(database, clock);
  const gateway = gatewayOf(config, clock, metrics);
  const dependencies: Dependencies = { config, clock, log, database, carrier, metrics, ...gateway };

  let stopping = false;
  let url: string | null = null;
  const publicUrl = () => config.http.publicUrl ?? url ?? '';
  const api =
    config.role === 'worker' ? null : await openApi(dependencies, options.confirmSecret, publicUrl);
  const operations = operationsRoutes({ ...dependencies, stopping: () => stopping });
  const app = createApp({
    log,
    trustProxy: config.http.trustProxy,
    open: api ? [gatewayRoutes(api), operations] : [operations],
    organizer: api ? organizerRoutes(api) : [],
    apiKey: api ? options.apiKey : null,
  });
  // Workers first: the first confirm request finds somebody who decides it.
  const workers = config.role === 'api' ? null : await startWorkers(dependencies);
  const server = await listenFor(app.callback(), config, log);
  url = server && urlOf(server, config.http.host);
  log.info({ role: config.role, url, carrier: carrier.kind }, 'ready');

  let closing: Promise<void> | undefined;
  return {
    url,
    dependencies,
    close: () => {
      stopping = true;
      closing ??= closeAll(server, api, workers, dependencies);
      return closing;
    },
  };
}

/** A worker lives without its health page where the port is taken; the API cannot. */
async function listenFor(
  handler: http.RequestListener,
  config: Config,
  log: Log,
): Promise<http.Server | null> {
  const { host, port } = config.http;
  try {
    return await listen(handler, host, port);
  } catch (error) {
    if (config.role !== 'worker') throw error;
    log.warn({ port, error: (error as Error).message }, 'no health page: the port is taken');
    return null;
  }
}

function urlOf(server: http.Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name}:${port}`;
}

/** HTTP first: what was accepted is answered, and for that the workers must still be there. */
async function closeAll(
  server: http.Server | null,
  api: ApiDependencies | null,
  workers: Workers | null,
  d: Dependencies,
): Promise<void> {
  if (server) await closeServer(server, d.config.confirm.timeoutMs + 500);
  await workers?.stop();
  await api?.close();
  await d.carrier.close();
  await d.database.close();
  d.log.info('stopped');
}
