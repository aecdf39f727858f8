// What may be wrong with PortOne while a story is told.

import type { Stage } from './stage.ts';

export interface Fault {
  name: string;
  /** On these stories; on all of `UNDER_FAULTS` unless told. */
  only?: string[];
  /** Its calls are not answered: they cost their whole time-out. */
  hangs?: true;
  strike: (stage: Stage) => void;
}

/** More than a read's own tries, fewer than open the circuit. */
const TIMES = 4;
/** A stage on which calls hang waits for none longer than this. */
export const HASTY_MS = 500;
const HANG_MS = 2 * HASTY_MS;

export const FAULTS: Fault[] = [
  {
    name: 'its tokens are dead',
    strike: ({ sandbox }) => sandbox.faults.expireTokens(),
  },
  {
    name: 'it answers with errors',
    strike: ({ sandbox }) => {
      sandbox.faults.rest({ kind: 'error', status: 503, times: TIMES });
    },
  },
  {
    name: 'it asks for fewer calls',
    only: ['card, paid', 'paid, refunded whole by the organizer'],
    strike: ({ sandbox }) => {
      sandbox.faults.rest({ kind: 'error', status: 429, times: TIMES });
    },
  },
  {
    name: 'it resets connections',
    only: [
      'card, paid',
      'paid, one seat of two refunded by the organizer',
      'no confirm_url, sold out',
    ],
    strike: ({ sandbox }) => {
      sandbox.faults.rest({ kind: 'refuse', times: TIMES });
    },
  },
  {
    name: 'its calls hang, and are carried out when nobody waits any more',
    only: [
      'card, paid',
      'paid, refunded whole by the organizer',
      'virtual account forbidden, closed',
    ],
    hangs: true,
    strike: ({ sandbox }) => {
      sandbox.faults.rest({ kind: 'hang', hangMs: HANG_MS, times: 2 });
      sandbox.faults.rest({ kind: 'hang', hangMs: HANG_MS, endpoint: 'cancel', times: 1 });
      sandbox.faults.rest({ kind: 'hang', hangMs: HANG_MS, endpoint: 'closeAccount', times: 1 });
    },
  },
  {
    name: 'its answers are lost',
    strike: ({ sandbox }) => {
      sandbox.faults.rest({ kind: 'answer_lost', times: TIMES });
    },
  },
  {
    name: 'the answers to its cancellations are lost',
    strike: ({ sandbox }) => {
      sandbox.faults.rest({ kind: 'answer_lost', endpoint: 'cancel', times: 2 });
      sandbox.faults.rest({ kind: 'answer_lost', endpoint: 'closeAccount', times: 2 });
    },
  },
];

/** Stories that ask something of PortOne at their every step. */
export const UNDER_FAULTS = [
  'card, paid',
  'card, paid after its hold was over, seats gone',
  'paid, refunded whole by the organizer',
  'paid, one seat of two refunded by the organizer',
  'virtual account forbidden, closed',
  'virtual account, deposited',
  'no confirm_url, sold out',
];
