/** Runs a sandbox PortOne until it is told to stop. */

import { Command, InvalidArgumentError } from 'commander';
import { helpText } from '../sandbox/help.ts';
import { startSandbox } from '../sandbox/server.ts';

interface Options {
  port: number;
  host: string;
  confirmUrl?: string;
  webhookUrl?: string;
  seed?: number;
  timeScale: number;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('not a whole number');
  return value;
}

function scale(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('not above zero');
  return value;
}

const command = new Command('sandbox')
  .description('A PortOne of your own: confirms, webhooks and both REST APIs, in memory.')
  .option('--port <number>', 'where to listen', count, 4010)
  .option('--host <name>', 'address to listen on', '127.0.0.1')
  .option('--confirm-url <url>', 'asked before a payment that names no confirmUrl')
  .option('--webhook-url <url>', "the console's webhook URL")
  .option('--seed <number>', 'makes ids and chances repeatable', count)
  .option('--time-scale <factor>', 'divides the documented webhook retry pauses', scale, 1);

const options = command.parse().opts<Options>();
const sandbox = await startSandbox(options);
console.log(helpText(sandbox.url, sandbox.credentials));

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) process.exit(1);
    stopping = true;
    void sandbox.close();
  });
}
