/** Starts a PortOne of one's own: the gateway's REST APIs, its confirms and its webhooks. */

import { randomInt } from 'node:crypto';
import Koa from 'koa';
import { approveById, dispute, failById, resendInConsole, resolveDispute } from './aftermath.ts';
import { authenticate } from './authenticate.ts';
import { booksOf } from './books.ts';
import { BooksFile } from './books-file.ts';
import { cancelInConsole, finishCancellations } from './cancel.ts';
import { checkoutPage } from './checkout/assets.ts';
import { controlApi } from './control.ts';
import { Courier } from './courier.ts';
import { deposit } from './decide.ts';
import { Faults } from './faults.ts';
import type { Gateway } from './gateway.ts';
import { helpText } from './help.ts';
import { Later } from './later.ts';
import { Ledger } from './ledger.ts';
import { Listener } from './listener.ts';
import { sendBillingKey, sendLoose } from './loose-webhook.ts';
import { Outgoing } from './outgoing.ts';
import { pay } from './pay.ts';
import { Ids } from './random.ts';
import type { RestMiddleware, RestState } from './rest.ts';
import { v1Api } from './rest-v1.ts';
import { v2Api } from './rest-v2.ts';
import { Signing } from './signing.ts';
import { Tokens } from './tokens.ts';
import type { PayOutcome, PayRequest, Sandbox, SandboxOptions } from './types.ts';

const CONFIRM_TIMEOUT_MS = 10_000;
const MAX_SOCKETS = 512;
const MAX_PAYMENTS = 200_000;
/** The most that `randomInt` draws from: of a million runs no two are likely to be alike. */
const SEEDS = 2 ** 48 - 1;

export const SANDBOX_V1 = { key: 'sandbox_key', secret: 'sandbox_secret' };
export const SANDBOX_V2 = {
  apiSecret: 'sandbox_api_secret',
  webhookSecret: 'whsec_c2FuZGJveC13ZWJob29rLXNlY3JldC0zMi1ieXRlcw==',
  nextWebhookSecret: 'whsec_dGhlLW5leHQtc2VjcmV0LW9mLXRoaXMtc2FuZGJveCE=',
};

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const box: { listener?: Listener } = {};
  const gateway = build(options, {
    plugIn: async () => box.listener?.plugIn(),
    unplug: async () => box.listener?.unplug(),
  });
  const listener = new Listener(
    application(gateway, () => listener.url, options.books),
    options.host ?? '127.0.0.1',
    options.port ?? 0,
  );
  box.listener = listener;
  const books = options.books === undefined ? null : new BooksFile(gateway, options.books);
  await listener.plugIn();
  try {
    books?.keep();
  } catch (error) {
    await listener.unplug();
    throw error;
  }
  const { url } = listener;
  return {
    url,
    v1Url: `${url}/v1`,
    v2Url: `${url}/v2`,
    seed: gateway.seed,
    credentials: gateway.credentials,
    faults: gateway.faults,
    pay: (request: PayRequest) => tracked(gateway, request),
    authenticate: (request) => authenticate(gateway, request),
    approve: (paymentId) => approveById(gateway, paymentId),
    fail: (paymentId, reason = '[PG] 결제가 승인되지 않았습니다.') =>
      failById(gateway, paymentId, reason),
    dispute: (paymentId, reason = '카드 명의자가 이의를 제기하였습니다.') =>
      dispute(gateway, paymentId, reason),
    resolveDispute: (paymentId) => resolveDispute(gateway, paymentId),
    resendInConsole: (paymentId, webhookId) => resendInConsole(gateway, paymentId, webhookId),
    deposit: (paymentId) => deposit(gateway, paymentId),
    cancelInConsole: (paymentId, amount, reason) =>
      cancelInConsole(gateway, paymentId, amount, reason),
    finishCancellations: (paymentId) => finishCancellations(gateway, paymentId),
    sendWebhook: (webhook) => sendLoose(gateway, webhook),
    sendBillingKey: (event, billingKey) => sendBillingKey(gateway, event, billingKey),
    signWith: (secrets) => gateway.signing.use(secrets),
    configure: (settings) => void Object.assign(gateway.settings, settings),
    books: (merchantUid) => booksOf(gateway.ledger, merchantUid),
    idle: () => gateway.later.idle(),
    close: async () => {
      gateway.faults.clear();
      gateway.later.stop();
      gateway.outgoing.close();
      await listener.unplug();
      books?.close();
    },
  };
}

