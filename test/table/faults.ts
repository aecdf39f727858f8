// What may be wrong with PortOne while a story is told.

import type { Stage } from './stage.ts';

export interface Fault {
  name: string;
  strike: (stage: Stage) => void;
}

/** More than a read's own tries, fewer than open the circuit. */
const TIMES = 4;

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
