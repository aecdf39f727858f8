/** Where a scenario is played: its orders, the attempts made so far, and whom to ask about them. */

import { randomBytes } from 'node:crypto';
import { NOT_ASKED } from '../confirm-call.ts';
import type { PayOutcome, PayRequest, Sandbox } from '../types.ts';
import { type Attempt, requestOf, scaledIn } from './attempt.ts';
import type { AttemptFacts, Facts, Money } from './checks.ts';
import { nameOfAttempt, ordersOf, THE_ORDER } from './meaning.ts';
import { type Audit, type EventSeen, type OrderSeen, Organizer, Trouble } from './organizer.ts';
import type { Scenario } from './schema.ts';
import { money, type Timeline, wordsOfCharge } from './timeline.ts';

export interface StageOptions {
  sandbox: Sandbox;
  /** Where `apiKeyFromEnv` looks. */
  env: Record<string, string | undefined>;
  /** Instead of the file's. */
  seatlineUrl?: string | undefined;
}

export interface StagedOrder {
  name: string;
  merchantUid: string;
  amount: number;
  currency: string;
  /** Absent: the console's. */
  confirmUrl?: string | null | undefined;
  webhookUrl?: string | null | undefined;
}

interface Made {
  name: string;
  order: StagedOrder;
  outcome: PayOutcome;
  dueInMs: number;
  /** Of a manual confirm, until it is brought to Seatline. */
  paymentToken: string | null;
}

type Way = 'pay' | 'authenticate';

const DAY_MS = 86_400_000;

export class Stage implements Facts {
  readonly sandbox: Sandbox;
  readonly #scenario: Scenario;
  readonly #timeline: Timeline;
  readonly #run = `${Date.now().toString(36)}${randomBytes(3).toString('hex')}`;
  readonly #organizer: Organizer | null;
  readonly #orders = new Map<string, StagedOrder>();
  readonly #made: Made[] = [];
  #written = 0;