/** idle waits for stories still being told; their failures belong to whoever called pay. */
function tracked(gateway: Gateway, request: PayRequest): Promise<PayOutcome> {
  const story = pay(gateway, request);
  gateway.later.track(story.catch(() => undefined));
  return story;
}

function build(
  options: SandboxOptions,
  plug: { plugIn(): Promise<void>; unplug(): Promise<void> },
): Gateway {
  const seed = options.seed ?? randomInt(SEEDS);
  const clock = options.clock ?? Date.now;
  const ids = new Ids(seed);
  const tokens = new Tokens(clock, ids);
  const later = new Later();
  const { forwardedFor } = options;
  const usual: Record<string, string> =
    forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  const outgoing = new Outgoing(options.maxSockets ?? MAX_SOCKETS, usual);
  const faults = new Faults(seed, () => tokens.expireAll(), plug);
  const credentials = { v1: options.v1 ?? SANDBOX_V1, v2: options.v2 ?? SANDBOX_V2 };
  const signing = new Signing(credentials.v2);
  const timeScale = options.timeScale ?? 1;
  const v1Resend = options.v1Resend ?? false;
  const parts = { seed, clock, ids, later, outgoing, faults, signing, timeScale, v1Resend };
  return {
    seed,
    clock,
    ids,
    tokens,
    later,
    outgoing,
    faults,
    credentials,
    signing,
    ledger: new Ledger(clock, ids, options.maxPayments ?? MAX_PAYMENTS),
    courier: new Courier(parts),
    confirmTimeoutMs: options.confirmTimeoutMs ?? CONFIRM_TIMEOUT_MS,
    settings: {
      confirmUrl: options.confirmUrl ?? null,
      webhookUrl: options.webhookUrl ?? null,
      webhookVersion: options.webhookVersion ?? '2024-04-25',
    },
  };
}

function application(
  gateway: Gateway,
  url: () => string,
  books: string | undefined,
): ReturnType<Koa['callback']> {
  const app = new Koa<RestState>();
  // A caller that went away in the middle of an answer is everyday life here.
  app.on('error', () => undefined);
  const v1 = v1Api(gateway);
  const v2 = v2Api(gateway);
  const control = controlApi(gateway, () => helpText(url(), gateway.credentials, books));
  const page = checkoutPage();
  const road: RestMiddleware = (ctx, next) => {
    ctx.state.dropped = false;
    if (ctx.path === '/' || ctx.path.startsWith('/sandbox')) {
      if (ctx.path === '/') ctx.path = '/sandbox';
      return control(ctx, next);
    }
    if (/^\/checkout(\/|$)/.test(ctx.path)) return page(ctx, next);
    const world = /^\/(v1|v2)(?=\/)/.exec(ctx.path)?.[1];
    if (world !== undefined) ctx.path = ctx.path.slice(3);
    return (world ?? guess(gateway, ctx.path, ctx.get('authorization'))) === 'v2'
      ? v2(ctx, next)
      : v1(ctx, next);
  };
  app.use(road);
  return app.callback();
}

/** V1 and V2 share paths but live on two hosts in truth; here the credentials tell them apart. */
function guess(gateway: Gateway, path: string, authorization: string): 'v1' | 'v2' {
  if (path === '/login/api-secret' || /^PortOne\b/.test(authorization)) return 'v2';
  return gateway.tokens.looksLikeV2(authorization.replace(/^Bearer\s+/i, '')) ? 'v2' : 'v1';
}
