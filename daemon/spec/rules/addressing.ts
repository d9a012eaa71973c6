import { completeCluster } from '../completion.ts';
import {
  type AddressRange,
  formatAddress,
  type Network,
  networkAround,
  parseAddress,
  parseNetwork,
  parseRange,
} from '../schema/address.ts';
import type { Path } from '../schema/walk.ts';
import type { ClusterContext } from './context.ts';

/** A stretch of addresses with where it was written and what it is called in a sentence. */
export interface Placed<Range extends AddressRange = AddressRange> {
  readonly path: Path;
  readonly range: Range;
  readonly name: string;
}

/** A placed stretch as the subject of a sentence. */
export const subjectOf = ({ range, name }: Placed, isPool = range.first !== range.last): string =>
  isPool ? `${range.text} of ${name}` : `The ${name} ${range.text}`;

/** All addresses of a cluster, the lab's own choices included. */
export interface Addressing {
  readonly pods: readonly Placed<Network>[];
  readonly services: readonly Placed<Network>[];
  /** Stretches for machines. */
  readonly machines: readonly Placed[];
  readonly loadBalancer: readonly Placed[];
  /** The network of the machines; undefined when nobody said. */
  readonly node: Placed<Network> | undefined;
  readonly endpoint: Placed | undefined;
  readonly gateway: Placed | undefined;
  /** DNS and time servers given by address. */
  readonly servers: readonly Placed[];
}

const base: Path = ['spec', 'nodeNetwork'];

function single(value: string | undefined, path: Path, name: string): Placed | undefined {
  const address = value === undefined ? undefined : parseAddress(value);
  if (value === undefined || address === undefined) return undefined;
  return { path, name, range: { first: address, last: address, text: value } };
}

function placedRanges(values: readonly string[], path: Path, name: string): Placed[] {
  return values.flatMap((value, index) => {
    const range = parseRange(value);
    return range ? [{ path: [...path, index], range, name }] : [];
  });
}

function placedNetworks(values: readonly string[], path: Path, name: string): Placed<Network>[] {
  return values.flatMap((value, index) => {
    const range = parseNetwork(value);
    return range ? [{ path: [...path, index], range, name }] : [];
  });
}

/** Reads the addresses of a cluster. */
export function addressingOf({ cluster, provider }: ClusterContext): Addressing {
  const { clusterNetwork, addons } = cluster.spec;
  const completed = provider ? completeCluster(cluster, provider) : undefined;
  const isLab = provider?.spec.type === 'lab';
  // A lab that names no subnet gets a free one when it is made: there is nothing to compare with yet.
  const isChosenLater = isLab && provider.spec.lab?.subnet === undefined;
  const nodes = isChosenLater
    ? cluster.spec.nodeNetwork
    : (completed?.nodeNetwork ?? cluster.spec.nodeNetwork);
  const host = isChosenLater
    ? cluster.spec.controlPlane.endpoint.host
    : (completed?.endpointHost ?? cluster.spec.controlPlane.endpoint.host);
  const machines = nodes ? placedRanges(nodes.ranges, [...base, 'ranges'], 'the machines') : [];
  const gateway = single(nodes?.gateway, [...base, 'gateway'], 'gateway');
  const anchor = gateway?.range.first ?? machines[0]?.range.first;
  const lab =
    isLab && provider.spec.lab?.subnet !== undefined ? parseNetwork(provider.spec.lab.subnet) : undefined;
  const network = nodes && anchor !== undefined ? networkAround(anchor, nodes.prefix) : undefined;
  const nodeRange = lab ?? network;
  const namedServers = [
    ...(nodes?.dns ?? []).map((value, index) => single(value, [...base, 'dns', index], 'DNS server')),
    ...(nodes?.ntp ?? []).map((value, index) => single(value, [...base, 'ntp', index], 'time server')),
  ];
  return {
    pods: placedNetworks(
      clusterNetwork.pods.cidrBlocks,
      ['spec', 'clusterNetwork', 'pods', 'cidrBlocks'],
      'the pods',
    ),
    services: placedNetworks(
      clusterNetwork.services.cidrBlocks,
      ['spec', 'clusterNetwork', 'services', 'cidrBlocks'],
      'the Services',
    ),
    machines,
    loadBalancer: placedRanges(
      addons.loadBalancer?.ranges ?? [],
      ['spec', 'addons', 'loadBalancer', 'ranges'],
      'the load balancer',
    ),
    node: nodeRange && { path: base, range: nodeRange, name: lab ? 'the lab' : "the machines' network" },
    endpoint: single(host, ['spec', 'controlPlane', 'endpoint', 'host'], 'API address'),
    gateway,
    servers: namedServers.filter((server) => server !== undefined),
  };
}

/** A private network of the given prefix length that meets none of the taken ones; undefined when 10/8 is full. */
export function freeNetwork(prefix: number, taken: readonly AddressRange[]): string | undefined {
  const size = 2 ** (32 - prefix);
  const start = 10 * 2 ** 24;
  const tries = Math.min(512, 2 ** 24 / size);
  for (let index = 1; index < tries; index += 1) {
    const first = start + index * size;
    const isFree = taken.every((range) => range.last < first || range.first > first + size - 1);
    if (isFree) return `${formatAddress(first)}/${prefix}`;
  }
  return undefined;
}
