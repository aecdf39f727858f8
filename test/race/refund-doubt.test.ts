// A V1 cancellation that was not answered may be at work still. V1 knows no keys, and nobody says that
// its checksum is more than a look before the provider is asked: until the doubt is over it is looked
// at, and not asked for again.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { books } from '../support/buyer.ts';
import {
  askRefund,
  givenBack,
  hurriedUntil,
  hurry,
  refundBecomes,
  refundOf,
  type Sold,
  sell,
} from '../support/refunds.ts';
import { until } from '../support/wait.ts';
import { openWorld, type World } from '../support/world.ts';

const HALF = 5_000;

/** Stands before the sandbox: looks at the checksum first, and asks the provider when it is let. */
class HastyPortOne {
  /** Cancellations that passed the look, in order. */
  passed = 0;
  private waiting: (() => void)[] = [];
  private readonly server: Server;
  target = '';

  constructor() {
    this.server = createServer((incoming, outgoing) => {
      // A connection that was cut is cut on this side too.
      this.serve(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  private async serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    let body = Buffer.concat(parts).toString();
    const { method = 'GET', url = '/', headers } = incoming;
    const { authorization = '' } = headers;
    if (url === '/payments/cancel') {
      const { checksum, ...rest } = JSON.parse(body);
      if (!(await this.fits(rest.imp_uid, checksum, authorization))) {
        outgoing.end(JSON.stringify({ code: 1, message: 'checksum', response: null }));
        return;
      }
      this.passed += 1;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
      body = JSON.stringify(rest);
    }
    const answer = await this.ask(method, url, authorization, body);
    outgoing.writeHead(answer.status, { 'content-type': 'application/json' });
    outgoing.end(await answer.text());
  }

  private async fits(payment: string, checksum: number, authorization: string): Promise<boolean> {
    const answer = await this.ask('GET', `/payments/${payment}`, authorization, '');
    const { response } = (await answer.json()) as {
      response: { amount: number; cancel_amount: number };
    };
    return response.amount - response.cancel_amount === checksum;
  }

  private ask(method: string, path: string, authorization: string, body: string) {
    const headers = { authorization, 'content-type': 'application/json' };
    return fetch(`${this.target}${path}`, { method, headers, body: body === '' ? null : body });
  }

  /** The provider does what it was asked for. */
  carryOut(): void {
    for (const go of this.waiting.splice(0)) go();
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.carryOut();
    this.server.closeAllConnections();
    this.server.close();
  }
}

const hasty = new HastyPortOne();
let world: World;

beforeAll(async () => {
  world = await openWorld({
    carrier: 'postgres',
    env: {
      SWEEP_INTERVAL_MS: '100',
      PORTONE_TIMEOUT_MS: '1000',
      PORTONE_DOUBT_MS: '60000',
      PORTONE_V1_URL: await hasty.listen(),
    },
  });
  hasty.target = world.sandbox.url;
});
afterEach(() => {
  world.sandbox.faults.clear();
  hasty.carryOut();
});
afterAll(async () => {
  hasty.close();
  await world?.close();
});

/** A part is asked for, and the provider takes longer than we listen. */
async function unanswered(): Promise<Sold & { id: number; tries: number }> {
  const sold = await sell(world, 2);
  world.sandbox.faults.set({ webhooksSilenced: true });
  const before = hasty.passed;
  const { id } = (await askRefund(world, sold.order, { amount: HALF })).body;
  const view = await until('it was not answered', async () => {
    const refund = await refundOf(world, id);
    return hasty.passed > before && refund.lastError !== null && refund;
  });
  return { ...sold, id, tries: view.tries };
}

test('it is looked at again and again, and asked for once', async () => {
  const { order, id, tries, event } = await unanswered();
  const passed = hasty.passed;
  for (let looks = 1; looks <= 3; looks += 1) {
    // Due at once, and still in doubt.
    await world.sql('UPDATE refunds SET next_try_at = now() WHERE id = $1', id);
    await until('another look', async () => (await refundOf(world, id)).tries >= tries + looks);
  }
  await until('the look is over', async () => (await refundOf(world, id)).lastError !== null);
  expect(hasty.passed).toBe(passed);
  hasty.carryOut();
  await until('it is carried out', () => givenBack(world, order).length > 0);
  await world.sql('UPDATE refunds SET next_try_at = now() WHERE id = $1', id);
  await refundBecomes(world, id, 'done');
  expect(givenBack(world, order)).toEqual([HALF]);
  expect(await world.audit(event)).toMatchObject({ clean: true });
});

test('CONTROL without the doubt both pass the look, and the part goes back twice', async () => {
  const { order, id } = await unanswered();
  const passed = hasty.passed;
  await hurriedUntil(world, id, 'it was asked for again', () => hasty.passed > passed);
  hasty.carryOut();
  await until('both are carried out', () => givenBack(world, order).length === 2);
  expect(givenBack(world, order)).toEqual([HALF, HALF]);
});

test('never carried out: asked for anew when the doubt is over', async () => {
  const sold = await sell(world, 2);
  const mend = world.sandbox.faults.rest({ kind: 'refuse', endpoint: 'cancel' });
  const { id } = (await askRefund(world, sold.order, { amount: HALF })).body;
  await until('it passed and was lost', async () => {
    hasty.carryOut();
    return (await refundOf(world, id)).lastError !== null;
  });
  mend();
  await hurry(world, id);
  await until('it is done', async () => {
    hasty.carryOut();
    return (await refundOf(world, id)).state === 'done';
  });
  expect(givenBack(world, sold.order)).toEqual([HALF]);
});

test('the second is refused, and the first carried out after all: not asked for a third time', async () => {
  const { order, id, event } = await unanswered();
  const passed = hasty.passed;
  world.sandbox.faults.rest({ kind: 'pg_error', endpoint: 'cancel', world: 'v1', times: 1 });
  await hurriedUntil(world, id, 'it was asked for again', () => hasty.passed > passed);
  hasty.carryOut();
  await until('one was refused, one carried out', () => {
    const requests = books(world, order)[0]?.cancelRequests ?? [];
    return requests.length === 2 && requests.every((request) => request.outcome !== 'open');
  });
  await hurry(world, id);
  await refundBecomes(world, id, 'done');
  expect(givenBack(world, order)).toEqual([HALF]);
  expect(await world.audit(event)).toMatchObject({ clean: true });
});
