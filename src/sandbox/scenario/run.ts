/** Plays one scenario to its end and says whether every expectation held. */

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { BookEntry } from '../book-types.ts';
import type { FaultInput, Faults } from '../faults.ts';
import type { SignWith } from '../signing.ts';
import type { LooseWebhook, Sandbox } from '../types.ts';
import { type Check, checksOf } from './checks.ts';
import type { Expectation } from './expectation.ts';
import { Trouble } from './organizer.ts';
import { organizerStep } from './organizer-steps.ts';
import type { Scenario, Step } from './schema.ts';
import { Stage, type StageOptions } from './stage.ts';
import type { WaitSaid } from './steps.ts';
import { Timeline, type TimelineEntry } from './timeline.ts';

export interface RunOptions extends StageOptions {
  onEntry?: (entry: TimelineEntry) => void;
}

export interface ScenarioResult {
  name: string;
  held: boolean;
  checks: Check[];
  /** Why it could not be played to its end. */
  trouble: string | null;
  timeline: TimelineEntry[];
  /** The gateway's books about the attempts of this scenario. */
  payments: BookEntry[];
}

const LOOK_MS = 50;
/** What holds must still hold after this: a refund that follows at once would undo it unseen. */
const STEADY_MS = 250;
/** Longer than this nobody sits and waits: the file lacks a timeScale. */
const WAIT_MAX_MS = 600_000;

export async function runScenario(
  scenario: Scenario,
  options: RunOptions,
): Promise<ScenarioResult> {
  const { sandbox } = options;
  const timeline = new Timeline(sandbox, options.onEntry ?? (() => undefined));
  const before = new Set(sandbox.books().payments.map(({ paymentId }) => paymentId));
  const checks: Check[] = [];
  let trouble: string | null = null;
  try {
    const player = new Player(new Stage(scenario, timeline, options), timeline, checks);
    await player.play(scenario);
  } catch (error) {
    trouble = troubleOf(error);
    timeline.say('trouble', null, trouble);
  } finally {
    sandbox.faults.clear();
    await sandbox.faults.plugIn();
    sandbox.signWith('old');
  }
  return {
    name: scenario.name,
    held: trouble === null && checks.every(({ held }) => held),
    checks,
    trouble,
    timeline: timeline.entries,
    payments: sandbox.books().payments.filter(({ paymentId }) => !before.has(paymentId)),
  };
}

function troubleOf(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  const expected =
    error instanceof Trouble || error instanceof TypeError || error instanceof RangeError;
  if (expected) return error.message;
  throw error;
}

const SWITCHES: { name: keyof Step; what: string; act(faults: Faults): void | Promise<void> }[] = [
  { name: 'mend', what: "the gateway's faults are mended", act: (faults) => faults.clear() },
  { name: 'expireTokens', what: 'every API token is void', act: (faults) => faults.expireTokens() },
  { name: 'unplug', what: "the gateway's API is away", act: (faults) => faults.unplug() },
  { name: 'plugIn', what: "the gateway's API is back", act: (faults) => faults.plugIn() },
];

interface AfterSaid {
  attempt?: string | undefined;
  refused?: true | undefined;
  reason?: string | undefined;
}

interface Aftermath {
  what: string;
  /** false: the gateway does not do it, for the payment is not such a one. */
  act(sandbox: Sandbox, paymentId: string, reason?: string): boolean;
}

const AFTERMATH: Record<'approve' | 'fail' | 'dispute' | 'resolveDispute' | 'resend', Aftermath> = {
  approve: { what: 'approved after all', act: (sandbox, id) => sandbox.approve(id) },
  fail: { what: 'not approved after all', act: (sandbox, id, why) => sandbox.fail(id, why) },
  dispute: {
    what: 'the cardholder disputes it with the bank',
    act: (sandbox, id, why) => sandbox.dispute(id, why),
  },
  resolveDispute: {
    what: 'the dispute is resolved',
    act: (sandbox, id) => sandbox.resolveDispute(id),
  },
  resend: {
    what: 'the console sends the latest webhook again',
    act: (sandbox, id) => sandbox.resendInConsole(id),
  },
};

