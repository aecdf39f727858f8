/** What no shape can say of a scenario: that its names are known when they are used, and fit together. */

import { type Attempt, faultsOfRequest, requestOf, scaledIn } from './attempt.ts';
import type { Expectation } from './expectation.ts';
import type { OrderSaid, Scenario, Step } from './schema.ts';

export interface MeaningFault {
  path: PropertyKey[];
  message: string;
}

const OF_SEATLINE = ['ticketType', 'quantity', 'seats', 'together', 'buyer'] as const;
/** Steps about an attempt that was made before. */
const OF_ATTEMPT = [
  'charge',
  'deposit',
  'cancel',
  'approve',
  'fail',
  'dispute',
  'resolveDispute',
  'resend',
] as const;

/** For an id that the run makes up: those fit. */
const MADE_UP = 'scn-1';

/** Steps that are asked of Seatline. */
const OF_ORGANIZER = ['charge', 'refund', 'release', 'reconcile'] as const;

/** The name of the one order of a scenario that writes `order:`. */
export const THE_ORDER = 'order';

export function ordersOf(scenario: Scenario): Record<string, OrderSaid> {
  return scenario.orders ?? { [THE_ORDER]: scenario.order ?? {} };
}

/** `attempt-1`, `attempt-2` ... in the order in which they are written. */
export const nameOfAttempt = (as: string | undefined, count: number): string =>
  as ?? `attempt-${count}`;

export function faultsOfMeaning(scenario: Scenario): MeaningFault[] {
  return [...aboutOpponent(scenario), ...aboutOrders(scenario), ...aboutSteps(scenario)];
}

function* aboutOpponent({ server, seatline }: Scenario): Generator<MeaningFault> {
  if (server !== undefined && seatline !== undefined) {
    yield { path: ['server'], message: 'give either server or seatline, not both' };
  }
}

function* aboutOrders(scenario: Scenario): Generator<MeaningFault> {
  if (scenario.order !== undefined && scenario.orders !== undefined) {
    yield { path: ['orders'], message: 'give either order or orders, not both' };
    return;
  }
  for (const [name, said] of Object.entries(ordersOf(scenario))) {
    const path = scenario.orders === undefined ? ['order'] : ['orders', name];
    const { seatline } = scenario;
    if (seatline === undefined) {
      const odd = OF_SEATLINE.find((key) => said[key] !== undefined);
      if (odd !== undefined) {
        yield { path: [...path, odd], message: `only Seatline knows "${odd}": give seatline` };
      }
      if (said.amount === undefined) {
        yield { path, message: 'missing: the amount of the order, as in {amount: 30000}' };
      }
    } else {
      if (said.amount !== undefined) {
        yield {
          path: [...path, 'amount'],
          message:
            'Seatline knows what the order costs: leave it out (an attempt may name another)',
        };
      }
      if (seatline.event !== undefined && said.ticketType === undefined) {
        yield { path, message: `missing: the ticketType of event "${seatline.event}"` };
      }
    }
  }
}

function* aboutSteps(scenario: Scenario): Generator<MeaningFault> {
  const check = new References(scenario);
  for (const [index, step] of scenario.steps.entries()) {
    yield* check.step(step, ['steps', index]);
  }
  yield* check.expectation(scenario.expect, ['expect']);
}

