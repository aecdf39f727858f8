// What an operator watches of PortOne: how long it takes, what it answers, whether it is left alone.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { GATEWAYS, type Gateway } from '../portone/gateway.ts';
import type { CircuitChange, GatewayCall } from '../portone/http.ts';

export interface GatewayMetrics {
  gatewayCalled(call: GatewayCall): void;
  gatewayCircuit(change: CircuitChange): void;
  gatewayUnreadable(gateway: Gateway): void;
}

/** Up to the minute that a charge may take, in seconds. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function gatewayMetrics(registers: Registry[]): GatewayMetrics {
  const calls = new Histogram({
    name: 'seatline_portone_call_seconds',
    help: 'Calls to PortOne, by gateway, operation and status',
    labelNames: ['gateway', 'operation', 'status'],
    buckets: BUCKETS,
    registers,
  });
  const circuits = new Gauge({
    name: 'seatline_portone_circuit_open',
    help: 'Circuits to PortOne that are open; V2 has a second one for charges',
    labelNames: ['gateway'],
    registers,
  });
  const unreadable = new Counter({
    name: 'seatline_portone_unreadable_total',
    help: 'Payments in a list of PortOne in a shape that we do not know',
    labelNames: ['gateway'],
    registers,
  });
  for (const gateway of GATEWAYS) {
    circuits.set({ gateway }, 0);
    unreadable.inc({ gateway }, 0);
  }
  return {
    gatewayCalled: ({ gateway, operation, status, tookMs }) =>
      calls.observe({ gateway, operation, status: String(status) }, tookMs / 1000),
    gatewayCircuit: ({ gateway, open }) => circuits.inc({ gateway }, open ? 1 : -1),
    gatewayUnreadable: (gateway) => unreadable.inc({ gateway }),
  };
}
