/** What a person needs to know to use a running sandbox, ready to paste. */

import type { V1Credentials, V2Credentials } from './types.ts';

export function helpText(
  url: string,
  { v1, v2 }: { v1: V1Credentials; v2: V2Credentials },
): string {
  return `Sandbox PortOne at ${url}

Point the service at it:
  PORTONE_V1_URL=${url}/v1  PORTONE_V1_KEY=${v1.key}  PORTONE_V1_SECRET=${v1.secret}
  PORTONE_V2_URL=${url}/v2  PORTONE_V2_SECRET=${v2.apiSecret}
  PORTONE_WEBHOOK_SECRET=${v2.webhookSecret ?? '(none: V2 messages go unsigned)'}

Be a buyer (V1, card):
  curl -s ${url}/sandbox/payments \\
    -d '{"merchantUid":"order-1","amount":30000,"confirmUrl":"http://localhost:8080/confirm?token=..."}'
  dialect   v1 | v2-2024-01-01 | v2-2024-04-25          method   card | vbank
  buyer     pay | decline | vanish | hang_up | repeat | pay_late | fail_then_paid
  webhooks  {"mode":"normal|lost|repeated|delayed|reordered","delayMs":500,"times":2}
  also      webhookUrl, form, test, omitAmount, amountAsText, paymentId, lateMs, hangUpAfterMs,
            pgDelayMs, pending, repeat {"times":1,"when":"concurrent|after|after_paid"}

Pay into a virtual account:      curl -s -X POST ${url}/sandbox/payments/IMP_UID/deposit
Cancel in the console:           curl -s -X POST ${url}/sandbox/payments/IMP_UID/cancel
Money against seats:             curl -s ${url}/sandbox/books
Void every token:                curl -s -X POST ${url}/sandbox/tokens/expire
Break things (and mend: []):     curl -s -X PUT ${url}/sandbox/faults \\
    -d '{"rest":[{"kind":"error","endpoint":"payment","status":503}],"webhooksSilenced":true}'
  kind      refuse | error | hang (hangMs) | answer_lost | pg_error       times, share, world: v1 | v2
  endpoint  token | payment | payments | find | findAll | status | cancel | prepare | closeAccount
`;
}
