import ipaddr from 'ipaddr.js';
import { UserProblem } from '../../contract/problem.ts';
import type { NodeNetwork } from '../../contract/provider.ts';

/** An IPv4 network as two numbers: first address and prefix length. */
export interface Subnet {
  readonly first: number;
  readonly prefix: number;
}

/** 10.77.0.0/16 in /24s: apart from kubeadm's usual pod (10.244/16) and service (10.96/12) networks. */
const pool: Subnet = { first: 0x0a4d0000, prefix: 16 };
const prefixOfLab = 24;
/** The first ones are left to answer files that name theirs, as our examples do. */
const reserved = 16;
/** Offsets in a subnet chosen by us: machines below 100, above are free for virtual addresses. */
const firstMachine = 11;
const lastMachine = 99;

/** The four bytes of an address as one number. @throws UserProblem when it is not IPv4. */
export function parseAddress(text: string): number {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text))
    throw new UserProblem('LAB-010', `"${text}" is not an IPv4 address`, {
      value: text,
      remedy: 'Write four decimal numbers from 0 to 255, separated by dots.',
    });
  return ipaddr.IPv4.parse(text).octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** The other way round. */
export const formatAddress = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

/** The network an address with this prefix length lies in. */
export const subnetOf = (address: number, prefix: number): Subnet => ({
  first: Math.floor(address / 2 ** (32 - prefix)) * 2 ** (32 - prefix),
  prefix,
});

/** `10.77.5.0/24` as a subnet; host bits are ignored, a missing prefix means one address. */
export function parseSubnet(text: string): Subnet {
  const [address = '', prefix = '32'] = text.split('/');
  return subnetOf(parseAddress(address), Number(prefix));
}

/** A subnet as people write it. */
export const formatSubnet = (subnet: Subnet): string => `${formatAddress(subnet.first)}/${subnet.prefix}`;

/** Address of the last one in the subnet (the broadcast address). */
const lastOf = (subnet: Subnet): number => subnet.first + 2 ** (32 - subnet.prefix) - 1;

/** Whether two networks share an address. */
export const overlap = (one: Subnet, other: Subnet): boolean =>
  one.first <= lastOf(other) && other.first <= lastOf(one);

/** First and last address of `first-last` or CIDR. */
function parseRange(text: string): [number, number] {
  const [first, last] = text.split('-');
  if (first !== undefined && last !== undefined)
    return [parseAddress(first.trim()), parseAddress(last.trim())];
  const subnet = parseSubnet(text);
  return [subnet.first, lastOf(subnet)];
}

/** How a lab lies in its network. */
export interface LabNetwork {
  readonly subnet: Subnet;
  /** The box's own address. */
  readonly gateway: string;
  readonly ranges: readonly string[];
}

/**
 * The network the user asked for, as a lab needs it: the box takes the gateway's address, else the first one.
 * @throws UserProblem when a range leaves the subnet or holds the gateway.
 */
export function requestedNetwork(network: NodeNetwork): LabNetwork {
  const ranges = network.ranges.map((text) => ({ text, bounds: parseRange(text) }));
  const anchor =
    ranges[0]?.bounds[0] ?? (network.gateway === undefined ? undefined : parseAddress(network.gateway));
  if (anchor === undefined)
    throw new UserProblem('LAB-011', 'nodeNetwork names neither a range nor a gateway', {
      place: { field: 'spec.nodeNetwork.ranges' },
      remedy: 'Give a range such as 10.77.0.11-10.77.0.99, or leave nodeNetwork out: the lab chooses one.',
    });
  const subnet = subnetOf(anchor, network.prefix);
  const gateway = network.gateway === undefined ? subnet.first + 1 : parseAddress(network.gateway);
  for (const { text, bounds } of ranges) {
    const [first, last] = bounds;
    const isInside = subnet.first < first && first <= last && last < lastOf(subnet);
    if (isInside && (gateway < first || gateway > last)) continue;
    const why = isInside
      ? `holds the box's own address ${formatAddress(gateway)}`
      : `is not inside ${formatSubnet(subnet)}`;
    throw new UserProblem('LAB-012', `the range ${text} ${why}`, {
      place: { field: 'spec.nodeNetwork.ranges' },
      value: text,
      remedy: `Choose addresses of ${formatSubnet(subnet)} without the first, the last and the gateway.`,
    });
  }
  return { subnet, gateway: formatAddress(gateway), ranges: network.ranges };
}

/**
 * A network nobody uses yet, beginning with the one that `seed` points at so that parallel labs seldom ask for the same.
 * @throws UserProblem when all 240 are taken.
 */
export function chooseNetwork(taken: readonly Subnet[], seed: number): LabNetwork {
  const count = 2 ** (prefixOfLab - pool.prefix) - reserved;
  for (let step = 0; step < count; step += 1) {
    const first = pool.first + (reserved + ((seed + step) % count)) * 2 ** (32 - prefixOfLab);
    const subnet = { first, prefix: prefixOfLab };
    if (taken.some((other) => overlap(subnet, other))) continue;
    const range = `${formatAddress(first + firstMachine)}-${formatAddress(first + lastMachine)}`;
    return { subnet, gateway: formatAddress(first + 1), ranges: [range] };
  }
  throw new UserProblem(
    'LAB-013',
    `every /24 of ${formatSubnet(pool)} is used by a route of this box or by another lab`,
    {
      remedy:
        'Remove labs (scripts/lab list, scripts/lab down NAME) or name a free network in spec.nodeNetwork.',
    },
  );
}

/** All addresses of the ranges, in order. */
export function* addressesOf(ranges: readonly string[]): Generator<string> {
  for (const range of ranges) {
    const [first, last] = parseRange(range);
    for (let address = first; address <= last; address += 1) yield formatAddress(address);
  }
}