class Player {
  readonly #stage: Stage;
  readonly #timeline: Timeline;
  readonly #checks: Check[];

  constructor(stage: Stage, timeline: Timeline, checks: Check[]) {
    this.#stage = stage;
    this.#timeline = timeline;
    this.#checks = checks;
  }

  async play(scenario: Scenario): Promise<void> {
    await this.#stage.setUp();
    for (const step of scenario.steps) {
      await this.#watched(this.#step(step, scenario));
    }
    await this.#watched(this.#quiet(scenario.expect.withinMs));
    await this.#watched(this.#expect(scenario.expect));
  }

  /** The books are read while the step goes on, so that its news come when they happen. */
  async #watched(work: Promise<unknown>): Promise<void> {
    const looking = setInterval(() => this.#timeline.harvest(), LOOK_MS);
    try {
      await work;
    } finally {
      clearInterval(looking);
      this.#timeline.harvest();
    }
  }

  async #step(step: Step, scenario: Scenario): Promise<void> {
    const { faults } = this.#stage.sandbox;
    const keep = (check: Check) => this.#keep(check);
    const hands = { stage: this.#stage, timeline: this.#timeline, keep };
    if (await organizerStep(hands, step, scenario)) return;
    if (step.pay !== undefined) return this.#stage.pay(step.pay, 'pay');
    if (step.authenticate !== undefined) return this.#stage.pay(step.authenticate, 'authenticate');
    if ('charge' in step) return this.#stage.charge(step.charge?.attempt);
    if (step.wait !== undefined) return this.#wait(step.wait);
    if (step.expect !== undefined) return this.#expect(step.expect);
    if (step.webhook !== undefined) return this.#webhook(step.webhook);
    if (step.faults !== undefined) return this.#break(step.faults);
    if (step.signWith !== undefined) return this.#rotate(step.signWith);
    if ('deposit' in step) return this.#deposit(step.deposit ?? {});
    if ('cancel' in step) return this.#cancel(step.cancel ?? {});
    for (const [name, { what, act }] of Object.entries(AFTERMATH)) {
      if (name in step)
        this.#aftermath(name, what, act, step[name as keyof typeof AFTERMATH] ?? {});
    }
    for (const { name, what, act } of SWITCHES) {
      if (!(name in step)) continue;
      await act(faults);
      this.#timeline.say('step', null, what);
    }
  }

