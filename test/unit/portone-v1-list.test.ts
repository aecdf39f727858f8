// The list of V1: every payment of a window once, whatever moves while it is read.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { GatewayUnreachable, type PaymentApi } from '../../src/portone/payment.ts';
import { createV1Api } from '../../src/portone/v1.ts';
import { SANDBOX_V1, startSandbox } from '../../src/sandbox/server.ts';
import type { PayRequest, Sandbox } from '../../src/sandbox/types.ts';
import type { Heard } from './portone-stub.ts';
import { type Answer, envelope, PAID, refusal, type Work, withV1Stub } from './v1-stub.ts';

const START_MS = Date.UTC(2026, 7, 6);

let nowMs: number;
let sandbox: Sandbox;
let api: PaymentApi;
let unreadable: number;

const connect = (baseUrl: string) =>
  createV1Api({
    baseUrl,
    ...SANDBOX_V1,
    timeoutMs: 10_000,
    clock: { now: () => new Date(nowMs) },
    onUnreadable: () => {
      unreadable += 1;
    },
  });

beforeEach(async () => {
  nowMs = START_MS;
  unreadable = 0;
  sandbox = await startSandbox({ seed: 7, clock: () => nowMs });
  api = connect(sandbox.v1Url);
});

afterEach(() => sandbox.close());

const withStub = (answer: Answer, work: Work) => withV1Stub(connect, answer, work);

async function pay(request: Partial<PayRequest> = {}): Promise<string> {
  return (await sandbox.pay({ merchantUid: 'o-1', amount: 30_000, ...request })).paymentId;
}

const window = () => ({ from: new Date(START_MS - 1_000), to: new Date(nowMs) });
const uids = async (of: PaymentApi) => {
  const pages: string[][] = [];
  for await (const page of of.list(window())) pages.push(page.map((one) => one.paymentId));
  return pages;
};

test('has every payment of the window once, the one begun first first', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 200; n += 1) {
    ids.push(await pay({ merchantUid: `o-${n}`, ...(n % 7 ? {} : { buyer: 'decline' }) }));
    nowMs += 1_000;
  }
  expect(await uids(api)).toEqual([ids]);
});

/** Pages as V1 documents them: one beyond the data is a 400, and 0 is no next page. */
const pagesOf = (named: () => string[], size: number) => (heard: Heard) => {
  const page = Number(new URL(heard.path, 'http://x').searchParams.get('page'));
  const ids = named();
  const from = (page - 1) * size;
  if (page > 1 && from >= ids.length) return refusal('없는 페이지', 400);
  const list = ids.slice(from, from + size).map((imp_uid) => ({ ...PAID, imp_uid }));
  const next = from + size < ids.length ? page + 1 : 0;
  return envelope({ total: ids.length, previous: page - 1, next, list });
};
const numbered = (total: number) => Array.from({ length: total }, (_, n) => `imp_${n}`);

test.each([99, 100, 101, 200])('of %i payments ends where there is no next page', async (n) => {
  await withStub(
    pagesOf(() => numbered(n), 100),
    async (stub, stubbed) => {
      expect((await uids(stubbed)).flat()).toEqual(numbered(n));
      expect(stub.heard).toHaveLength(1 + Math.ceil(n / 100));
    },
  );
});

test('ends with a page that is refused, where none told that it is the last', async () => {
  const list = numbered(1_000).map((imp_uid) => ({ ...PAID, imp_uid }));
  await withStub(
    (_, n) => (n === 1 ? envelope({ list }) : refusal('없는 페이지', 400)),
    async (_, stubbed) => expect(await uids(stubbed)).toHaveLength(1),
  );
  await withStub(
    () => refusal('잘못된 요청', 400),
    async (_, stubbed) => await expect(uids(stubbed)).rejects.toBeInstanceOf(GatewayUnreachable),
  );
});

test.each([
  ['to a shorter last page', 150],
  ['to the end of the last page', 101],
])('hides none that moves up while it is read, %s', async (_, total) => {
  let ids = numbered(total);
  const leaving = () => {
    const now = ids;
    // The first one is paid now, after the window's end.
    ids = ids.filter((id) => id !== 'imp_0');
    return now;
  };
  await withStub(pagesOf(leaving, 100), async (_, stubbed) => {
    const told = (await uids(stubbed)).flat();
    expect(told.toSorted()).toEqual(numbered(total).toSorted());
  });
});

test('that never rests is read three times over, and each payment told once', async () => {
  let grown = 150;
  const growing = () => numbered(grown++);
  await withStub(pagesOf(growing, 100), async (stub, stubbed) => {
    const told = (await uids(stubbed)).flat();
    expect(new Set(told).size).toBe(told.length);
    expect(stub.heard).toHaveLength(1 + 3 * 2);
  });
});

test('of nothing is empty', async () => {
  await pay();
  const pages = api.list({ from: new Date(0), to: new Date(1) });
  expect(await pages[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
});

test('ends where the same page comes again', async () => {
  const list = numbered(1_000).map((imp_uid) => ({ ...PAID, imp_uid }));
  await withStub(
    () => envelope({ total: 5_000, list }),
    async (stub, stubbed) => {
      expect(await uids(stubbed)).toHaveLength(1);
      expect(stub.heard).toHaveLength(3);
    },
  );
});

test('goes on after a short page that names a next one', async () => {
  await withStub(
    (_, n) => envelope({ next: n < 2 ? n + 1 : 0, list: [{ ...PAID, imp_uid: `imp_${n}` }] }),
    async (_, stubbed) => expect(await uids(stubbed)).toEqual([['imp_1'], ['imp_2']]),
  );
});

test.each([400, 404])(
  'a page that was promised and is a %i each time is no end',
  async (status) => {
    await withStub(
      ({ path }) =>
        path.includes('page=1&')
          ? envelope({ total: 2_500, next: 2, list: [PAID] })
          : refusal('잘못된 요청', status),
      async (_, stubbed) => expect(uids(stubbed)).rejects.toBeInstanceOf(GatewayUnreachable),
    );
  },
);

test('leaves out and counts what it cannot read', async () => {
  await withStub(
    () => envelope({ list: [{ imp_uid: 'imp_0', status: 'frozen' }, PAID] }),
    async (_, stubbed) => expect(await uids(stubbed)).toEqual([['imp_1']]),
  );
  expect(unreadable).toBe(1);
});

test('asks for whole seconds within 90 days', async () => {
  await withStub(
    () => envelope({ list: [] }),
    async (stub, stubbed) => {
      const from = new Date(1_000_500);
      const to = new Date(from.getTime() + 90 * 86_400_000);
      for await (const _ of stubbed.list({ from, to }));
      expect(stub.heard[1]?.path).toBe(
        '/payments/status/all?page=1&limit=1000&from=1000&to=7777000&sorting=started',
      );
      const tooLong = stubbed.list({ from: new Date(0), to });
      await expect(tooLong[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(RangeError);
    },
  );
});
