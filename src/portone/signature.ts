// Verifies that a V2 call was signed by PortOne (Standard Webhooks), over the raw body.

import type { IncomingHttpHeaders } from 'node:http';
import { Webhook } from 'standardwebhooks';

export type Signature = 'valid' | 'invalid' | 'absent';

export interface SignatureChecker {
  /** False where no secret is configured: then nothing can be verified. */
  readonly configured: boolean;
  check(rawBody: string, headers: IncomingHttpHeaders): Signature;
}

const HEADERS = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;

/** @param secrets one, or two while they are rotated; a signature by either is valid */
export function createSignatureChecker(secrets: string[]): SignatureChecker {
  const verifiers = secrets.map((secret) => new Webhook(secret));
  return {
    configured: verifiers.length > 0,
    check: (rawBody, headers) => {
      const given = HEADERS.map((name) => [name, headers[name]] as const);
      if (given.every(([, value]) => value === undefined)) return 'absent';
      const flat = Object.fromEntries(given.map(([name, value]) => [name, String(value ?? '')]));
      return verifiers.some((verifier) => verifies(verifier, rawBody, flat)) ? 'valid' : 'invalid';
    },
  };
}

function verifies(verifier: Webhook, rawBody: string, headers: Record<string, string>): boolean {
  try {
    // Also parses JSON in some versions, which a form body is not; its error comes only after
    // the signature was found good, and tells so by its type.
    verifier.verify(rawBody, headers);
    return true;
  } catch (error) {
    return error instanceof SyntaxError;
  }
}
