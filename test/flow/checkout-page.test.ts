// The sandbox's checkout page in a real browser, against a real Seatline.

import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { becomes, books, seen } from '../support/buyer.ts';
import { until } from '../support/wait.ts';
import { type OrderView, openWorld, type World } from '../support/world.ts';

let world: World;
let browser: Browser;
const pages: Page[] = [];
/** Whatever the page's script stumbled over. */
const complaints: string[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  world = await openWorld({ carrier: 'postgres' });
});
afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.close()));
  expect(complaints.splice(0)).toEqual([]);
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

async function open(query: Record<string, string>, phone = false): Promise<Page> {
  const page = await browser.newPage({
    locale: 'en-US',
    viewport: phone ? { width: 360, height: 740 } : { width: 1_200, height: 900 },
  });
  pages.push(page);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(`${world.sandbox.url}/checkout?${new URLSearchParams(query)}`);
  return page;
}

/** As a shop links to it. */
const linkOf = (order: OrderView, more: Record<string, string> = {}) => ({
  merchantUid: order.merchantUid,
  amount: String(order.amount),
  confirmUrl: world.local(order.confirmUrl),
  webhookUrl: `${world.url}/webhook`,
  ...more,
});

const press = (page: Page, name: string) => page.getByRole('button', { name }).click();
const stands = (page: Page, text: string | RegExp) =>
  page.getByRole('status').filter({ hasText: text }).waitFor();
const steps = (page: Page) => page.locator('#timeline strong').allTextContents();

const focused = (page: Page) => page.locator(':focus').getAttribute('id');

/** Waits until PortOne's story has that step. */
const tells = (page: Page, step: string) =>
  page.locator('#timeline li').filter({ hasText: step }).first().waitFor();

test('pay: what PortOne asks and is answered is shown, and the order is sold', async () => {
  const event = await world.event(2);
  const order = await world.order(event);
  const page = await open(linkOf(order));
  await press(page, 'Pay 10,000 KRW');
  await stands(page, 'Paid: 10,000 KRW');
  await tells(page, 'Your server answers 200 · POST');
  expect(await steps(page)).toEqual([
    'The payment window opens',
    'May I charge?',
    'Your server answers 200 (confirmed)',
    'The PG approves',
    'Webhook “paid”',
  ]);
  await page.getByText('What was sent').first().click();
  expect(await page.locator('#timeline pre').first().textContent()).toContain(order.merchantUid);
  await becomes(world, order, 'paid');
  expect(await world.seats(event)).toMatchObject({ sold: 1, available: 1 });
});

test('declined: nothing is sold, and V1 tells nobody', async () => {
  const event = await world.event(1);
  const order = await world.order(event);
  const page = await open(linkOf(order));
  await page.getByLabel('Is declined').check();
  await press(page, 'Pay 10,000 KRW');
  await stands(page, 'Not paid: the PG declines, the limit is exceeded');
  await page.getByText('What the buyer reads').click();
  expect(await page.locator('#timeline pre').last().textContent()).toContain('거절');
  await world.sandbox.idle();
  expect(await steps(page)).not.toContain('Webhook “paid”');
  expect(await world.seats(event)).toMatchObject({ sold: 0, held: 1 });
  expect(books(world, order)[0]).toMatchObject({ state: 'failed', kept: 0, webhooks: [] });
});

test('refused by Seatline: the buyer reads why, and nothing is charged', async () => {
  const event = await world.event(0);
  const page = await open(linkOf(await world.order(event)));
  await press(page, 'Pay 10,000 KRW');
  await stands(page, /Your server refused\. Nothing was charged\./);
  await tells(page, 'Your server answers 409 (sold_out)');
});

test('a server that is away did not refuse: the page says so, and in the words of the page', async () => {
  const page = await open({
    merchantUid: 'order-nobody',
    amount: '1234567',
    confirmUrl: 'http://127.0.0.1:9/confirm',
  });
  await press(page, 'Pay 1,234,567 KRW');
  await stands(page, /^Your server could not be reached, or gave no answer\./);
  await tells(page, 'No answer from your server');
  const shown = await page.locator('#standing, #timeline strong, .step-detail').allTextContents();
  expect(shown.join('\n')).not.toMatch(/\p{Script=Hangul}/u);
});

