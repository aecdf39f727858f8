// A sandbox that is started again with the file of the one before: its payments are known, in every way.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BooksUnreadable } from '../../src/sandbox/books-file.ts';
import { startSandbox } from '../../src/sandbox/server.ts';
import type { Sandbox, SandboxOptions } from '../../src/sandbox/types.ts';
import { until } from '../support/wait.ts';
import { type Merchant, startMerchant } from './sandbox-merchant.ts';

let merchant: Merchant;
let folder: string;
let path: string;
let open: Sandbox[];

beforeEach(async () => {
  merchant = await startMerchant();
  folder = await mkdtemp(join(tmpdir(), 'seatline-books-'));
  path = join(folder, 'books.json');
  open = [];
});
afterEach(async () => {
  for (const sandbox of open) await sandbox.close();
  await merchant.close();
  await rm(folder, { recursive: true, force: true });
});

async function started(options: SandboxOptions = {}): Promise<Sandbox> {
  const { confirmUrl, webhookUrl } = merchant;
  const sandbox = await startSandbox({ confirmUrl, webhookUrl, books: path, ...options });
  open.push(sandbox);
  return sandbox;
}

async function restarted(before: Sandbox, options?: SandboxOptions): Promise<Sandbox> {
  await before.close();
  return started(options);
}

const order = (n: number, more = {}) => ({ merchantUid: `order-${n}`, amount: 1_000, ...more });

describe('after a restart', () => {
  it('every payment, webhook, cancellation and registered amount is as it was', async () => {
    const before = await started();
    const paid = await before.pay(order(1));
    await before.pay(order(2, { dialect: 'v2', buyer: 'decline' }));
    await before.pay(order(3, { test: true }));
    await before.idle();
    before.cancelInConsole(paid.paymentId, 400);
    await before.idle();
    const books = before.books();
    const after = await restarted(before);
    expect(after.books()).toEqual(books);
    expect(books.totals).toMatchObject({ attempts: 3, kept: 1_600 });
  });

  it('what was open goes on: a deposit, an approval, the rest of a refund, a window that stays shut', async () => {
    const before = await started();
    const account = await before.pay(order(1, { method: 'vbank' }));
    const vanished = await before.pay(order(2, { buyer: 'vanish' }));
    const paid = await before.pay(order(3));
    before.cancelInConsole(paid.paymentId, 400);
    const after = await restarted(before);
    expect(after.deposit(account.paymentId)).toMatchObject({ accepted: true });
    expect(after.approve(vanished.paymentId)).toBe(true);
    expect(after.cancelInConsole(paid.paymentId, 700)).toMatchObject({ why: 'amount_too_large' });
    expect(after.cancelInConsole(paid.paymentId)).toMatchObject({ cancelled: true });
    expect(await after.pay(order(3))).toMatchObject({ notOpened: 'already_paid' });
    expect(after.books().totals).toMatchObject({ paidAmount: 3_000, kept: 2_000 });
  });

  it('a cancellation that was only taken is carried out, and told', async () => {
    const before = await started();
    const cancels = { how: 'later' as const, lateMs: 60_000 };
    const paid = await before.pay(order(1, { cancels }));
    before.cancelInConsole(paid.paymentId);
    await before.close();
    merchant.webhooks.length = 0;
    const after = await started();
    expect(after.books().totals.kept).toBe(1_000);
    expect(after.finishCancellations(paid.paymentId)).toBe(1);
    expect(after.books().totals.kept).toBe(0);
    await until('the webhook', () => merchant.webhooks.length === 1);
  });

  it('the console sends an old webhook again, byte for byte, and nobody else does', async () => {
    merchant.onWebhook = () => ({ status: 500 });
    const before = await started();
    const { paymentId } = await before.pay(order(1, { form: true }));
    await until('it was sent', () => merchant.webhooks.length === 1);
    const after = await restarted(before, { v1Resend: true });
    await after.idle();
    expect(after.books().payments[0]?.webhooks).toMatchObject([{ fate: 'given_up' }]);
    expect(after.resendInConsole(paymentId)).toBe(true);
    await until('it was sent again', () => merchant.webhooks.length === 2);
    const [first, second] = merchant.webhooks;
    expect(second?.raw).toBe(first?.raw);
    expect(second?.headers['content-type']).toBe(first?.headers['content-type']);
  });

  it('no id is given out again, even with the same seed', async () => {
    const before = await started({ seed: 7 });
    const { paymentId } = await before.pay(order(1));
    const after = await restarted(before, { seed: 7 });
    const next = await after.pay(order(2));
    expect(next.paymentId).not.toBe(paymentId);
    expect(after.books().totals.attempts).toBe(2);
  });
});

describe('the file', () => {
  it('is written while the sandbox runs, for it may be killed, and whole or not at all', async () => {
    const sandbox = await started();
    const { paymentId } = await sandbox.pay(order(1));
    await until('the payment is in the file', async () =>
      (await readFile(path, 'utf8')).includes(`"${paymentId}"`),
    );
    expect(await readdir(folder)).toEqual(['books.json']);
  });

  it('that is something else is refused, and left as it is', async () => {
    for (const text of ['not ours', '{"version":2}', '{']) {
      await writeFile(path, text);
      await expect(started()).rejects.toBeInstanceOf(BooksUnreadable);
      expect(await readFile(path, 'utf8')).toBe(text);
    }
  });

  it('in a place that is not there is refused', async () => {
    await expect(started({ books: join(folder, 'none', 'books.json') })).rejects.toThrow(
      /cannot be written/,
    );
  });
});
