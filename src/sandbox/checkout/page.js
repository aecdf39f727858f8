/** The checkout page: reads the form, has the sandbox pay, and watches what PortOne does. */

import { drawTimeline } from './draw.js';
import { standingOf, stepsOf } from './story.js';
import { chooseLanguage, chosenLanguage, maybe, money, say } from './words.js';

const LOOK_MS = 400;
const AMOUNT_MAX = 2_000_000_000;
const LATE_MAX_S = 3_600;
const TEXT_FIELDS = [
  'merchantUid',
  'amount',
  'confirmUrl',
  'webhookUrl',
  'redirectUrl',
  'orderName',
];
const URL_FIELDS = ['confirmUrl', 'webhookUrl', 'redirectUrl'];
const CHOICES = ['dialect', 'method', 'buyer'];

const at = (id) => document.getElementById(id);
const form = at('form');
const query = new URLSearchParams(location.search);
const currency = /^[A-Z]{3}$/.test(query.get('currency') ?? '') ? query.get('currency') : 'KRW';

/** The payment on the page, and what was last seen of it. */
let watched = null;
let seen = null;
let looking = null;

// --- language -------------------------------------------------------------------------------

function speak(language) {
  chooseLanguage(language);
  document.documentElement.lang = chosenLanguage();
  document.title = say('title');
  for (const part of document.querySelectorAll('[data-t]')) part.textContent = say(part.dataset.t);
  for (const button of document.querySelectorAll('[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset.language === chosenLanguage()));
  }
  nameThePrice();
  if (!at('errors').hidden) showErrors(faultsOfForm());
  draw();
}

function firstLanguage() {
  return query.get('lang') ?? stored() ?? (navigator.language.startsWith('ko') ? 'ko' : 'en');
}

function stored() {
  try {
    return localStorage.getItem('language');
  } catch {
    return null;
  }
}

function store(language) {
  try {
    localStorage.setItem('language', language);
  } catch {
    // Not kept then: the page works without.
  }
}

// --- the form -------------------------------------------------------------------------------

function fillIn() {
  for (const name of TEXT_FIELDS) {
    const value = query.get(name) ?? (name === 'merchantUid' ? query.get('paymentId') : null);
    if (value !== null) at(name).value = value;
  }
  for (const name of CHOICES) {
    for (const option of form.elements[name]) {
      if (option.value === query.get(name)) option.checked = true;
    }
  }
  at('test').checked = query.get('test') === 'true';
  if (at('redirectUrl').value !== '') at('redirectUrl').closest('details').open = true;
  at('currency').textContent = currency;
  showFitting();
}

function nameThePrice() {
  const amount = wholeNumber(at('amount').value, AMOUNT_MAX);
  at('submit').textContent =
    amount === null ? say('submit') : say('submitAmount', { amount: money(amount, currency) });
}

/** Only what goes with what was chosen: with manual confirm no confirm_url is asked. */
function showFitting() {
  const manual = form.elements.dialect.value === 'manual';
  at('confirmField').hidden = manual;
  for (const choice of document.querySelectorAll('[data-beforehand]')) {
    const option = choice.querySelector('input');
    choice.hidden = manual;
    if (manual && option.checked) form.elements.buyer.value = 'pay';
  }
  at('late').hidden = form.elements.buyer.value !== 'pay_late';
}

function wholeNumber(text, max) {
  if (!/^\d{1,10}$/.test(text.trim())) return null;
  const value = Number(text);
  return value <= max ? value : null;
}

function isWebAddress(text) {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** @returns {{id: string, text: string}[]} */
function faultsOfForm() {
  const faults = [];
  if (at('merchantUid').value.trim() === '')
    faults.push({ id: 'merchantUid', text: say('needOrder') });
  if (wholeNumber(at('amount').value, AMOUNT_MAX) === null) {
    faults.push({ id: 'amount', text: say('needAmount') });
  }
  for (const id of URL_FIELDS) {
    const value = at(id).value.trim();
    if (value !== '' && !isWebAddress(value)) {
      faults.push({ id, text: say('needUrl', { field: say(id) }) });
    }
  }
  const late = form.elements.buyer.value === 'pay_late';
  if (late && wholeNumber(at('lateSeconds').value, LATE_MAX_S) === null) {
    faults.push({ id: 'lateSeconds', text: say('needLate') });
  }
  return faults;
}

function showErrors(faults) {
  const box = at('errors');
  for (const id of [...TEXT_FIELDS, 'lateSeconds']) at(id).removeAttribute('aria-invalid');
  box.hidden = faults.length === 0;
  box.replaceChildren();
  if (faults.length === 0) return;
  const list = document.createElement('ul');
  for (const { id, text } of faults) {
    if (id !== '') at(id).setAttribute('aria-invalid', 'true');
    const item = document.createElement('li');
    item.textContent = text;
    list.append(item);
  }
  const head = document.createElement('b');
  head.textContent = say('check');
  box.append(head, list);
}

function requestOfForm() {
  const filled = TEXT_FIELDS.map((name) => [name, at(name).value.trim()]);
  const request = Object.fromEntries(filled.filter(([, value]) => value !== ''));
  for (const name of CHOICES) request[name] = form.elements[name].value;
  request.amount = Number(request.amount);
  request.currency = currency;
  if (request.dialect === 'manual') delete request.confirmUrl;
  if (at('test').checked) request.test = true;
  if (request.buyer === 'pay_late') request.lateMs = Number(at('lateSeconds').value) * 1_000;
  return request;
}

// --- the sandbox ----------------------------------------------------------------------------

/** @returns the answer, or null when the sandbox is away */
async function ask(method, path, body) {
  try {
    const response = await fetch(`/sandbox/${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return { ok: response.ok, status: response.status, body: await response.json() };
  } catch {
    return null;
  }
}

async function pay(event) {
  event.preventDefault();
  const faults = faultsOfForm();
  showErrors(faults);
  if (faults.length > 0) {
    at(faults[0].id).focus();
    return;
  }
  at('submit').disabled = true;
  const started = await ask('POST', 'checkout', requestOfForm());
  at('submit').disabled = false;
  if (started === null || !started.ok) {
    showErrors([{ id: '', text: started?.body.message ?? say('gone') }]);
    at('errors').focus();
    return;
  }
  watch(started.body.paymentId);
  // In one column it stands below the form.
  if (matchMedia('(max-width: 860px)').matches) at('story').scrollIntoView();
}

function watch(paymentId) {
  watched = paymentId;
  seen = null;
  history.replaceState(null, '', `#${encodeURIComponent(paymentId)}`);
  at('timeline').replaceChildren();
  at('answer').hidden = true;
  void look();
}

/** Again and again, as long as the page is looked at: webhooks and deposits come at any time. */
async function look() {
  clearTimeout(looking);
  if (watched === null) return;
  const asked = watched;
  const answer = document.hidden
    ? undefined
    : await ask('GET', `checkout/${encodeURIComponent(asked)}`);
  if (asked !== watched) return;
  if (answer === null) stand({ tone: 'bad', text: say('gone') });
  else if (answer?.status === 404) {
    watched = null;
    stand({ tone: 'bad', text: say('unknownPayment') });
    return;
  } else if (answer !== undefined) {
    seen = answer.body;
    draw();
  }
  looking = setTimeout(look, LOOK_MS);
}

async function later(action, body = {}) {
  const answer = await ask('POST', `payments/${encodeURIComponent(watched)}/${action}`, body);
  const why = answer === null ? say('gone') : refusalOf(answer);
  at('answer').hidden = why === null;
  at('answer').textContent = why ?? '';
  await look();
}

function refusalOf({ ok, body }) {
  if (!ok) return body.message ?? say('gone');
  return typeof body.why === 'string' ? (maybe(`refusal_${body.why}`) ?? body.why) : null;
}

// --- what is shown --------------------------------------------------------------------------

/** Written only when it changes: what is live is read aloud each time. */
function stand({ tone, text }) {
  const standing = at('standing');
  standing.className = `notice ${tone}`;
  if (standing.textContent !== text) standing.textContent = text;
}

function draw() {
  if (seen === null) return;
  stand(standingOf(seen));
  drawTimeline(at('timeline'), stepsOf(seen));
  const { can, returnUrl } = seen;
  at('later').hidden = !Object.values(can).includes(true) && returnUrl === null;
  for (const [action, allowed] of Object.entries(can)) {
    const button = document.querySelector(`[data-action="${action}"]`);
    if (button !== null) button.hidden = !allowed;
  }
  at('part').hidden = !can.cancelPart;
  at('return').hidden = returnUrl === null;
  if (returnUrl !== null) at('returnLink').href = returnUrl;
}

// --- start ----------------------------------------------------------------------------------

for (const button of document.querySelectorAll('[data-language]')) {
  button.addEventListener('click', () => {
    store(button.dataset.language);
    speak(button.dataset.language);
  });
}
for (const button of document.querySelectorAll('button[type="button"][data-action]')) {
  button.addEventListener('click', () => later(button.dataset.action));
}
at('part').addEventListener('submit', (event) => {
  event.preventDefault();
  const amount = wholeNumber(at('partAmount').value, AMOUNT_MAX);
  if (amount === null || amount === 0) {
    at('answer').hidden = false;
    at('answer').textContent = say('refusal_invalid_amount');
    at('partAmount').focus();
    return;
  }
  void later('cancel', { amount });
});
form.addEventListener('submit', pay);
form.addEventListener('change', showFitting);
at('amount').addEventListener('input', nameThePrice);
document.addEventListener('visibilitychange', () => void look());

fillIn();
speak(firstLanguage());
const known = decodeURIComponent(location.hash.slice(1));
if (/^[\w-]{1,64}$/.test(known)) watch(known);