test('failed, and paid all the same with a button; left open, and failed with one', async () => {
  const event = await world.event(2);
  const order = await world.order(event);
  const page = await open(linkOf(order));
  await page.getByLabel('Is declined').check();
  await press(page, 'Pay 10,000 KRW');
  await stands(page, /^Not paid/);
  await press(page, 'It is paid all the same');
  await stands(page, 'Paid: 10,000 KRW');
  await tells(page, 'The PG approves after all');
  await becomes(world, order, 'paid');
  const left = await open(linkOf(await world.order(event)));
  await left.getByLabel('Closes the window').check();
  await press(left, 'Pay 10,000 KRW');
  await stands(left, 'The window was left. The payment stays open.');
  await press(left, 'It fails');
  await stands(left, /^Not paid: the PG does not approve it/);
});

test('a virtual account: issued, then paid into with a button, then sold', async () => {
  const event = await world.event(1, { virtualAccounts: { policy: 'allow' } });
  const order = await world.order(event);
  const page = await open(linkOf(order, { dialect: 'v2-2024-04-25' }));
  await page.getByLabel('Virtual account').check();
  await press(page, 'Pay 10,000 KRW');
  await stands(page, /A virtual account was issued\. It waits for 10,000 KRW/);
  await becomes(world, order, 'held');
  await press(page, 'The buyer pays into the account');
  await stands(page, 'Paid: 10,000 KRW');
  await tells(page, 'Webhook “Transaction.Paid”');
  await becomes(world, order, 'paid');
});

test('afterwards: a part is cancelled, a webhook sent again, the rest cancelled', async () => {
  const event = await world.event(1);
  const order = await world.order(event);
  const page = await open(linkOf(order));
  await press(page, 'Pay 10,000 KRW');
  await becomes(world, order, 'paid');
  await page.getByLabel('Cancel a part').fill('20000');
  await press(page, 'Cancel this part');
  await page.getByRole('alert').filter({ hasText: 'That is more than is left.' }).waitFor();
  await page.getByLabel('Cancel a part').fill('3000');
  await press(page, 'Cancel this part');
  await stands(page, 'Cancelled in part: 3,000 KRW went back, 7,000 KRW is kept');
  await tells(page, 'Webhook “cancelled”');
  await tells(page, '3,000 KRW: in the console');
  const attempts = () =>
    books(world, order).flatMap(({ webhooks }) => webhooks.flatMap((one) => one.attempts)).length;
  const before = attempts();
  await press(page, 'Send the last webhook again');
  await until('the webhook is sent once more', () => attempts() === before + 1);
  await press(page, 'Cancel all of it');
  await stands(page, 'Cancelled in full: 10,000 KRW went back');
  await becomes(world, order, 'refunded');
});

test('a dispute is told by V2, and resolved', async () => {
  const order = await world.order(await world.event(1));
  const page = await open(linkOf(order, { dialect: 'v2-2024-04-25' }));
  await press(page, 'Pay 10,000 KRW');
  await press(page, 'The cardholder disputes it');
  await stands(page, /The cardholder disputes it/);
  await tells(page, 'Webhook “Transaction.DisputeCreated”');
  await press(page, 'The dispute is resolved');
  await tells(page, 'Webhook “Transaction.DisputeResolved”');
});

test('manual confirm: a token comes back, and nothing is charged until it is brought', async () => {
  const order = await world.order(await world.event(1));
  const page = await open(linkOf(order, { redirectUrl: 'http://shop.example/done' }));
  await page.getByLabel('V2 manual confirm').check();
  expect(await page.getByLabel('Asked before the charge').isVisible()).toBe(false);
  await press(page, 'Pay 10,000 KRW');
  await stands(page, /Nothing is charged until your server brings the token/);
  const command = await page.locator('#timeline pre').last().textContent();
  expect(command).toContain(`${world.url}/api/payments/${order.merchantUid}/confirm`);
  const back = new URL(
    (await page.getByText('Back to the shop').last().getAttribute('href')) ?? '',
  );
  expect(command).toContain(back.searchParams.get('paymentToken') ?? 'no token');
  expect(books(world, order)[0]).toMatchObject({ state: 'ready', confirms: [] });
  expect(await seen(world, order)).toMatchObject({ status: 'pending' });
  const charged = await world.call('POST', `/api/payments/${order.merchantUid}/confirm`, {
    paymentToken: back.searchParams.get('paymentToken'),
    txId: back.searchParams.get('txId'),
  });
  expect(charged).toMatchObject({ status: 200, body: { code: 'confirmed', paid: true } });
  await stands(page, 'Paid: 10,000 KRW');
});

