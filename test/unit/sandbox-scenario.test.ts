/** Scenario files: what is wrong is named with its line, and what was written is what happens. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/root.ts';
import { payFields } from '../../src/sandbox/pay-request.ts';
import { expectation } from '../../src/sandbox/scenario/expectation.ts';
import { FILE_CHARS_MAX, loadScenario, wordsOfFault } from '../../src/sandbox/scenario/load.ts';
import { lineOf } from '../../src/sandbox/scenario/print.ts';
import { scenarioReference } from '../../src/sandbox/scenario/reference.ts';
import { runScenario, type ScenarioResult } from '../../src/sandbox/scenario/run.ts';
import { scenarioShape } from '../../src/sandbox/scenario/schema.ts';
import { STEP_NAMES } from '../../src/sandbox/scenario/steps.ts';
import { SANDBOX_V2, startSandbox } from '../../src/sandbox/server.ts';
import type { Sandbox } from '../../src/sandbox/types.ts';
import { type Merchant, startMerchant } from './sandbox-merchant.ts';

const EXAMPLES = join(projectRoot, 'src', 'sandbox', 'scenarios');

/** The faults of a file as a person reads them. */
function faults(text: string): string[] {
  const loaded = loadScenario('it.yaml', text);
  return loaded.ok ? [] : loaded.faults.map(wordsOfFault);
}

/** A file that is right but for what is put in. */
const file = (steps: string, expected = 'attempt: { state: paid }', opponent = OWN) =>
  `name: N\nabout: A\n${opponent}\nsteps:\n${steps}\nexpect: { ${expected} }\n`;
const OWN = 'order: { amount: 30000 }';
const SEATLINE = 'seatline: { url: http://localhost:8080, apiKeyFromEnv: KEY }';