/** Reads the steps in their order, and remembers which attempts there are by then. */
class References {
  readonly #scenario: Scenario;
  /** Those that were made by now. */
  readonly #attempts = new Set<string>();
  readonly #authenticated = new Set<string>();
  #latest = '';
  #count = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  *step(step: Step, path: PropertyKey[]): Generator<MeaningFault> {
    for (const name of ['pay', 'authenticate'] as const) {
      const said = step[name];
      if (said !== undefined) yield* this.#pay(said, [...path, name], name === 'authenticate');
    }
    yield* this.#manual(step, path);
    if (step.expect !== undefined) yield* this.expectation(step.expect, [...path, 'expect']);
    if (step.wait?.status !== undefined) yield* this.#order(step.wait.order, [...path, 'wait']);
    for (const name of OF_ATTEMPT) {
      if (name in step) yield* this.#attempt(step[name]?.attempt, [...path, name]);
    }
    if (step.wait?.until === 'due') yield* this.#attempt(step.wait.attempt, [...path, 'wait']);
    yield* this.#organizer(step, path);
  }

  *#organizer(step: Step, path: PropertyKey[]): Generator<MeaningFault> {
    const { seatline, server } = this.#scenario;
    const asked = OF_ORGANIZER.find((name) => name in step);
    if (asked !== undefined && seatline === undefined) {
      const message = 'only Seatline has a known address for it: give seatline';
      yield { path: [...path, asked], message };
      return;
    }
    if ('refund' in step) yield* this.#order(step.refund?.order, [...path, 'refund']);
    if ('release' in step) {
      const { order, seats, overdue, allHeld } = step.release ?? {};
      const named = seats ?? overdue ?? allHeld;
      if (order !== undefined || named === undefined) {
        yield* this.#order(order, [...path, 'release']);
      }
    }
    if ('forgedConfirm' in step) {
      const place = [...path, 'forgedConfirm'];
      if (seatline !== undefined) yield* this.#order(step.forgedConfirm?.order, place);
      else if (typeof server?.confirmUrl !== 'string') {
        yield { path: place, message: 'to which URL? Give seatline, or server: {confirmUrl}' };
      }
    }
  }

  /** Only V2 has it, and what is charged must have been authenticated. */
  *#manual(step: Step, path: PropertyKey[]): Generator<MeaningFault> {
    for (const [index, attempt] of (step.authenticate ?? []).entries()) {
      const { again, dialect = this.#scenario.dialect } = attempt;
      const place = [...path, 'authenticate', index];
      if (dialect === 'v1') {
        yield {
          path: [...place, 'dialect'],
          message: 'V1 knows no manual confirm: say dialect: v2',
        };
      }
      if (again !== undefined) {
        yield { path: [...place, 'again'], message: 'a buyer authenticates anew: leave it out' };
      }
    }
    if (!('charge' in step)) return;
    const name = step.charge?.attempt ?? this.#latest;
    if (this.#attempts.has(name) && !this.#authenticated.has(name)) {
      const message = `"${name}" has no token: it needs an authenticate step instead of pay`;
      yield { path: [...path, 'charge'], message };
    }
  }

  *#pay(
    said: NonNullable<Step['pay']>,
    path: PropertyKey[],
    authenticated: boolean,
  ): Generator<MeaningFault> {
    const before = new Set(this.#attempts);
    for (const [index, attempt] of said.entries()) {
      const place = said.length === 1 ? path : [...path, index];
      this.#count += 1;
      const name = nameOfAttempt(attempt.as, this.#count);
      if (this.#attempts.has(name)) {
        yield {
          path: [...place, 'as'],
          message: `"${name}" is taken: each attempt has its own name`,
        };
      }
      this.#attempts.add(name);
      this.#latest = name;
      if (authenticated) this.#authenticated.add(name);
      const orders = Object.keys(ordersOf(this.#scenario));
      if (attempt.order !== undefined && !orders.includes(attempt.order)) {
        yield { path: [...place, 'order'], message: unknown('order', attempt.order, orders) };
      } else if (attempt.order === undefined && orders.length > 1 && attempt.again === undefined) {
        yield {
          path: place,
          message: `missing: which order is paid, one of: ${orders.join(', ')}`,
        };
      }
      if (attempt.again !== undefined && !before.has(attempt.again)) {
        yield {
          path: [...place, 'again'],
          message: unknown('attempt', attempt.again, [...before]),
        };
      }
      yield* this.#request(attempt, place);
    }
  }

  /** As the gateway is going to read it: what it refuses only then would be found only while playing. */
  *#request(attempt: Attempt, place: PropertyKey[]): Generator<MeaningFault> {
    const { dialect, gateway } = this.#scenario;
    const orders = ordersOf(this.#scenario);
    const name = attempt.order ?? Object.keys(orders)[0] ?? THE_ORDER;
    const said = orders[name];
    const request = {
      dialect,
      amount: said?.amount ?? 1,
      ...scaledIn(requestOf(attempt), (ms) => ms / gateway.timeScale),
      merchantUid: said?.merchantUid ?? MADE_UP,
    };
    for (const { path, message } of faultsOfRequest(request)) {
      if (path[0] !== 'merchantUid') yield { path: [...place, ...path], message };
      else {
        const order = this.#scenario.orders === undefined ? ['order'] : ['orders', name];
        yield { path: [...order, ...path], message };
      }
    }
  }

  *expectation(said: Expectation, path: PropertyKey[]): Generator<MeaningFault> {
    if (said.attempt !== undefined) yield* this.#attempt(undefined, [...path, 'attempt']);
    for (const name of Object.keys(said.attempts ?? {})) {
      yield* this.#attempt(name, [...path, 'attempts', name]);
    }
    if (said.order !== undefined) yield* this.#order(undefined, [...path, 'order']);
    for (const name of Object.keys(said.orders ?? {})) {
      yield* this.#order(name, [...path, 'orders', name]);
    }
    for (const name of ['event', 'audit'] as const) {
      if (said[name] !== undefined && this.#scenario.seatline === undefined) {
        yield { path: [...path, name], message: 'only Seatline knows an event: give seatline' };
      }
    }
  }

  *#attempt(name: string | undefined, path: PropertyKey[]): Generator<MeaningFault> {
    if (this.#attempts.size === 0) {
      yield { path, message: 'nobody has paid yet: a pay step must come before' };
    } else if (name !== undefined && !this.#attempts.has(name)) {
      yield { path, message: unknown('attempt', name, [...this.#attempts]) };
    }
  }

  *#order(name: string | undefined, path: PropertyKey[]): Generator<MeaningFault> {
    const orders = Object.keys(ordersOf(this.#scenario));
    if (this.#scenario.seatline === undefined) {
      yield { path, message: 'only Seatline can be asked about an order: give seatline' };
    } else if (name === undefined && orders.length > 1) {
      yield { path, message: `say of which order, one of: ${orders.join(', ')}` };
    } else if (name !== undefined && !orders.includes(name)) {
      yield { path, message: unknown('order', name, orders) };
    }
  }
}

function unknown(what: string, name: string, there: string[]): string {
  const known = there.length === 0 ? 'none yet' : there.join(', ');
  return `there is no ${what} "${name}"; there is: ${known}`;
}
