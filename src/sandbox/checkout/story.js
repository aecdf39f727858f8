/** Tells a payment as the sandbox sees it: where it stands, and step by step how it got there. */

import { gloss } from './gloss.js';
import { maybe, moment, money, say } from './words.js';

/** @returns {{tone: 'busy' | 'good' | 'bad' | 'plain', text: string}} */
export function standingOf(view) {
  const { payment, outcome } = view;
  if (outcome?.notOpened) return { tone: 'bad', text: say(`notOpened_${outcome.notOpened}`) };
  if (payment === null) return { tone: 'busy', text: say('busy') };
  const amount = money(payment.amount, payment.currency);
  if (payment.state === 'paid' && view.can.resolveDispute) {
    return { tone: 'bad', text: say('disputed', { amount }) };
  }
  if (payment.state === 'paid') return { tone: 'good', text: say('paid', { amount }) };
  if (payment.state === 'cancelled') {
    const back = money(payment.cancelledAmount, payment.currency);
    const kept = money(payment.kept, payment.currency);
    const word = payment.kept > 0 ? 'cancelledPart' : 'cancelled';
    return { tone: 'plain', text: say(word, { amount: back, kept }) };
  }
  if (payment.state === 'failed') {
    const why = gloss(payment.failReason ?? '');
    return { tone: 'bad', text: say(failureOf(view), { why }) };
  }
  const { account } = payment;
  if (account !== null && account.closedAtMs === null) {
    return { tone: 'plain', text: say('waiting', { amount, due: moment(account.dueAtMs) }) };
  }
  if (!view.busy) {
    return { tone: 'plain', text: say(view.paymentToken === null ? 'left' : 'awaitsCharge') };
  }
  const asking = view.confirm !== null && payment.confirms.length === 0;
  return { tone: 'busy', text: say(asking ? 'asking' : 'busy') };
}

/** Of several confirms the first one decides. */
function failureOf({ refused, payment }) {
  if (!refused) return 'failed';
  return payment.confirms[0]?.status === null ? 'unanswered' : 'refused';
}

/** Steps with a key each, so that one that is looked at is not torn away by the next look. */
export function stepsOf(view) {
  const { payment } = view;
  if (payment === null) return [];
  const [first, ...turns] = payment.history;
  const told = payment.webhooks.map((webhook, n) => webhookStep(webhook, n));
  const early = told.filter(({ event }) => event === 'opened');
  const rest = [
    ...turns.map((turn, n) => turnStep(turn, n, payment)),
    ...told.filter(({ event }) => event !== 'opened'),
  ].sort((a, b) => a.atMs - b.atMs);
  return [
    {
      key: 'opened',
      tone: 'plain',
      title: say('opened'),
      detail: `${money(payment.amount, payment.currency)} · ${say(payment.method)} · ${payment.paymentId}`,
      atMs: first?.atMs ?? 0,
    },
    ...early,
    questionStep(view),
    ...payment.confirms.map((answer, n) => answerStep(answer, n)),
    ...rest,
  ];
}

function questionStep(view) {
  if (view.paymentToken !== null) {
    return {
      key: 'question',
      tone: 'plain',
      title: say('token'),
      detail: say('tokenWhy'),
      summary: say('command'),
      open: true,
      body: chargeCommand(view),
    };
  }
  if (view.confirm === null) {
    return { key: 'question', tone: 'plain', title: say('notAsked'), detail: say('notAskedWhy') };
  }
  return {
    key: 'question',
    tone: view.busy && view.payment.confirms.length === 0 ? 'busy' : 'plain',
    title: say('question'),
    detail: `${say('questionSent')}: POST ${view.confirm.url}`,
    summary: say('sentBody'),
    body: pretty(view.confirm.body),
  };
}

