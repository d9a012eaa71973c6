import { hostname, networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import type { Names } from './certificates.ts';

/** Private, shared and loopback networks (RFC 1918, 3927, 4193, 4291, 6598): a site's own, nobody else's. */
const siteNetworks = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
] as const;

/** Whether an address lies in one of the networks (CIDR). */
function liesIn(address: string, networks: readonly string[]): boolean {
  const parsed = ipaddr.process(address);
  return networks.some((network) => {
    const [range, bits] = ipaddr.parseCIDR(network);
    return range.kind() === parsed.kind() && parsed.match(range, bits);
  });
}

/** What clients on this host and on its networks may call it. Scoped IPv6 addresses cannot stand in a certificate. */
export function hostNames(extraNames: readonly string[]): Names {
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map((entry) => entry.address)
    .filter((address) => !address.startsWith('fe80:'));
  const extra = extraNames.map((name) => ({ name, isAddress: ipaddr.isValid(name) }));
  return {
    dns: unique([
      'localhost',
      hostname().toLowerCase(),
      ...extra.flatMap(({ name, isAddress }) => (isAddress ? [] : [name.toLowerCase()])),
    ]),
    ip: unique([
      '127.0.0.1',
      '::1',
      ...own,
      ...extra.flatMap(({ name, isAddress }) => (isAddress ? [name] : [])),
    ]),
  };
}

/** What a new site CA may sign for: the host's names of today, all site networks, and its public addresses one by one. */
export function authorityScope(extraNames: readonly string[]): Names {
  const names = hostNames(extraNames);
  const elsewhere = names.ip.filter((address) => !liesIn(address, siteNetworks));
  return {
    dns: names.dns,
    ip: [...siteNetworks, ...elsewhere.map((address) => `${address}/${address.includes(':') ? 128 : 32}`)],
  };
}

/** Splits names into those a CA may sign for and those it may not. */
export function withinScope(names: Names, scope: Names): { permitted: Names; refused: readonly string[] } {
  const isNamed = (name: string): boolean =>
    scope.dns.some((base) => name === base || name.endsWith(`.${base}`));
  return {
    permitted: {
      dns: names.dns.filter(isNamed),
      ip: names.ip.filter((address) => liesIn(address, scope.ip)),
    },
    refused: [
      ...names.dns.filter((name) => !isNamed(name)),
      ...names.ip.filter((address) => !liesIn(address, scope.ip)),
    ],
  };
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];
