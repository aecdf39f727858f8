// The two generations of PortOne; they name the same things differently.

export type Gateway = 'v1' | 'v2';
