/** The parts of one running sandbox, handed to whatever acts on it. */

import type { Courier } from './courier.ts';
import type { Faults } from './faults.ts';
import type { Later } from './later.ts';
import type { Ledger } from './ledger.ts';
import type { Outgoing } from './outgoing.ts';
import type { PayDefaults } from './pay-request.ts';
import type { Ids } from './random.ts';
import type { Signing } from './signing.ts';
import type { Tokens } from './tokens.ts';
import type { V1Credentials, V2Credentials } from './types.ts';

export interface Gateway {
  seed: number;
  clock: () => number;
  ids: Ids;
  ledger: Ledger;
  courier: Courier;
  outgoing: Outgoing;
  later: Later;
  faults: Faults;
  tokens: Tokens;
  credentials: { v1: V1Credentials; v2: V2Credentials };
  signing: Signing;
  /** The console's settings. */
  settings: PayDefaults;
  confirmTimeoutMs: number;
}
