// PortOne as the rest of the program sees it: V1 and V2 side by side, each only if configured.

import type { Clock } from '../clock.ts';
import type { Gateway } from './gateway.ts';
import type { CircuitChange, GatewayCall } from './http.ts';
import type { PaymentApi } from './payment.ts';
import { createV1Api } from './v1.ts';
import { createV2Api } from './v2.ts';

/** PortOne recommends to wait a minute or longer for a charge. */
const CONFIRM_TIMEOUT_MS = 60_000;

export interface PortOneOptions {
  v1: { url: string; key: string; secret: string } | undefined;
  v2: { url: string; secret: string } | undefined;
  timeoutMs: number;
  /** For the manual confirm of V2 alone. */
  confirmTimeoutMs?: number | undefined;
  clock: Clock;
  onCall?: ((call: GatewayCall) => void) | undefined;
  onCircuit?: ((change: CircuitChange) => void) | undefined;
  /** A payment in a list was in a shape that we do not know, and was left out. */
  onUnreadable?: ((gateway: Gateway) => void) | undefined;
}

export interface PortOne {
  /** @returns undefined where no credentials are configured: then nobody can be asked */
  api(gateway: Gateway): PaymentApi | undefined;
}

export function createPortOne(options: PortOneOptions): PortOne {
  const { v1, v2, timeoutMs, clock, onCall, onCircuit } = options;
  const confirmTimeoutMs = options.confirmTimeoutMs ?? CONFIRM_TIMEOUT_MS;
  const common = (gateway: Gateway) => ({
    timeoutMs,
    onCall,
    onCircuit,
    onUnreadable: () => options.onUnreadable?.(gateway),
  });
  const apis: Record<Gateway, PaymentApi | undefined> = {
    v1: v1 && createV1Api({ ...common('v1'), ...v1, baseUrl: v1.url, clock }),
    v2: v2 && createV2Api({ ...common('v2'), ...v2, baseUrl: v2.url, confirmTimeoutMs }),
  };
  return { api: (gateway) => apis[gateway] };
}