test('left and paid late: it stays open, is held, and is sold in the end', async () => {
  const order = await world.order(await world.event(1));
  const page = await open(linkOf(order));
  await page.getByLabel('Pays late').check();
  await page.getByLabel('Seconds later').fill('2');
  await press(page, 'Pay 10,000 KRW');
  await stands(page, 'The window was left. The payment stays open.');
  await becomes(world, order, 'held');
  await stands(page, 'Paid: 10,000 KRW');
  await tells(page, 'The PG approves, late');
  await becomes(world, order, 'paid');
});

test('the way back to the shop says what PortOne says, in the words of each version', async () => {
  const event = await world.event(2);
  const wayBack = async (order: OrderView, more: Record<string, string>) => {
    const redirectUrl = 'http://shop.example/done?cart=7';
    const page = await open(linkOf(order, { ...more, redirectUrl }));
    await press(page, 'Pay 10,000 KRW');
    const link = page.locator('#returnLink');
    await link.waitFor();
    return new URL((await link.getAttribute('href')) ?? '').searchParams;
  };
  const first = await world.order(event);
  expect(Object.fromEntries(await wayBack(first, {}))).toMatchObject({
    cart: '7',
    imp_uid: books(world, first)[0]?.paymentId,
    merchant_uid: first.merchantUid,
    imp_success: 'true',
  });
  const second = await world.order(event);
  const failed = await wayBack(second, { dialect: 'v2-2024-01-01', buyer: 'decline' });
  expect(Object.fromEntries(failed)).toMatchObject({
    paymentId: second.merchantUid,
    txId: books(world, second)[0]?.paymentId,
    code: 'FAILURE_TYPE_PG',
  });
});

test('works with the keyboard alone, in Korean, on a phone', async () => {
  const order = await world.order(await world.event(1));
  const page = await open(linkOf(order, { lang: 'ko' }), true);
  expect(await page.locator('html').getAttribute('lang')).toBe('ko');
  const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
  expect(wide).toBeLessThanOrEqual(360);
  await page.getByLabel('승인이 거절된다').focus();
  await page.keyboard.press('ArrowUp');
  expect(await page.getByLabel('결제한다').first().isChecked()).toBe(true);
  await page.keyboard.press('Tab');
  expect(await focused(page)).toBe('submit');
  await page.keyboard.press('Enter');
  await stands(page, '결제 완료: 10,000원');
  await press(page, 'English');
  await stands(page, 'Paid: 10,000 KRW');
});

test('every field has a name, and every mistake a place', async () => {
  const page = await open({ amount: '-1', confirmUrl: 'ftp://nowhere' });
  const nameless = await page.evaluate<number>(
    "[...document.querySelectorAll('input')].filter((field) => !field.labels.length).length",
  );
  expect(nameless).toBe(0);
  await press(page, 'Pay');
  const faults = await page.locator('#errors li').allTextContents();
  expect(faults).toHaveLength(3);
  expect(await focused(page)).toBe('merchantUid');
  expect(await page.locator('[aria-invalid]').count()).toBe(3);
});

test('what is written into the link stays text', async () => {
  const order = await world.order(await world.event(0));
  const evil = '<img src=x onerror="document.title=1">';
  const page = await open(linkOf(order, { merchantUid: evil.slice(0, 40), orderName: evil }));
  await press(page, 'Pay 10,000 KRW');
  await stands(page, /refused/);
  expect(await page.locator('img').count()).toBe(0);
  expect(await page.title()).toBe('Sandbox checkout');
});

test('another site can neither frame the page nor move the sandbox', async () => {
  const { url } = world.sandbox;
  const page = await fetch(`${url}/checkout`);
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  const body = JSON.stringify({ dialect: 'v1', merchantUid: 'x', amount: 1, method: 'card' });
  const from = (origin: string) =>
    fetch(`${url}/sandbox/checkout`, { method: 'POST', headers: { origin }, body });
  expect((await from('http://elsewhere.example')).status).toBe(403);
  // From the page itself it is read, and found to lack what the buyer does.
  expect((await from(url)).status).toBe(400);
  expect((await fetch(`${url}/checkout/../server.ts`)).status).toBe(404);
  expect((await fetch(`${url}/checkout/assets.ts`)).status).toBe(404);
  expect((await fetch(`${url}/sandbox/checkout/imp_000000000000`)).status).toBe(404);
});