/** What a shop's server would do, ready to paste. */
function chargeCommand({ paymentToken, paymentId, merchantUid, webhookUrl, payment }) {
  // Webhooks go to Seatline: that is where it is.
  const seatline = webhookUrl === null ? 'http://localhost:8080' : new URL(webhookUrl).origin;
  const body = JSON.stringify({ paymentToken, txId: paymentId, amount: payment.amount });
  const path = `/api/payments/${encodeURIComponent(merchantUid)}/confirm`;
  return [
    `curl "${seatline}${path}" \\`,
    '  -H "Authorization: Bearer $API_KEY" -H "Content-Type: application/json" \\',
    `  -d '${body}'`,
  ].join('\n');
}

function answerStep(answer, n) {
  const latency = say('ms', { ms: Math.round(answer.latencyMs) });
  const key = `answer-${n}`;
  if (answer.timedOut) {
    return { key, tone: 'bad', title: say('timedOut'), detail: say('timedOutWhy'), aside: latency };
  }
  if (answer.aborted) return { key, tone: 'bad', title: say('brokeOff'), aside: latency };
  if (answer.status === null) {
    return { key, tone: 'bad', title: say('noAnswer'), detail: answer.error ?? '', aside: latency };
  }
  const yes = answer.status === 200;
  return {
    key,
    tone: yes ? 'good' : 'bad',
    title: [say('answered', { status: answer.status }), codeOf(answer.body)].join(' ').trim(),
    detail: say(yes ? 'answeredYes' : 'answeredNo'),
    aside: latency,
    summary: say('answeredBody'),
    body: pretty(answer.body),
  };
}

/** Seatline's word for its verdict; other servers need not have one. */
function codeOf(body) {
  return typeof body?.code === 'string' ? `(${body.code})` : '';
}

function turnStep(turn, n, payment) {
  const step = { key: `turn-${n}`, atMs: turn.atMs, tone: 'plain', detail: '' };
  const title = maybe(turn.why);
  if (title !== null) {
    const account = turn.why === 'virtual account issued' ? payment.account : null;
    step.title = title;
    step.tone = turn.state === 'paid' ? 'good' : 'plain';
    if (account !== null) {
      const due = moment(account.dueAtMs);
      step.detail = say('account', { bank: gloss(account.bankName), number: account.number, due });
    }
    return step;
  }
  if (turn.state === 'cancelled') {
    return { ...step, title: say('cancelledHere'), detail: cancellationOf(turn.why, payment) };
  }
  step.detail = gloss(turn.why);
  if (turn.state === 'failed') {
    const original = step.detail === turn.why ? {} : { summary: say('buyerReads'), body: turn.why };
    return { ...step, ...original, tone: 'bad', title: say('failedHere') };
  }
  return { ...step, title: say('turned', { state: turn.state }) };
}

/** `5000 cancelled: late entry`, as the books have it. */
function cancellationOf(why, { currency }) {
  const [, amount, reason] = /^(\d+) cancelled: (.*)$/s.exec(why) ?? [];
  return amount === undefined ? why : `${money(Number(amount), currency)}: ${gloss(reason)}`;
}

function webhookStep(webhook, n) {
  const { says, event, fate, url, attempts } = webhook;
  const last = attempts.at(-1);
  const status = last?.status ?? last?.error ?? null;
  const silent = fate === 'lost' || fate === 'silenced';
  let detail = say('webhookSending');
  if (silent) detail = say('webhookSilent', { fate });
  else if (status !== null) detail = say('webhookAnswer', { status });
  return {
    key: `webhook-${n}`,
    event,
    atMs: attempts[0]?.atMs ?? Number.MAX_SAFE_INTEGER,
    tone: silent ? 'plain' : status === null ? 'busy' : status === 200 ? 'good' : 'bad',
    title: say('webhook', { says }),
    detail: `${detail} · POST ${url}`,
    aside: attempts.length > 1 ? say('webhookTries', { n: attempts.length }) : '',
    summary: say('sentBody'),
    body: pretty(webhook.body),
  };
}

/** JSON is indented; whatever else it is stays as it is. */
function pretty(value) {
  if (typeof value !== 'string') return JSON.stringify(value, null, 2);
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}
