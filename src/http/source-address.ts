// Where a request comes from: the first address on its way that no proxy of ours vouches for.

import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import proxyAddr from 'proxy-addr';

/**
 * How many proxies stand in front of the service (0: none), or their addresses and ranges.
 * Anybody can write an X-Forwarded-For; only what these proxies added to it is believed.
 */
export type TrustedProxies = number | string[];

/** @returns reads the address off a request; empty where its caller has gone already */
export function sourceAddress(proxies: TrustedProxies): (request: IncomingMessage) => string {
  const trusts =
    typeof proxies === 'number'
      ? (_: string, hop: number) => hop < proxies
      : proxyAddr.compile(proxies);
  return (request) => {
    const address: string | undefined = proxyAddr(request, trusts);
    return plainAddress(address ?? '');
  };
}

/** @returns whether an address is one of those, or in one of those ranges (CIDR) */
export function addressList(ranges: string[]): (address: string) => boolean {
  // Named for blocking, and as good for letting in; mapped IPv4 it takes for IPv4 by itself.
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    if (prefix === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/**
 * As it is written in lists: sockets map IPv4 into IPv6, and some proxies write the port along
 * (`1.2.3.4:5678`, `[2001:db8::1]:5678`).
 */
function plainAddress(text: string): string {
  return text
    .trim()
    .replace(/^\[(.+)\](?::\d+)?$/, '$1')
    .replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1')
    .replace(/%.*$/, '')
    .replace(/^::ffff:(\d+(?:\.\d+){3})$/i, '$1');
}
