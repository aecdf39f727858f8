/** What a person needs to know to use a running sandbox, ready to paste. */

import { webhookSecretsOf } from './signing.ts';
import type { V1Credentials, V2Credentials } from './types.ts';

/** What a shell needs to call the service as its organizer. */
export const READ_API_KEY = `export API_KEY=$(node -p "require('./.seatline/development-secrets.json').apiKey")`;

/** @param books the file that keeps them; absent: in memory */
export function helpText(
  url: string,
  { v1, v2 }: { v1: V1Credentials; v2: V2Credentials },
  books?: string,
): string {
  return `Sandbox PortOne at ${url}
${wordsOfBooks(books)}

Point the service at it: paste this into its shell, then npm start there
  export PORTONE_V1_URL=${url}/v1
  export PORTONE_V1_KEY=${v1.key}
  export PORTONE_V1_SECRET=${v1.secret}
  export PORTONE_V2_URL=${url}/v2
  export PORTONE_V2_SECRET=${v2.apiSecret}
  ${wordsOfSecrets(webhookSecretsOf(v2))}

Be a buyer in a browser, and watch what PortOne does:
  ${url}/checkout
  A shop may link there: ?merchantUid=order-1&amount=30000&confirmUrl=...&webhookUrl=...&redirectUrl=...
  (URL-encoded), also dialect, method, buyer, orderName, currency, test=true, lang=ko

Play a written story instead, and be told what did not hold (stop this sandbox before; examples:
src/sandbox/scenarios). The key that the service made for itself is read like this:
  ${READ_API_KEY}
  npm run sandbox -- --scenario src/sandbox/scenarios/plain-card-v1.yaml

Be a buyer with curl (V1, card):
  curl -s ${url}/sandbox/payments \\
    -d '{"merchantUid":"order-1","amount":30000,"confirmUrl":"http://localhost:8080/confirm?token=..."}'
  dialect   v1 | v2-2024-01-01 | v2-2024-04-25     method   card | vbank     provider   nice | inicis
  buyer     pay | decline | vanish | hang_up | repeat | pay_late | fail_late | fail_then_paid
  webhooks  {"mode":"normal|lost|repeated|delayed|reordered","delayMs":500,"times":2}
  cancels   {"how":"now|later|late_failure|failed|never","lateMs":1000,"refusals":1,"message":"..."}
  also      webhookUrl, form, test, omitAmount, amountAsText, paymentId, lateMs, hangUpAfterMs,
            pgDelayMs, pending, dueInMs, afterDue, closable, closedAs, customData,
            repeat {"times":1,"when":"concurrent|after|after_paid"}

V2 manual confirm: a token instead of a charge:
  curl -s ${url}/sandbox/authentications -d '{"merchantUid":"order-1","amount":30000}'

Afterwards, each with: curl -s -X POST ${url}/sandbox/payments/IMP_UID/...
  deposit            into a virtual account
  cancel             in the console, all of it or -d '{"amount":1000}'
  approve, fail      of an attempt that was left open
  dispute, resolveDispute, resend

Money against seats:             curl -s ${url}/sandbox/books
Void every token:                curl -s -X POST ${url}/sandbox/tokens/expire
Rotate the V2 webhook secret:    curl -s -X PUT ${url}/sandbox/signing -d '{"signWith":"both"}'
  signWith  old | both | new     which of the secrets above sign from now on; old to begin with
Break things (and mend: []):     curl -s -X PUT ${url}/sandbox/faults \\
    -d '{"rest":[{"kind":"error","endpoint":"payment","status":503}],"webhooksSilenced":true}'
  kind      refuse | error | hang (hangMs) | answer_lost | pg_error       times, share, world: v1 | v2
  endpoint  token | payment | payments | find | findAll | status | cancel | prepare | closeAccount ...
`;
}

function wordsOfSecrets(secrets: string[]): string {
  if (secrets.length === 0) return '# V2 messages go unsigned: no PORTONE_WEBHOOK_SECRET';
  return `export PORTONE_WEBHOOK_SECRET=${secrets.join(',')}`;
}

function wordsOfBooks(books: string | undefined): string {
  if (books !== undefined) return `Its books are kept in ${books}.`;
  return `Its books are in memory: started again, it knows none of the payments of before, and a Seatline
that does opens a case for each when it reconciles. --books FILE keeps them.`;
}
