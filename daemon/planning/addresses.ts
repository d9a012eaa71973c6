import { UserProblem } from '../../provisioners/contract/problem.ts';
import type { NodeNetwork } from '../../provisioners/contract/provider.ts';
import {
  contains,
  countAddresses,
  formatAddress,
  networkAround,
  parseAddress,
  parseRange,
} from '../spec/schema/address.ts';

/** Whether an address lies in the ranges of a network. */
export function isIn(network: NodeNetwork, address: string): boolean {
  const at = parseAddress(address);
  return (
    at !== undefined &&
    network.ranges.flatMap((text) => parseRange(text) ?? []).some((range) => contains(range, at))
  );
}

/** What may not be given to a machine. */
interface Taken {
  /** Addresses of machines that are there, of the endpoint, of balancers' ranges; text as written. */
  readonly addresses: readonly string[];
}

/**
 * Hands out addresses of the node network, lowest first, in the order asked: the same input gives the same addresses.
 * The gateway, DNS servers, network and broadcast addresses and what is taken are passed over.
 */
export class AddressPool {
  readonly #ranges;
  readonly #taken: Set<number>;
  readonly #prefix: number;
  #range = 0;
  #next: number | undefined;

  constructor(network: NodeNetwork, taken: Taken) {
    this.#ranges = network.ranges.flatMap((text) => parseRange(text) ?? []);
    this.#prefix = network.prefix;
    const { gateway, dns } = network;
    const reserved = [...taken.addresses, ...dns, ...(gateway === undefined ? [] : [gateway])];
    this.#taken = new Set(reserved.flatMap((text) => parseAddress(text.split('/')[0] ?? '') ?? []));
  }

  /** The next free address. @throws UserProblem when the ranges are used up */
  take(machine: string): string {
    for (; this.#range < this.#ranges.length; this.#range += 1, this.#next = undefined) {
      const range = this.#ranges[this.#range];
      if (range === undefined) break;
      for (let at = this.#next ?? range.first; contains(range, at); at += 1) {
        if (this.#taken.has(at) || this.#isEdge(at)) continue;
        this.#next = at + 1;
        this.#taken.add(at);
        return formatAddress(at);
      }
    }
    throw new UserProblem('PLAN-004', `spec.nodeNetwork.ranges has no address left for ${machine}`, {
      place: { field: 'spec.nodeNetwork.ranges' },
      remedy: `Add a range: the ${countAddresses(this.#ranges)} addresses that are there are in use or reserved.`,
    });
  }

  #isEdge(address: number): boolean {
    const network = networkAround(address, this.#prefix);
    return address === network.first || address === network.last;
  }
}
