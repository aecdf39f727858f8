/** The payment providers that the sandbox plays, as V1 and V2 call them. */

export const PROVIDERS = ['nice', 'inicis'] as const;
export type Provider = (typeof PROVIDERS)[number];

export const PROVIDER_NAMES: Record<Provider, { v1: string; v2: string }> = {
  nice: { v1: 'nice_v2', v2: 'NICE_V2' },
  // Closes a virtual account on V1 for those only who name the API key of their Inicis contract.
  inicis: { v1: 'html5_inicis', v2: 'INICIS_V2' },
};

/** Of a V1 `pg`, as in `html5_inicis.MID`; others are played by the one that needs no key. */
export const providerOf = (pg: string | null): Provider =>
  pg?.includes('inicis') ? 'inicis' : 'nice';
