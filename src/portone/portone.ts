// PortOne as the rest of the program sees it: V1 and V2 side by side, each only if configured.

import type { Clock } from '../clock.ts';
import type { Gateway } from './gateway.ts';
import type { PaymentApi } from './payment.ts';
import { createV1Api } from './v1.ts';
import { createV2Api } from './v2.ts';

export interface PortOneOptions {
  v1: { url: string; key: string; secret: string } | undefined;
  v2: { url: string; secret: string } | undefined;
  timeoutMs: number;
  clock: Clock;
  onCall?: (call: { path: string; status: number | 'unreachable'; tookMs: number }) => void;
}

export interface PortOne {
  /** @returns undefined where no credentials are configured: then nobody can be asked */
  api(gateway: Gateway): PaymentApi | undefined;
}

export function createPortOne(options: PortOneOptions): PortOne {
  const common = {
    timeoutMs: options.timeoutMs,
    ...(options.onCall ? { onCall: options.onCall } : {}),
  };
  const { v1, v2 } = options;
  const apis: Record<Gateway, PaymentApi | undefined> = {
    v1: v1 && createV1Api({ ...common, ...v1, baseUrl: v1.url, clock: options.clock }),
    v2: v2 && createV2Api({ ...common, ...v2, baseUrl: v2.url }),
  };
  return { api: (gateway) => apis[gateway] };
}
