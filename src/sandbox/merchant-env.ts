// What a merchant's Seatline is told so that it takes this sandbox for PortOne.

import { webhookSecretsOf } from './signing.ts';
import type { Sandbox } from './types.ts';

/** Environment variables, as in `.env.example`; good before, during and after a rotation. */
export function merchantEnv({ v1Url, v2Url, credentials }: Sandbox): Record<string, string> {
  const { v1, v2 } = credentials;
  return {
    PORTONE_V1_URL: v1Url,
    PORTONE_V1_KEY: v1.key,
    PORTONE_V1_SECRET: v1.secret,
    PORTONE_V2_URL: v2Url,
    PORTONE_V2_SECRET: v2.apiSecret,
    PORTONE_WEBHOOK_SECRET: webhookSecretsOf(v2).join(','),
  };
}
