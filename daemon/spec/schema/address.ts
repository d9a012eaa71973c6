import ipaddr from 'ipaddr.js';

/** A stretch of IPv4 addresses as numbers, both ends included. */
export interface AddressRange {
  readonly first: number;
  readonly last: number;
  /** As a person reads it. */
  readonly text: string;
}

/** An IPv4 network: its stretch and its prefix length. */
export interface Network extends AddressRange {
  readonly prefix: number;
}

/** An IPv4 address as a number from 0 to 2^32-1; undefined when it is none. Only the four-part decimal form. */
export function parseAddress(value: string): number | undefined {
  if (!ipaddr.IPv4.isValidFourPartDecimal(value)) return undefined;
  return ipaddr.IPv4.parse(value)
    .toByteArray()
    .reduce((sum, byte) => sum * 256 + byte, 0);
}

/** The four-part text of an address. */
export const formatAddress = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');

/** The network a CIDR lies in, host bits dropped; undefined when the text is no IPv4 CIDR. */
export function parseNetwork(value: string): Network | undefined {
  const parts = /^([\d.]+)\/(\d|[12]\d|3[0-2])$/.exec(value);
  const address = parts ? parseAddress(parts[1] ?? '') : undefined;
  if (!parts || address === undefined) return undefined;
  const prefix = Number(parts[2]);
  return networkAround(address, prefix);
}

/** The network of the given prefix length around an address. */
export function networkAround(address: number, prefix: number): Network {
  const size = 2 ** (32 - prefix);
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1, prefix, text: `${formatAddress(first)}/${prefix}` };
}

/** True when the host bits of a CIDR are zero. */
export const isNetworkAddress = (value: string): boolean => parseNetwork(value)?.text === value;

/** `first-last` or a CIDR; undefined when it is neither or ends before it begins. */
export function parseRange(value: string): AddressRange | undefined {
  if (value.includes('/')) return parseNetwork(value);
  const [first, last, ...rest] = value.split('-').map((part) => parseAddress(part.trim()));
  if (first === undefined || last === undefined || rest.length > 0 || first > last) return undefined;
  return { first, last, text: value };
}

/** True when two stretches have an address in common. */
export const overlaps = (a: AddressRange, b: AddressRange): boolean => a.first <= b.last && b.first <= a.last;

/** True when the address lies in the stretch. */
export const contains = (range: AddressRange, address: number): boolean =>
  range.first <= address && address <= range.last;

/** How many addresses the stretches hold together, each counted once. */
export function countAddresses(ranges: readonly AddressRange[]): number {
  const sorted = ranges.toSorted((a, b) => a.first - b.first);
  let count = 0;
  let reached = -1;
  for (const range of sorted) {
    const first = Math.max(range.first, reached + 1);
    if (range.last >= first) count += range.last - first + 1;
    reached = Math.max(reached, range.last);
  }
  return count;
}