describe('a file', () => {
  it('of the examples is right, and there are at least ten', () => {
    const names = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'));
    expect(names.length).toBeGreaterThanOrEqual(10);
    const wrong = names.flatMap((name) => faults(readFileSync(join(EXAMPLES, name), 'utf8')));
    expect(wrong).toEqual([]);
  });

  it('may write one attempt singly, or several to be made at once', () => {
    expect(faults(file('  - pay: {}'))).toEqual([]);
    expect(faults(file('  - pay: [{ as: a }, { as: b }]'))).toEqual([]);
    expect(faults(file('  - pay: {}\n  - deposit\n  - cancel:'))).toEqual([]);
  });

  it.each([
    ['an unknown step', '  - pay: {}\n  - depositt', 'it.yaml:6: steps[1].depositt: there is no'],
    ['an unknown field', '  - pay: { colour: red }', 'it.yaml:5: steps[0].pay.colour: there is no'],
    ['a wrong choice', '  - pay:\n      buyer: payy', 'it.yaml:6: steps[0].pay.buyer: must be one'],
    [
      'a wrong kind',
      '  - pay: { lateMs: soon }',
      'it.yaml:5: steps[0].pay.lateMs: must be a number',
    ],
    [
      'a wrong fault',
      '  - faults: { rest: [{ kind: x }] }\n  - pay: {}',
      'it.yaml:5: steps[0].faults',
    ],
    ['two steps to a dash', '  - pay: {}\n    mend:', 'it.yaml:5: steps[0]: one step to a dash'],
    [
      'what the gateway refuses',
      '  - pay: { dialect: v2, form: true }',
      'it.yaml:5: steps[0].pay.form:',
    ],
    ['an id of a payment', '  - pay: { paymentId: x }', 'it.yaml:5: steps[0].pay.paymentId:'],
    [
      'a name used twice',
      '  - pay: { as: a }\n  - pay: { as: a }',
      'it.yaml:6: steps[1].pay.as: "a" is',
    ],
    [
      'an unknown attempt',
      '  - pay: {}\n  - cancel: { attempt: x }',
      'there is no attempt "x"; there is',
    ],
    [
      'nobody has paid',
      '  - deposit\n  - pay: {}',
      'it.yaml:5: steps[0].deposit: nobody has paid yet',
    ],
    [
      'waiting for two',
      '  - pay: {}\n  - wait: { ms: 1, status: paid }',
      'steps[1].wait: wait for one',
    ],
    [
      'a rotation to nowhere',
      '  - pay: {}\n  - signWith: newest',
      'it.yaml:6: steps[1].signWith: must be one of',
    ],
    [
      'a header that is none',
      '  - webhook: { body: {}, forwardedFor: "1.1.1.1\\n" }\n  - pay: {}',
      'it.yaml:5: steps[0].webhook.forwardedFor: addresses joined by commas',
    ],
    ['an unknown order', '  - pay: { order: x }', 'there is no order "x"; there is: order'],
    ['manual confirm on V1', '  - authenticate: {}', 'V1 knows no manual confirm'],
    ['a text for a map', '  - pay: now', 'steps[0].pay: must be a map, not a text'],
    [
      'an unknown wait',
      '  - pay: {}\n  - wait: soon',
      'steps[1].wait.until: webhooks, due, the status',
    ],
    [
      'a refund without Seatline',
      '  - refund',
      'steps[0].refund: only Seatline has a known address',
    ],
    ['a forgery without a URL', '  - forgedConfirm', 'steps[0].forgedConfirm: to which URL? Give'],
  ])('with %s is told so, with the line', (_, steps, told) => {
    const found = faults(file(steps));
    expect(found.filter((line) => line.includes(told))).toHaveLength(1);
  });

  it('says whom it plays against, in one way', () => {
    const steps = '  - pay: {}';
    expect(faults(file(steps, 'order: { status: paid }'))[0]).toMatch(/it.yaml:6: .*give seatline/);
    expect(faults(file(steps, undefined, 'order: {}'))[0]).toMatch(/it.yaml:3: order: missing/);
    const both = `${SEATLINE}\nserver: { confirmUrl: http://localhost:1 }`;
    expect(faults(file(steps, undefined, both))[0]).toMatch(/:4: server: give either/);
    expect(faults(file(steps, undefined, `${SEATLINE}\n${OWN}`))[0]).toMatch(/:4: order.amount/);
    expect(faults(file(steps, undefined, SEATLINE))).toEqual([]);
  });

  it('may name an attempt, an order or a wait without a map around it', () => {
    const said = (steps: string) => {
      const text = file(steps, 'order: { status: paid }', SEATLINE);
      const loaded = loadScenario('it.yaml', text);
      return loaded.ok ? loaded.scenario.steps : loaded.faults.map(wordsOfFault);
    };
    const steps =
      '  - pay: { as: mum }\n  - deposit: mum\n  - cancel: mum\n  - wait: 500\n  - wait: paid';
    expect(said(`${steps}\n  - refund: order\n  - release`).slice(1)).toMatchObject([
      { deposit: { attempt: 'mum' } },
      { cancel: { attempt: 'mum' } },
      { wait: { ms: 500 } },
      { wait: { status: 'paid' } },
      { refund: { order: 'order' } },
      { release: null },
    ]);
    expect(said('  - pay: {}\n  - deposit: dad')).toEqual([
      'it.yaml:6: steps[1].deposit: there is no attempt "dad"; there is: attempt-1',
    ]);
  });

  it('charges only what was authenticated', () => {
    const v2 = `${SEATLINE}\ndialect: v2`;
    const expected = 'order: { status: paid }';
    const good = '  - pay: { as: a }\n  - authenticate: { as: b }\n  - charge';
    expect(faults(file(good, expected, v2))).toEqual([]);
    expect(faults(file(good.replace('charge', 'charge: a'), expected, v2))).toEqual([
      'it.yaml:8: steps[2].charge: "a" has no token: it needs an authenticate step instead of pay',
    ]);
  });

  it('may expect how many refunds and cases, or which, and money without a Seatline', () => {
    const pay = '  - pay: {}';
    const both = 'order: { refunds: [done], cases: 0 }, event: { refunds: 1, cases: [dispute] }';
    expect(faults(file(pay, `${both}, audit: clean`, SEATLINE))).toEqual([]);
    expect(faults(file(pay, 'money: { paid: 1, kept: 0 }'))).toEqual([]);
    expect(faults(file(pay, 'order: { refunds: [gone] }', SEATLINE))[0]).toMatch(
      /how many, or which/,
    );
    expect(faults(file(pay, 'audit: clean'))[0]).toMatch(/expect.audit: only Seatline/);
  });

  it('is held to the dialect that it names for all, not only to one that an attempt names', () => {
    const v2 = `${OWN}\ndialect: v2`;
    expect(faults(file('  - pay: { as: a }\n  - pay:\n      form: true', undefined, v2))).toEqual([
      'it.yaml:8: steps[1].pay.form: 2024-04-25 is JSON only: form does not apply',
    ]);
    const form = '  - pay: { dialect: v2-2024-01-01, form: true }';
    expect(faults(file(form, undefined, v2))).toEqual([]);
  });

  it('is held to its own ids: what V1 has no room for is told once, where the order is', () => {
    const order = `order: { amount: 1, merchantUid: ${'a'.repeat(41)} }`;
    const twice = '  - pay: {}\n  - pay: {}';
    expect(faults(file(twice, undefined, order))).toEqual([
      'it.yaml:3: order.merchantUid: V1 allows 40 characters',
    ]);
    expect(faults(file(twice, undefined, `${order}\ndialect: v2`))).toEqual([]);
  });

  it('is held to its pauses as they are played, longer with a small timeScale', () => {
    const slow = `${OWN}\ngateway: { timeScale: 0.001 }`;
    expect(faults(file('  - pay: { lateMs: 100000 }', undefined, slow))[0]).toMatch(
      /^it.yaml:6: steps\[0\].pay.lateMs: /,
    );
  });

  it('that is no YAML, repeats a key, is too long or multiplies itself is refused', () => {
    expect(faults('name: [')[0]).toMatch(/^it.yaml:1: not YAML/);
    expect(faults('name: a\nname: b')[0]).toMatch(/^it.yaml:2: not YAML/);
    expect(faults('a'.repeat(FILE_CHARS_MAX + 1))[0]).toMatch(/longer than/);
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [one, two] of ['ab', 'bc', 'cd', 'de', 'ef'].map((pair) => [...pair])) {
      bomb.push(`${two}: &${two} [${Array(9).fill(`*${one}`).join(', ')}]`);
    }
    expect(faults(bomb.join('\n'))[0]).toMatch(/^it.yaml:1: .*alias/i);
  });

  it('that is empty is told what is missing, not thrown at', () => {
    expect(faults('').join('\n')).toMatch(/name: missing/);
    expect(faults('just words').length).toBeGreaterThan(0);
  });
});

