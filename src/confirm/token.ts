// The token in an order's confirmUrl: proof that the organizer's server made that url.

import { createHmac, timingSafeEqual } from 'node:crypto';

/** 128 bits of the MAC: short in a url, far beyond guessing. */
const TOKEN_BYTES = 16;

export interface ConfirmTokens {
  issue(merchantUid: string): string;
  /** Takes the same time whatever is wrong. */
  verify(merchantUid: string, token: string): boolean;
}

export function createConfirmTokens(secret: string): ConfirmTokens {
  const mac = (merchantUid: string) =>
    createHmac('sha256', secret).update(`confirm:${merchantUid}`).digest().subarray(0, TOKEN_BYTES);
  return {
    issue: (merchantUid) => mac(merchantUid).toString('base64url'),
    verify: (merchantUid, token) => {
      const given = Buffer.from(token, 'base64url');
      return given.length === TOKEN_BYTES && timingSafeEqual(given, mac(merchantUid));
    },
  };
}