  constructor(scenario: Scenario, timeline: Timeline, options: StageOptions) {
    this.#scenario = scenario;
    this.#timeline = timeline;
    this.sandbox = options.sandbox;
    const { seatline } = scenario;
    const said = seatline && { ...seatline, url: options.seatlineUrl ?? seatline.url };
    this.#organizer = said
      ? new Organizer(said, keyOf(said.apiKeyFromEnv, options.env), this.#run)
      : null;
  }

  /** Milliseconds of the file as they are here. */
  scaled(ms: number): number {
    return ms / this.#scenario.gateway.timeScale;
  }

  async setUp(): Promise<void> {
    await this.#organizer?.makeEvent();
    for (const [name, said] of Object.entries(ordersOf(this.#scenario))) {
      const merchantUid = said.merchantUid ?? `scn-${this.#run}-${this.#orders.size + 1}`;
      const order: StagedOrder =
        this.#organizer === null
          ? {
              ...this.#scenario.server,
              name,
              merchantUid,
              amount: said.amount ?? 0,
              currency: 'KRW',
            }
          : { ...(await this.#organizer.register(name, merchantUid, said)), name };
      this.#orders.set(name, order);
      const from = this.#organizer === null ? '' : `, registered for event ${this.#organizer.slug}`;
      const what = `${merchantUid}: ${money(order.amount, order.currency)}${from}`;
      this.#timeline.say('order', name === THE_ORDER ? null : name, what);
    }
  }

  /** Those of one list are made at once. */
  async pay(attempts: readonly Attempt[], way: Way): Promise<void> {
    const known = [...this.#made];
    const making = attempts.map((said) => {
      this.#written += 1;
      return this.#attempt(said, nameOfAttempt(said.as, this.#written), known, way);
    });
    this.#made.push(...(await Promise.all(making)));
  }

  async #attempt(said: Attempt, name: string, known: Made[], way: Way): Promise<Made> {
    const before = known.find((made) => made.name === said.again);
    const order = this.orderOf(said.order ?? before?.order.name);
    const request = {
      dialect: this.#scenario.dialect,
      amount: order.amount,
      currency: order.currency,
      ...urlsOf(order),
      ...scaledIn(requestOf(said), (ms) => this.scaled(ms)),
      merchantUid: order.merchantUid,
      ...(before === undefined ? {} : { paymentId: before.outcome.paymentId }),
    } as PayRequest;
    this.#timeline.say('pay', name, wordsOfAttempt(request, order, way, before !== undefined));
    const { outcome, paymentToken } = await this.#make(request, way);
    this.#timeline.follow(outcome.paymentId, name);
    if (outcome.notOpened !== null) {
      this.#timeline.say('payment', name, `the payment window does not open: ${outcome.notOpened}`);
    }
    return { name, order, outcome, paymentToken, dueInMs: request.dueInMs ?? DAY_MS };
  }

  async #make(
    request: PayRequest,
    way: Way,
  ): Promise<{ outcome: PayOutcome; paymentToken: string | null }> {
    if (way === 'pay') return { outcome: await this.sandbox.pay(request), paymentToken: null };
    const { paymentToken, paymentId, merchantUid, notOpened } =
      await this.sandbox.authenticate(request);
    const outcome: PayOutcome = {
      paymentId,
      merchantUid,
      notOpened,
      confirm: NOT_ASKED,
      confirms: [],
      state: notOpened === null ? 'ready' : 'failed',
      errorMessage: null,
      webhooksSent: 0,
    };
    return { outcome, paymentToken };
  }

  /** The organizer's half of a manual confirm; its answer stands for that of a confirm. */
  async charge(name?: string): Promise<void> {
    const made = this.#find(name);
    const { order, paymentToken, outcome } = made;
    if (paymentToken === null) {
      throw new Trouble(
        `charge: ${made.name} was not authenticated: it needs an authenticate step`,
      );
    }
    const { amount } = order;
    const body = { paymentToken, txId: outcome.paymentId, amount };
    const answer = await this.seatline().charge(order.merchantUid, body);
    outcome.confirm = { ...NOT_ASKED, ...answer, asked: true };
    outcome.confirms.push(outcome.confirm);
    this.#timeline.say('confirm', made.name, wordsOfCharge(outcome.confirm));
  }

  /** Where webhooks of the scenario's own making go, unless they or the console name a place. */
  webhookUrl(): { url?: string } {
    const url = this.orderOf(undefined).webhookUrl;
    return typeof url === 'string' ? { url } : {};
  }

  /** When the virtual account of that attempt is due, or null if it has none. */
  dueAtMs(name?: string): number | null {
    const { entry } = this.attempt(name);
    const made = this.#find(name);
    const issued = entry?.history.find(({ why }) => why === 'virtual account issued');
    return issued === undefined ? null : issued.atMs + made.dueInMs;
  }

  attempt(name?: string): AttemptFacts {
    const made = this.#find(name);
    const { outcome } = made;
    const { payments } = this.sandbox.books();
    const entry = payments.find(({ paymentId }) => paymentId === outcome.paymentId) ?? null;
    return { name: made.name, outcome, entry };
  }

  order(name?: string): Promise<OrderSeen> {
    return this.seatline().order(this.orderOf(name).merchantUid);
  }

  event(): Promise<EventSeen> {
    return this.seatline().event();
  }

  eventRefunds(): Promise<string[]> {
    return this.seatline().refunds();
  }

  eventCases(): Promise<string[]> {
    return this.seatline().cases();
  }

  audit(): Promise<Audit> {
    return this.seatline().audit();
  }

  money(): Money {
    const sum = { paid: 0, cancelled: 0, kept: 0 };
    for (const { merchantUid } of this.#orders.values()) {
      const { totals } = this.sandbox.books(merchantUid);
      sum.paid += totals.paidAmount;
      sum.cancelled += totals.cancelledAmount;
      sum.kept += totals.kept;
    }
    return sum;
  }

  #find(name: string | undefined): Made {
    const made = name === undefined ? this.#made.at(-1) : this.#made.find((m) => m.name === name);
    if (made === undefined) throw new Trouble(`there is no attempt ${name ?? ''}`);
    return made;
  }

  orderOf(name: string | undefined): StagedOrder {
    const order = this.#orders.get(name ?? [...this.#orders.keys()][0] ?? '');
    if (order === undefined) throw new Trouble(`there is no order ${name ?? ''}`);
    return order;
  }

  seatline(): Organizer {
    if (this.#organizer === null) throw new Trouble('the scenario names no seatline');
    return this.#organizer;
  }
}

function keyOf(variable: string, env: StageOptions['env']): string {
  const key = env[variable];
  if (key === undefined || key === '') {
    throw new Trouble(`${variable} is not set: export the API key that Seatline was started with`);
  }
  return key;
}

function urlsOf({ confirmUrl, webhookUrl }: StagedOrder): Partial<PayRequest> {
  return {
    ...(confirmUrl === undefined ? {} : { confirmUrl }),
    ...(webhookUrl === undefined ? {} : { webhookUrl }),
  };
}

const BUYERS: Record<string, string> = {
  pay: 'the buyer pays',
  decline: 'the buyer pays, the PG will decline',
  vanish: 'the buyer closes the window after the confirm',
  hang_up: 'the gateway hangs up in the middle of the confirm',
  repeat: 'the confirm is asked more than once',
  pay_late: 'the buyer pays late',
  fail_late: 'not approved after all',
  fail_then_paid: 'recorded as failed first, paid all the same later',
};

function wordsOfAttempt(request: PayRequest, order: StagedOrder, how: Way, again: boolean): string {
  const { dialect, method = 'card', buyer = 'pay', amount, currency = 'KRW' } = request;
  const of = order.name === THE_ORDER ? '' : ` for ${order.name}`;
  const story = again ? 'the same payment asks again' : (BUYERS[buyer] ?? buyer);
  const webhooks = request.webhooks?.mode;
  const way = webhooks === undefined || webhooks === 'normal' ? '' : `; webhooks ${webhooks}`;
  if (how === 'authenticate') {
    return `${dialect}, ${method}, ${money(amount, currency)}${of}: the buyer authenticates, nothing is charged yet`;
  }
  return `${dialect}, ${method}, ${money(amount, currency)}${of}: ${story}${way}`;
}
