// The organizer's own rule: their server is asked before a request may queue.

import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CARRIERS, openWorld, type World } from '../support/world.ts';

const SHORT = { timeoutMs: 300 };
const SECRET = `whsec_${Buffer.from('the organizer’s own secret').toString('base64')}`;

interface Asked {
  body: string;
  headers: http.IncomingHttpHeaders;
}

type Behaviour = (asked: Asked, response: http.ServerResponse) => void;

/** A real server of an organizer's, which may be told to behave badly. */
class Organizer {
  readonly asked: Asked[] = [];
  behave: Behaviour = allow;
  private readonly server = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const asked = { body, headers: request.headers };
    this.asked.push(asked);
    this.behave(asked, response);
  });

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/may-they`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const allow: Behaviour = (_, response) => void response.writeHead(200).end('{}');
const silent: Behaviour = () => undefined;
const hangUp: Behaviour = (_, response) => void response.destroy();
const answer =
  (status: number, body: unknown): Behaviour =>
  (_, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify(body));

describe.each(CARRIERS)('the organizer’s check on %s', (carrier) => {
  let world: World;
  let organizer: Organizer;
  let url: string;

  beforeAll(async () => {
    world = await openWorld({ carrier });
  });
  afterEach(() => organizer?.close());
  afterAll(() => world?.close());

  async function checkedEvent(check: Record<string, unknown> = {}): Promise<string> {
    organizer = new Organizer();
    url = await organizer.open();
    return eventWith(check);
  }
  /** With the server that is open. An answer has all the time there is; only silence is cut short. */
  const eventWith = (check: Record<string, unknown>) =>
    world.event(20, { check: { url, secret: SECRET, timeoutMs: 5_000, ...check } });

  test('a 200 lets the request pass, and the question is signed and complete', async () => {
    const event = await checkedEvent();
    const order = await world.order(event, [
      { ticketType: 'ga', quantity: 2, seats: ['ga-7', 'ga-8'] },
    ]);
    expect(await world.confirm(order, 'imp-asked')).toMatchObject({ status: 200 });
    const [asked] = organizer.asked;
    if (!asked) throw new Error('nobody asked');
    const headers = asked.headers as Record<string, string>;
    const said = new Webhook(SECRET).verify(asked.body, headers) as Record<string, unknown>;
    expect(said).toEqual({
      event,
      merchantUid: order.merchantUid,
      paymentId: 'imp-asked',
      buyer: { id: expect.any(String) },
      items: [{ ticketType: 'ga', quantity: 2, seats: ['ga-7', 'ga-8'] }],
      amount: 20_000,
    });
    const other = new Webhook(Buffer.from('another').toString('base64'));
    expect(() => other.verify(asked.body, headers)).toThrow();
  });

  test('a secret that is plain text signs as it is', async () => {
    const event = await checkedEvent({ secret: 'plain text secret' });
    expect(await world.confirm(await world.order(event))).toMatchObject({ status: 200 });
    const asked = organizer.asked[0];
    const verifier = new Webhook(Buffer.from('plain text secret').toString('base64'));
    verifier.verify(asked?.body ?? '', asked?.headers as Record<string, string>);
  });

  test.each([400, 403, 409, 500, 201, 204, 302])(
    'status %i refuses and keeps no seat',
    async (status) => {
      const event = await checkedEvent();
      organizer.behave = (_, response) =>
        void response
          .writeHead(status, { location: '/elsewhere' })
          .end(status === 204 ? undefined : '{}');
      const refused = await world.confirm(await world.order(event));
      expect(refused).toMatchObject({ status: 409, body: { code: 'refused_by_organizer' } });
      expect(organizer.asked).toHaveLength(1);
      expect(await world.seats(event)).toMatchObject({ held: 0 });
    },
  );

  test('their own reason reaches the buyer; a very long or odd one is cut or replaced', async () => {
    const event = await checkedEvent();
    const say = async (body: unknown) => {
      organizer.behave = answer(403, body);
      return (await world.confirm(await world.order(event))).body;
    };
    expect(await say({ reason: '회원만 구매하실 수 있습니다.' })).toMatchObject({
      code: 'refused_by_organizer',
      reason: '회원만 구매하실 수 있습니다.',
      errorMessage: '회원만 구매하실 수 있습니다.',
    });
    expect((await say({ reason: 'x'.repeat(3_000) })).reason).toHaveLength(200);
    for (const odd of [{}, { reason: 5 }, 'text', null]) {
      expect((await say(odd)).reason).toContain('conditions');
    }
  });

  test('silence refuses where the event says refuse, and passes where it says allow', async () => {
    const strict = await checkedEvent({ ...SHORT, onSilence: 'refuse' });
    organizer.behave = silent;
    expect(await world.confirm(await world.order(strict))).toMatchObject({
      status: 409,
      body: { code: 'refused_by_organizer' },
    });
    await organizer.close();
    const kind = await checkedEvent({ ...SHORT, onSilence: 'allow' });
    organizer.behave = silent;
    expect(await world.confirm(await world.order(kind))).toMatchObject({ status: 200 });
    const kindToo = await eventWith({ onSilence: 'allow' });
    organizer.behave = answer(403, { reason: 'no' });
    expect(await world.confirm(await world.order(kindToo))).toMatchObject({ status: 409 });
  });

  test('the answer that never ends is silence', async () => {
    const event = await checkedEvent({ ...SHORT, onSilence: 'refuse' });
    organizer.behave = (_, response) => void response.writeHead(403).write('{"reason":"');
    expect(await world.confirm(await world.order(event))).toMatchObject({ status: 409 });
  });

  test('after five failures their server is left alone', async () => {
    const event = await checkedEvent({ onSilence: 'refuse' });
    organizer.behave = hangUp;
    for (let failure = 0; failure < 5; failure += 1) await world.confirm(await world.order(event));
    expect(organizer.asked).toHaveLength(5);
    const order = await world.order(event);
    expect(await world.confirm(order)).toMatchObject({ body: { code: 'refused_by_organizer' } });
    expect(organizer.asked).toHaveLength(5);
    // Another organizer's server is asked all the same.
    await organizer.close();
    const other = await checkedEvent();
    expect(await world.confirm(await world.order(other))).toMatchObject({ status: 200 });
    expect(organizer.asked).toHaveLength(1);
  });

  test('a server that is down lets everybody pass where silence allows', async () => {
    const event = await checkedEvent({ onSilence: 'allow' });
    await organizer.close();
    const orders = await world.orders(event, 12);
    const answers = await Promise.all(orders.map((order) => world.confirm(order)));
    for (const each of answers) expect(each.status).toBe(200);
  });

  test('the repeat of a confirmed payment is answered without asking again', async () => {
    const event = await checkedEvent();
    const order = await world.order(event);
    expect(await world.confirm(order, 'imp-once')).toMatchObject({ status: 200 });
    organizer.behave = answer(403, {});
    expect(await world.confirm(order, 'imp-once')).toMatchObject({ status: 200 });
    expect(organizer.asked).toHaveLength(1);
  });
});
