/** Delivers webhooks the documented way, or spoils the delivery the way a payment's plan says. */

import type { Faults } from './faults.ts';
import type { Later } from './later.ts';
import type { Payment } from './ledger.ts';
import { headersFor, type Message, messageOf, webhookMessage, wordFor } from './messages.ts';
import type { Outgoing } from './outgoing.ts';
import { chance, type Ids } from './random.ts';
import type { Signing } from './signing.ts';
import type { GatewayEvent, WebhookAttempt, WebhookRecord, WebhookTrigger } from './types.ts';

const MINUTE_MS = 60_000;
const MAX_RETRIES = 5;
/** V2: exponential with full jitter. The first send is at 0. */
const V2_PAUSES_MIN = [1, 4, 16, 64, 256];
/** V1, where resending was asked for by mail: a minute apart. */
const V1_PAUSE_MIN = 1;
const FIRST_SEND_TIMEOUT_MS = 30_000;
const V1_RESEND_TIMEOUT_MS = 15_000;
const DEFAULT_DELAY_MS = 500;

export interface CourierParts {
  seed: number;
  clock: () => number;
  ids: Ids;
  later: Later;
  outgoing: Outgoing;
  faults: Faults;
  signing: Signing;
  timeScale: number;
  v1Resend: boolean;
}

interface Parcel {
  message: Message;
  record: WebhookRecord;
}

export interface About {
  cancellationId?: string;
  /** Absent: the payment's own. */
  url?: string | null;
  trigger?: WebhookTrigger | null;
}

const MAX_ANSWER_LENGTH = 1_000;

export class Courier {
  readonly #parts: CourierParts;
  /** Reordered plans: what each payment has collected so far. */
  readonly #collected = new Map<Payment, Parcel[]>();

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  /** Tells the merchant about `event`, if this payment's dialect tells it at all. */
  announce(payment: Payment, event: GatewayEvent, about: About = {}): void {
    const says = wordFor(payment.dialect, event);
    const url = about.url === undefined ? payment.webhookUrl : about.url;
    if (says === null || url === null) return;
    const id = `msg_${this.#parts.ids.uuid()}`;
    const { cancellationId, trigger = null } = about;
    const message = webhookMessage(id, payment, says, cancellationId, this.#parts.clock());
    const { mode, times } = payment.webhookPlan;
    for (let copy = 0; copy < (mode === 'repeated' ? times : 1); copy += 1) {
      const { body } = message;
      const record: WebhookRecord = {
        id,
        event,
        trigger,
        says,
        url,
        fate: 'waiting',
        body,
        attempts: [],
      };
      payment.webhooks.push(record);
      this.#dispatch(payment, { message, record }, copy);
    }
  }

  /** One more send by hand, with no retries after it; resolves when it was answered. */
  async resend(payment: Payment, record: WebhookRecord): Promise<void> {
    const message = messageOf(payment, record);
    record.trigger = 'MANUAL';
    const sent = this.#attempt({ message, record }, MAX_RETRIES);
    this.#parts.later.track(sent);
    await sent;
  }

  #dispatch(payment: Payment, parcel: Parcel, copy: number): void {
    const { mode, delayMs } = payment.webhookPlan;
    if (this.#parts.faults.webhooksSilenced) parcel.record.fate = 'silenced';
    else if (mode === 'lost') parcel.record.fate = 'lost';
    else if (mode === 'reordered') this.#collect(payment, parcel);
    else if (mode === 'delayed') this.#send(parcel, delayMs ?? DEFAULT_DELAY_MS);
    else this.#send(parcel, copy * (delayMs ?? 0));
  }

  /** Newest first, once no more came for as long as the plan says. */
  #collect(payment: Payment, parcel: Parcel): void {
    const waiting = this.#collected.get(payment);
    if (waiting !== undefined) {
      waiting.push(parcel);
      return;
    }
    this.#collected.set(payment, [parcel]);
    this.#parts.later.after(payment.webhookPlan.delayMs ?? DEFAULT_DELAY_MS, async () => {
      const parcels = this.#collected.get(payment) ?? [];
      this.#collected.delete(payment);
      // One after the other: sent at once, they could overtake each other back into order.
      for (const late of parcels.reverse()) await this.#attempt(late, 0);
    });
  }

  #send(parcel: Parcel, delayMs: number): void {
    if (delayMs > 0) this.#parts.later.after(delayMs, () => this.#attempt(parcel, 0));
    else this.#parts.later.track(this.#attempt(parcel, 0));
  }

  async #attempt(parcel: Parcel, retries: number): Promise<void> {
    const { clock, signing, outgoing, faults } = this.#parts;
    const { message, record } = parcel;
    if (faults.webhooksSilenced) {
      record.fate = 'silenced';
      return;
    }
    const v1 = message.dialect === 'v1';
    record.fate = 'sent';
    const attempt: WebhookAttempt = {
      atMs: clock(),
      status: null,
      error: null,
      answeredAtMs: null,
      answer: null,
    };
    record.attempts.push(attempt);
    const answer = await outgoing.post({
      url: record.url,
      headers: headersFor(message, signing.secrets, clock()),
      body: message.body,
      timeoutMs: v1 && retries > 0 ? V1_RESEND_TIMEOUT_MS : FIRST_SEND_TIMEOUT_MS,
    });
    attempt.status = answer.status;
    attempt.error = answer.error;
    if (answer.status !== null) {
      attempt.answeredAtMs = clock();
      attempt.answer = textOf(answer.body);
    }
    if (answer.status === 200) {
      record.fate = 'delivered';
      return;
    }
    const pauseMs = this.#pauseBefore(parcel, retries, answer.status);
    if (pauseMs === null) {
      record.fate = 'given_up';
      return;
    }
    this.#parts.later.after(pauseMs, () => this.#attempt(parcel, retries + 1));
  }

  /** null: no further attempt. */
  #pauseBefore({ message }: Parcel, retries: number, status: number | null): number | null {
    if (retries >= MAX_RETRIES) return null;
    const { seed, timeScale, v1Resend } = this.#parts;
    if (message.dialect === 'v1') {
      const worthIt = status === null || status >= 500;
      return v1Resend && worthIt ? (V1_PAUSE_MIN * MINUTE_MS) / timeScale : null;
    }
    const baseMs = ((V2_PAUSES_MIN[retries] ?? 0) * MINUTE_MS) / timeScale;
    // The counter at the end of the id makes the jitter the same in every run of a seed.
    return baseMs * chance(seed, Number.parseInt(message.id.slice(-12), 16), retries);
  }
}

function textOf(body: unknown): string {
  const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? '');
  return text.slice(0, MAX_ANSWER_LENGTH);
}
