import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import { releaseSubnet, routedNetworks } from '../../provisioners/infrastructure/lab/claim.ts';
import { generateSshKey } from '../../provisioners/contract/ssh-key.ts';
import {
  addressesOf,
  chooseNetwork,
  formatAddress,
  formatSubnet,
  overlap,
  parseAddress,
  parseSubnet,
  requestedNetwork,
  subnetOf,
  type Subnet,
} from '../../provisioners/infrastructure/lab/subnet.ts';

const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const subnet = fc
  .tuple(address, fc.integer({ min: 0, max: 32 }))
  .map(([value, prefix]) => subnetOf(value, prefix));
/** Networks where labs look for a place, so that they do get in the way. */
const nearby = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 16 - 1 }), fc.integer({ min: 17, max: 30 }))
  .map(([offset, prefix]): Subnet => subnetOf(parseAddress('10.77.0.0') + offset, prefix));

describe('subnets of labs', () => {
  test('addresses and subnets read as they were written', () => {
    fc.assert(fc.property(address, (value) => parseAddress(formatAddress(value)) === value));
    fc.assert(
      fc.property(subnet, (value) => formatSubnet(parseSubnet(formatSubnet(value))) === formatSubnet(value)),
    );
  });

  test('two networks overlap exactly when one holds an end of the other', () => {
    const holds = (outer: Subnet, value: number): boolean =>
      subnetOf(value, outer.prefix).first === outer.first;
    fc.assert(
      fc.property(
        subnet,
        subnet,
        (one, other) => overlap(one, other) === (holds(one, other.first) || holds(other, one.first)),
      ),
    );
  });

  test('complaint 15: a chosen network meets no route of the box, and its machines are inside it', () => {
    fc.assert(
      fc.property(fc.array(nearby, { maxLength: 40 }), fc.nat(), (taken, seed) => {
        const isFull = taken.some((other) => other.prefix <= 16);
        fc.pre(!isFull);
        let chosen;
        try {
          chosen = chooseNetwork(taken, seed);
        } catch (error) {
          expect(error).toBeInstanceOf(UserProblem);
          return;
        }
        expect(taken.filter((other) => overlap(other, chosen.subnet))).toEqual([]);
        const machines = [...addressesOf(chosen.ranges)];
        expect(machines).not.toContain(chosen.gateway);
        expect(machines.every((machine) => overlap(parseSubnet(machine), chosen.subnet))).toBe(true);
      }),
    );
  });

  test('a full pool is said, with what to do', () => {
    expect(() => chooseNetwork([parseSubnet('10.0.0.0/8')], 7)).toThrow(/used by a route of this box/);
  });

  test.for([
    [
      'range outside the subnet',
      { ranges: ['10.5.0.11-10.6.0.20'], prefix: 24 },
      /10\.5\.0\.11-10\.6\.0\.20 is not inside 10\.5\.0\.0\/24/,
    ],
    [
      'gateway in the range',
      { ranges: ['10.5.0.1-10.5.0.20'], prefix: 24 },
      /holds the box's own address 10\.5\.0\.1/,
    ],
    ['neither range nor gateway', { ranges: [], prefix: 24 }, /neither a range nor a gateway/],
    ['not an address', { ranges: ['10.5.0.300'], prefix: 24 }, /"10\.5\.0\.300" is not an IPv4 address/],
  ] as const)(
    'H5: a nodeNetwork with %s is refused with the value the user wrote',
    ([, network, message]) => {
      const given = { dns: [], ntp: [], prefix: network.prefix, ranges: [...network.ranges] };
      expect(() => requestedNetwork(given)).toThrow(message);
      expect(() => requestedNetwork(given)).toThrow(UserProblem);
    },
  );
});

test('complaint 15: a route that leads nowhere takes no network from a lab, any other does', () => {
  const printed = JSON.stringify([
    { type: 'unreachable', dst: '10.77.0.0/16' },
    { type: 'blackhole', dst: '10.78.0.0/16' },
    { dst: '10.77.20.0/24', dev: 'eth1' },
    { type: 'local', dst: '127.0.0.0/8', dev: 'lo' },
  ]);
  expect(routedNetworks(printed)).toEqual(['10.77.20.0/24', '127.0.0.0/8']);
});

test('complaint 15: of processes that want the same subnets at the same moment, each gets its own', async () => {
  const subnets = Array.from({ length: 12 }, (_, index) => `10.126.${200 + index}.0/24`);
  const claimer = join(import.meta.dirname, 'provider-claimer.ts');
  const claim = async (id: string): Promise<readonly string[]> => {
    const { stdout } = await promisify(execFile)(process.execPath, [claimer, id, ...subnets]);
    return JSON.parse(stdout) as readonly string[];
  };
  const ids = ['c1a11111', 'c1a22222', 'c1a33333'];
  try {
    const won = (await Promise.all(ids.map(claim))).flat();
    expect([...won].sort()).toEqual([...subnets].sort());
  } finally {
    for (const each of subnets) for (const id of ids) await releaseSubnet(id, each);
  }
});

test('every generated SSH key is whole: ssh2 alone spoils one in 256', () => {
  const lengths = Array.from(
    { length: 1500 },
    () => Buffer.from(generateSshKey('test').public.split(' ')[1] ?? '', 'base64').length,
  );
  // RFC 8709: two length fields, the name of 11 bytes, a point of 32.
  expect(new Set(lengths)).toEqual(new Set([51]));
});