  #break(said: NonNullable<Step['faults']>): void {
    this.#stage.sandbox.faults.set(said as FaultInput);
    this.#timeline.say('step', null, `faults: ${JSON.stringify(said)}`);
  }

  #rotate(secrets: SignWith): void {
    this.#stage.sandbox.signWith(secrets);
    const which =
      secrets === 'both' ? 'both webhook secrets' : `the ${secrets} webhook secret alone`;
    this.#timeline.say('step', null, `V2 is signed with ${which}`);
  }

  #deposit({ attempt, refused }: NonNullable<Step['deposit']>): void {
    const { name, outcome } = this.#stage.attempt(attempt);
    const done = this.#stage.sandbox.deposit(outcome.paymentId);
    const late = done.accepted && done.afterDue ? ', after the account was due' : '';
    this.#timeline.say('step', name, `the buyer pays into the virtual account${late}`);
    this.#accepted(name, 'deposit', refused, done.accepted ? null : done.why);
  }

  #cancel({ attempt, refused, amount, reason }: NonNullable<Step['cancel']>): void {
    const { name, outcome } = this.#stage.attempt(attempt);
    const much = amount === undefined ? 'all of it' : amount.toLocaleString('en-US');
    this.#timeline.say('step', name, `cancelled in the console: ${much}`);
    const done = this.#stage.sandbox.cancelInConsole(outcome.paymentId, amount, reason);
    this.#accepted(name, 'cancel', refused, done.cancelled ? null : done.why);
  }

  #aftermath(name: string, what: string, act: Aftermath['act'], said: AfterSaid): void {
    const { name: who, outcome } = this.#stage.attempt(said.attempt);
    this.#timeline.say('step', who, what);
    const done = act(this.#stage.sandbox, outcome.paymentId, said.reason);
    this.#accepted(who, name, said.refused && 'refused', done ? null : 'refused');
  }

  async #webhook({ answered, ...said }: NonNullable<Step['webhook']>): Promise<void> {
    const webhook = { ...this.#stage.webhookUrl(), ...said } as LooseWebhook;
    const answer = await this.#stage.sandbox.sendWebhook(webhook);
    const got = answer.status ?? answer.error ?? 'no answer';
    this.#timeline.say('webhook', null, `of the scenario's own making -> ${got}`);
    if (answered !== undefined) this.#check('webhook: answered', answered, got);
  }

  async #wait(said: WaitSaid): Promise<void> {
    if (said.ms !== undefined) return this.#pause(this.#stage.scaled(said.ms), `${said.ms} ms`);
    if (said.until === 'webhooks') {
      const quiet = await this.#quiet(said.withinMs);
      this.#timeline.say('wait', null, 'until no webhook is under way');
      if (!quiet) this.#check('webhooks', 'all delivered or given up', 'some still under way');
      return;
    }
    if (said.until === 'due') {
      const dueAtMs = this.#stage.dueAtMs(said.attempt);
      if (dueAtMs === null) throw new Trouble('wait: due, but there is no virtual account');
      return this.#pause(dueAtMs - Date.now() + 1, 'until the virtual account is due');
    }
    this.#timeline.say('wait', said.order ?? null, `until the order is ${said.status}`);
    const giveUpAtMs = Date.now() + said.withinMs;
    let seen = await this.#stage.order(said.order);
    while (seen.status !== said.status && Date.now() < giveUpAtMs) {
      await sleep(LOOK_MS);
      seen = await this.#stage.order(said.order);
    }
    if (seen.status !== said.status) {
      this.#check(`${said.order ?? 'order'}: status`, said.status, seen.status);
    }
  }

  async #pause(ms: number, what: string): Promise<void> {
    if (ms > WAIT_MAX_MS) {
      const minutes = Math.round(ms / 60_000);
      throw new Trouble(`${what} is ${minutes} minutes away: give the gateway a timeScale`);
    }
    this.#timeline.say('wait', null, what);
    await sleep(Math.max(0, ms));
  }

  /** True once no payment, late payment, webhook or retry is outstanding. */
  async #quiet(withinMs: number): Promise<boolean> {
    const timer = new AbortController();
    const quiet = this.#stage.sandbox.idle().then(() => true);
    const late = sleep(withinMs, false, { signal: timer.signal }).catch(() => false);
    const first = await Promise.race([quiet, late]);
    timer.abort();
    return first;
  }

  /** Looks until all holds, and still does a little later; the last look counts. */
  async #expect(said: Expectation): Promise<void> {
    const giveUpAtMs = Date.now() + said.withinMs;
    let checks = await checksOf(said, this.#stage);
    for (let steady = false; !steady; ) {
      const held = checks.every((check) => check.held);
      if (!held && Date.now() >= giveUpAtMs) break;
      await sleep(held ? STEADY_MS : LOOK_MS);
      checks = await checksOf(said, this.#stage);
      steady = held && checks.every((check) => check.held);
    }
    this.#timeline.harvest();
    for (const check of checks) this.#keep(check);
  }

  #accepted(who: string, what: string, expected: string | undefined, found: string | null): void {
    if (expected === undefined && found === null) return;
    this.#check(`${who}: ${what}`, expected ?? 'accepted', found ?? 'accepted');
  }

  #check(what: string, expected: unknown, found: unknown): void {
    const [wanted, got] = [String(expected), String(found)];
    this.#keep({ what, expected: wanted, found: got, held: wanted === got });
  }

  #keep(check: Check): void {
    this.#checks.push(check);
    const found = check.held ? '' : `, found ${check.found}`;
    this.#timeline.say('check', null, `${check.what} = ${check.expected}${found}`, check.held);
  }
}
