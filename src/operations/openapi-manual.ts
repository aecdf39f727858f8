// The path of the API's document by which the organizer's server has a buyer charged (V2).

import type { RefusalCode } from '../confirm/verdict.ts';
import {
  bodyFaults,
  inPath,
  json,
  jsonBody,
  merged,
  organizer,
  type Paths,
  problems,
  refusals,
} from './openapi-parts.ts';
import { VERDICT_MEANING } from './openapi-words.ts';

const ASKING = `V2's manual confirm: the browser came back from the payment window with a
\`paymentToken\`, and nothing is charged yet. Seats are decided exactly as for \`/confirm\`; only where
they are held does Seatline ask PortOne for the charge, with the order's own amount. This may take as
long as the bank does (\`PORTONE_CONFIRM_TIMEOUT_MS\`); wait longer than that.

\`paid\` tells what happened to the money:

| \`paid\` | with | meaning |
|---|---|---|
| \`true\` | 200 | Charged; the seats are sold. |
| \`false\` | 200 | A virtual account was issued, or an approval is awaited; the seats are held. |
| absent | a refusal | PortOne was not asked for the charge; with a 503, not by this request. |
| \`false\` | a refusal | Not charged; \`gateway\` has PortOne's own word where it gave one. |
| \`null\` | 503 \`timed_out\` | Nobody knows yet. The seats are kept: send the same request again. |
| \`true\` | 409 \`hold_ended\` | Charged without a seat: too late, or refunded since. The money goes back. |

The same request may be sent again at any time: it is one charge, and the answer says what became of
it, also after its hold is over. While PortOne is asked, the hold outlives the charge.`;

/** The token and the signature are PortOne's; this caller has the API key. */
const { confirmed: _c, forbidden: _f, ...GENERAL } = VERDICT_MEANING;

const MEANING: Partial<Record<RefusalCode, string>> = {
  ...GENERAL,
  already_paid: 'The order is paid, perhaps by another attempt, or was paid and refunded.',
  amount_mismatch: "The amount is not the order's, here or in PortOne's own comparison.",
  hold_ended: 'The hold is over, or PortOne did not approve the payment; see `paid`.',
  refused_by_organizer:
    "The organizer's own rule refused; or a virtual account was issued where the event forbids them.",
  timed_out: 'Without `paid`: no verdict in time, nothing is held. With `paid: null`: see above.',
  unavailable: 'The database, the queue or PortOne is away, or V2 has no API secret here.',
  invalid_request: 'PortOne does not know the payment or the token.',
};

export function manualPaths(): Paths {
  return {
    '/api/payments/{paymentId}/confirm': {
      post: organizer({
        summary: 'Hold the seats and have the buyer charged (V2 manual confirm)',
        description: ASKING,
        parameters: [inPath('paymentId', "The order: V2's `paymentId`, our `merchantUid`.")],
        requestBody: jsonBody('ManualConfirm'),
        responses: merged(
          { 200: json('ManualConfirmed', 'Charged, or the money is on its way.') },
          refusals('ManualRefused', MEANING),
          problems(...bodyFaults),
        ),
      }),
    },
  };
}
