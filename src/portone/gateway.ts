// The two generations of PortOne; they name the same things differently.

export const GATEWAYS = ['v1', 'v2'] as const;

export type Gateway = (typeof GATEWAYS)[number];