describe('the reference', () => {
  const reference = scenarioReference();
  const names = (schema: { shape: object }) => Object.keys(schema.shape);
  const missing = (all: string[], text: string, around: (name: string) => string) =>
    all.filter((name) => !text.includes(around(name)));
  const asField = (name: string) => `\n  ${name} `;

  it('names every field of the file, every step, all of an attempt and of what is expected', () => {
    const said = names(payFields).filter((name) => !['merchantUid', 'paymentId'].includes(name));
    const all = [...names(scenarioShape), ...STEP_NAMES, ...said, ...names(expectation), 'again'];
    expect(missing(all, reference, asField)).toEqual([]);
    expect(missing(['merchantUid', 'paymentId'], reference, asField)).toHaveLength(2);
    expect(reference).toMatch(/\n {4}verdict +text +the code it must be answered with\n/);
  });

  it('stands in the README in short: every step, and every thing that may be expected', () => {
    const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
    const section = /\n## The sandbox\n[\s\S]*?\n## /.exec(readme)?.[0] ?? '';
    expect(section).toContain('--help scenario');
    const expected = names(expectation);
    expect(missing([...STEP_NAMES, ...expected], section, (name) => `\`${name}\``)).toEqual([]);
  });
});

describe('a run', () => {
  let merchant: Merchant;
  let sandbox: Sandbox;

  beforeEach(async () => {
    merchant = await startMerchant();
    sandbox = await startSandbox({
      seed: 7,
      confirmUrl: merchant.confirmUrl,
      webhookUrl: merchant.webhookUrl,
    });
  });
  afterEach(async () => {
    await sandbox.close();
    await merchant.close();
  });

  async function run(text: string, env: Record<string, string> = {}): Promise<ScenarioResult> {
    const loaded = loadScenario('it.yaml', text);
    if (!loaded.ok) throw new Error(loaded.faults.map(wordsOfFault).join('\n'));
    return runScenario(loaded.scenario, { sandbox, env });
  }

  it('pays as written, and holds when all came true', async () => {
    const result = await run(
      file('  - pay: { as: kim, webhooks: { mode: repeated, times: 2 } }', ALL_OF_KIM),
    );
    expect(result.checks.filter((check) => !check.held)).toEqual([]);
    expect(result).toMatchObject({ held: true, trouble: null });
    expect(result.checks).toHaveLength(5);
    expect(merchant.confirms).toHaveLength(1);
    expect(merchant.webhooks).toHaveLength(2);
  });

  const ALL_OF_KIM =
    'attempts: { kim: { confirm: 200, verdict: confirmed, state: paid, kept: 30000, webhooks: [paid, paid] } }';

  it('says what it found instead', async () => {
    merchant.onConfirm = () => ({ status: 409, body: { code: 'sold_out' } });
    const expected = 'withinMs: 0, attempt: { confirm: 200, verdict: confirmed, state: paid }';
    const result = await run(file('  - pay: {}', expected));
    expect(result.held).toBe(false);
    expect(result.checks.map(({ expected, found }) => [expected, found])).toEqual([
      ['200', '409'],
      ['confirmed', 'sold_out'],
      ['paid', 'failed'],
    ]);
    const wrong = result.timeline.filter(({ held }) => held === false).map(lineOf);
    expect(wrong[0]).toMatch(/check .* WRONG attempt-1: confirm = 200, found 409$/);
  });

  it('waits for what takes time, and not longer', async () => {
    const steps = '  - pay: { buyer: fail_then_paid, lateMs: 60000 }';
    const gateway = 'gateway: { timeScale: 600 }';
    const result = await run(file(steps, 'attempt: { state: paid }', `${OWN}\n${gateway}`));
    expect(result.held).toBe(true);
    const states = result.payments[0]?.history.map(({ state }) => state);
    expect(states).toEqual(['ready', 'failed', 'paid']);
  });

  it('takes it amiss when what came true does not stay so', async () => {
    // Refunded by somebody a moment after it was paid.
    merchant.onWebhook = () => {
      const [payment] = sandbox.books().payments;
      if (payment?.state === 'paid') {
        setTimeout(() => sandbox.cancelInConsole(payment.paymentId), 50);
      }
      return {};
    };
    const expected = 'withinMs: 0, attempt: { kept: 30000 }';
    const result = await run(file('  - pay: {}', expected));
    expect(result).toMatchObject({ held: false, checks: [{ expected: '30,000', found: '0' }] });
  });

  it('adds up the money of all orders, those of a paid attempt that nobody asked about too', async () => {
    const orders = 'orders: { kim: { amount: 100 }, lee: { amount: 20 } }';
    const steps = '  - pay: [{ order: kim, as: kim }, { order: lee, as: lee }]\n  - cancel: lee';
    const money = 'withinMs: 0, money: { paid: 120, cancelled: 20, kept: 120 }';
    const result = await run(file(steps, money, orders));
    expect(result.checks.map(({ what, found, held }) => [what, found, held])).toEqual([
      ['all orders: money paid', '120', true],
      ['all orders: money cancelled', '20', true],
      ['all orders: money kept', '100', false],
    ]);
  });

  it('forges a confirm of a payment that the gateway does not know, in the words of the dialect', async () => {
    merchant.onConfirm = () => ({ status: 403, body: { code: 'forbidden' } });
    const opponent = `order: { amount: 30000 }\nserver: { confirmUrl: "${merchant.confirmUrl}" }`;
    const steps = '  - forgedConfirm: { answered: 403, verdict: forbidden }';
    for (const [dialect, word] of [
      ['v1', 'imp_uid'],
      ['v2', 'Transaction.Confirm'],
    ]) {
      const text = file(steps, 'money: { paid: 0 }', `${opponent}\ndialect: ${dialect}`);
      expect(await run(text)).toMatchObject({ held: true, payments: [] });
      expect(merchant.confirms.at(-1)?.raw).toContain(word);
      expect(merchant.confirms.at(-1)?.headers).not.toHaveProperty('webhook-signature');
    }
  });

  it('deposits after the due date, and cancels in part and then too much', async () => {
    const steps = [
      '  - pay: { method: vbank, dueInMs: 50 }',
      '  - wait: due',
      '  - deposit',
      '  - deposit: { refused: already_deposited }',
      '  - cancel: { amount: 10000 }',
      '  - cancel: { amount: 25000, refused: amount_too_large }',
    ].join('\n');
    const result = await run(file(steps, 'attempt: { kept: 20000, cancelled: 10000 }'));
    expect(result.checks.filter((check) => !check.held)).toEqual([]);
    expect(result.timeline.map(({ what }) => what)).toContain(
      'the buyer pays into the virtual account, after the account was due',
    );
  });

  it('counts a refusal that nobody expected, and one that did not come, as failures', async () => {
    const refused = await run(file('  - pay: {}\n  - deposit'));
    expect(refused).toMatchObject({ held: false, checks: [{ found: 'no_account' }, {}] });
    const accepted = await run(
      file('  - pay: {}\n  - cancel: { refused: not_paid }', 'attempt: { kept: 0 }'),
    );
    expect(accepted).toMatchObject({ held: false, checks: [{ found: 'accepted' }, {}] });
  });

  it('repeats a confirm, tells a forged webhook, and sends one again', async () => {
    const steps = [
      '  - pay: { as: one }',
      '  - pay: { as: again, again: one, amount: 1 }',
      '  - webhook: { body: { imp_uid: x, merchant_uid: y, status: paid }, answered: 200 }',
      '  - resend: { attempt: one }',
    ].join('\n');
    const result = await run(
      file(steps, 'attempts: { one: { state: paid }, again: { confirm: 200 } }'),
    );
    expect(result.held).toBe(true);
    const ids = merchant.confirms.map(({ raw }) => JSON.parse(raw).imp_uid);
    expect(ids[0]).toBe(ids[1]);
    expect(merchant.webhooks).toHaveLength(3);
  });

  it('mends every fault when it is over, even one that it did not mend', async () => {
    const steps = '  - unplug\n  - faults: { webhooksSilenced: true }\n  - pay: {}';
    const result = await run(file(steps, 'attempt: { state: paid, webhooks: [] }'));
    expect(result.held).toBe(true);
    expect(sandbox.faults.state()).toMatchObject({ webhooksSilenced: false });
    expect((await fetch(`${sandbox.url}/sandbox/books`)).status).toBe(200);
  });

  it('rotates the webhook secret as written, and leaves the next story the old one', async () => {
    const steps = [
      '  - signWith: new',
      '  - webhook: { body: { type: BillingKey.Ready }, signature: good, answered: 200 }',
    ].join('\n');
    const result = await run(file(steps, 'money: { paid: 0 }'));
    expect(result.held).toBe(true);
    expect(result.timeline.map(({ what }) => what)).toContain(
      'V2 is signed with the new webhook secret alone',
    );
    await sandbox.sendWebhook({ body: { type: 'BillingKey.Ready' }, signature: 'good' });
    for (const [n, secret] of [SANDBOX_V2.nextWebhookSecret, SANDBOX_V2.webhookSecret].entries()) {
      const { raw = '', headers = {} } = merchant.webhooks[n] ?? {};
      expect(() => new Webhook(secret).verify(raw, headers)).not.toThrow();
    }
  });

  it('disputes, which V1 does not tell, and authenticates without charging', async () => {
    const steps = [
      '  - authenticate: { as: manual, dialect: v2 }',
      '  - expect: { attempt: { confirm: not_asked, state: ready } }',
      '  - resolveDispute: { attempt: manual, refused: true }',
    ].join('\n');
    const result = await run(file(steps, 'attempt: { kept: 0, webhooks: [Transaction.Ready] }'));
    expect(result.checks.filter((check) => !check.held)).toEqual([]);
    expect(merchant.confirms).toEqual([]);
  });

  it('that cannot go on says why: no Seatline, no key, a wait without end', async () => {
    const away = 'seatline: { url: http://127.0.0.1:9, apiKeyFromEnv: KEY }';
    const noSeatline = await run(file('  - pay: {}', undefined, away), { KEY: 'k' });
    expect(noSeatline).toMatchObject({ held: false });
    expect(noSeatline.trouble).toMatch(/does not answer at http:\/\/127.0.0.1:9.*is it running/);
    const noKey = await run(file('  - pay: {}', undefined, SEATLINE));
    expect(noKey.trouble).toMatch(/KEY is not set/);
    const endless = await run(file('  - pay: { method: vbank }\n  - wait: due'));
    expect(endless.trouble).toMatch(/1440 minutes away: give the gateway a timeScale/);
  });
});
