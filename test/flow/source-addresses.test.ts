// Stories told through a proxy: only webhooks that come from PortOne's own addresses are taken.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { merchantEnv } from '../../src/sandbox/merchant-env.ts';
import { loadScenario, wordsOfFault } from '../../src/sandbox/scenario/load.ts';
import { runScenario, type ScenarioResult } from '../../src/sandbox/scenario/run.ts';
import { startSandbox } from '../../src/sandbox/server.ts';
import type { Sandbox } from '../../src/sandbox/types.ts';
import { openWorld, type World } from '../support/world.ts';

/** As README has them. */
const LISTED = '52.78.100.19,52.78.48.223,52.78.5.241';
const PORTONE = '52.78.5.241';
const STRANGER = '198.51.100.9';

let gateway: Sandbox;
let elsewhere: Sandbox;
let world: World;

beforeAll(async () => {
  gateway = await startSandbox({ forwardedFor: PORTONE });
  elsewhere = await startSandbox({ forwardedFor: STRANGER });
  const env = { WEBHOOK_SOURCE_IPS: LISTED, TRUST_PROXY: 'loopback' };
  world = await openWorld({ carrier: 'postgres', env: { ...merchantEnv(gateway), ...env } });
});
afterAll(async () => {
  await world?.close();
  await elsewhere?.close();
  await gateway?.close();
});

function play(sandbox: Sandbox, steps: string[], expected: string): Promise<ScenarioResult> {
  const seatline = `seatline: { url: ${world.url}, apiKeyFromEnv: API_KEY }`;
  const text = ['name: N', 'about: A', seatline, 'steps:', ...steps, `expect: { ${expected} }`];
  const loaded = loadScenario('it.yaml', text.join('\n'));
  if (!loaded.ok) throw new Error(loaded.faults.map(wordsOfFault).join('\n'));
  return runScenario(loaded.scenario, { sandbox, env: world.env });
}

const loose = (forwardedFor: string, answered: number) =>
  `  - webhook: { body: { imp_uid: x, merchant_uid: nobody, status: paid }, forwardedFor: "${forwardedFor}", answered: ${answered} }`;

const wrong = ({ checks, trouble }: ScenarioResult) => [
  ...checks.filter(({ held }) => !held),
  ...(trouble === null ? [] : [trouble]),
];

test('a payment that is told of from a listed address is sold', async () => {
  const expected = 'attempt: { confirm: 200, webhooks: [paid] }, order: { status: paid }';
  expect(wrong(await play(gateway, ['  - pay: {}'], expected))).toEqual([]);
});

test('a payment that is told of from elsewhere is not heard, though its confirm is', async () => {
  const expected = 'attempt: { confirm: 200, webhooks: [] }, order: { status: held }';
  const told = await play(elsewhere, ['  - pay: {}'], expected);
  expect(wrong(told)).toEqual([]);
  expect(told.payments).toMatchObject([{ webhooks: [{ attempts: [{ status: 403 }] }] }]);
});

test('what a sender wrote before the proxy makes no stranger PortOne, and PortOne no stranger', async () => {
  const steps = [
    loose(PORTONE, 200),
    loose(STRANGER, 403),
    loose(`${PORTONE}, ${STRANGER}`, 403),
    loose(`${STRANGER}, ${PORTONE}`, 200),
    loose(`${PORTONE}, ${STRANGER}, 127.0.0.1`, 403),
  ];
  const told = await play(elsewhere, steps, 'money: { paid: 0 }');
  expect(wrong(told)).toEqual([]);
  expect(told.checks.map(({ found }) => found)).toEqual(['200', '403', '403', '200', '403', '0']);
});
