// What an event says of virtual accounts and of payments that never asked: taken, defaulted, shown.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerSchemas } from '../../src/operations/openapi-answers.ts';
import { openWorld, type World } from '../support/world.ts';

const DAY = 86_400;

let world: World;

beforeAll(async () => {
  world = await openWorld({ carrier: 'postgres' });
});
afterAll(() => world?.close());

describe('an event shows its policies', () => {
  const allow = { policy: 'allow', maxWaitSeconds: null };
  const forbid = { policy: 'forbid', maxWaitSeconds: null };

  test.each<[string, Record<string, unknown>, unknown, string]>([
    ['unless told, with short holds', { holdSeconds: 600 }, forbid, 'seat-if-free'],
    [
      'unless told, with holds just short of a day',
      { holdSeconds: DAY - 1 },
      forbid,
      'seat-if-free',
    ],
    ['unless told, with holds of a day', { holdSeconds: DAY }, allow, 'seat-if-free'],
    ['unless told anything', {}, forbid, 'seat-if-free'],
    ['as told, with short holds', { virtualAccounts: { policy: 'allow' } }, allow, 'seat-if-free'],
    [
      'as told, with long holds',
      { holdSeconds: DAY, virtualAccounts: { policy: 'forbid' } },
      forbid,
      'seat-if-free',
    ],
    [
      'unless told, with a rule of the organizer’s own',
      { check: { url: 'http://127.0.0.1:9/', secret: 's'.repeat(32) } },
      forbid,
      'refund',
    ],
    [
      'with a limit of its own',
      { virtualAccounts: { policy: 'allow', maxWaitSeconds: 3_600 }, bypassedPayments: 'refund' },
      { policy: 'allow', maxWaitSeconds: 3_600 },
      'refund',
    ],
  ])('%s', async (_what, more, virtualAccounts, bypassedPayments) => {
    const slug = await world.event(0, more);
    const { body } = await world.call('GET', `/api/events/${slug}`);
    expect(answerSchemas.Event.parse(body)).toEqual(body);
    expect(body).toMatchObject({ virtualAccounts, bypassedPayments });
  });
});

test.each<[string, Record<string, unknown>]>([
  ['a policy that is none', { virtualAccounts: { policy: 'maybe' } }],
  ['no policy', { virtualAccounts: { maxWaitSeconds: 3_600 } }],
  ['a wait of less than a minute', { virtualAccounts: { policy: 'allow', maxWaitSeconds: 59 } }],
  [
    'a wait of over thirty days',
    { virtualAccounts: { policy: 'allow', maxWaitSeconds: 2_592_001 } },
  ],
  ['a wait for what is forbidden', { virtualAccounts: { policy: 'forbid', maxWaitSeconds: 60 } }],
  ['a fate of bypassed payments that is none', { bypassedPayments: 'keep' }],
])('%s is 422', async (_what, more) => {
  const event = {
    slug: 'fine',
    name: 'x',
    opensAt: '2020-01-01T00:00:00Z',
    ticketTypes: [{ code: 'a', name: 'a', price: 1 }],
    ...more,
  };
  expect(await world.call('POST', '/api/events', event)).toMatchObject({
    status: 422,
    body: { code: 'invalid_request' },
  });
});
