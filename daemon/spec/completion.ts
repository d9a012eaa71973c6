import type { NodeNetwork } from '../../provisioners/contract/provider.ts';
import type { MachineShape } from '../../provisioners/contract/machine.ts';
import type { ClusterDocument, ProviderDocument } from './documents.ts';
import { formatAddress, networkAround, overlaps, parseNetwork, parseRange } from './schema/address.ts';

/** A cluster with nothing left to choose: what planning works on. */
export interface CompletedCluster {
  readonly document: ClusterDocument;
  /** Absent only where the provider hands out addresses itself (hosts, ec2). */
  readonly nodeNetwork?: NodeNetwork;
  /** Address or name of the Kubernetes API. Absent only where the provider makes it (ec2). */
  readonly endpointHost?: string;
  readonly controlPlaneMachine: MachineShape;
  /** Of machines of etcd alone, whether there are any or not. */
  readonly etcdMachine: MachineShape;
  /** Worker group name → shape. */
  readonly workerMachines: Readonly<Record<string, MachineShape>>;
}

/** The lab's own choices inside its subnet; documented in the reference. Offsets from the network address. */
const lab = { gateway: 1, firstMachine: 11, endpoint: 100, lastMachine: 250 } as const;

/** Subnet of a lab whose Provider names none and for which nobody chose one: for `validate` and examples. */
const DEFAULT_LAB_SUBNET = '10.77.0.0/24';

/** Subnets tried for a lab, in this order: 10.77.0.0/24 to 10.126.0.0/24. */
const LAB_SUBNETS = 50;

/**
 * A subnet for a lab whose Provider names none: the first that overlaps none of the taken networks (other labs, the
 * host's routes). Undefined when all are taken.
 */
export function chooseLabSubnet(taken: readonly string[]): string | undefined {
  const used = taken.flatMap((text) => parseRange(text) ?? []);
  return Array.from({ length: LAB_SUBNETS }, (_, index) => `10.${77 + index}.0.0/24`).find((subnet) => {
    const network = parseNetwork(subnet);
    return network !== undefined && !used.some((range) => overlaps(range, network));
  });
}

/** The network a completed cluster stands in; undefined where nothing says it. */
function networkOf({ spec: { nodeNetwork } }: ClusterDocument): string | undefined {
  const range = parseRange(nodeNetwork?.ranges[0] ?? '');
  return nodeNetwork && range && networkAround(range.first, nodeNetwork.prefix).text;
}

/**
 * The subnet of a cluster whose lab names none: the one it was kept with, else a free one beside the other kept
 * clusters and the subnets that lab providers name. Undefined where there is nothing to choose, or nothing is free.
 */
export function labSubnetFor(
  cluster: ClusterDocument,
  provider: ProviderDocument,
  known: { readonly clusters: readonly ClusterDocument[]; readonly providers: readonly ProviderDocument[] },
): string | undefined {
  if (provider.spec.type !== 'lab' || provider.spec.lab?.subnet !== undefined) return undefined;
  const { name } = cluster.metadata;
  const kept = known.clusters.find(({ metadata }) => metadata.name === name);
  if (kept?.spec.provider === cluster.spec.provider) return networkOf(kept);
  const others = known.clusters.filter(({ metadata }) => metadata.name !== name);
  return chooseLabSubnet([
    ...others.flatMap((other) => networkOf(other) ?? []),
    ...known.providers.flatMap(({ spec }) => spec.lab?.subnet ?? []),
  ]);
}

/**
 * Masters by number of nodes (REQUIREMENTS H3); CPUs never below 2, which is kubeadm's minimum. Memory in bytes, the
 * table's GB read as GiB.
 */
const masterTable = [
  { nodes: 5, cpus: 2, memory: 3.75 },
  { nodes: 10, cpus: 2, memory: 7.5 },
  { nodes: 100, cpus: 4, memory: 15 },
  { nodes: 250, cpus: 8, memory: 30 },
  { nodes: 500, cpus: 16, memory: 60 },
  { nodes: Number.POSITIVE_INFINITY, cpus: 32, memory: 120 },
] as const;

/** What etcd's manual calls a small cluster's machine (https://etcd.io/docs/v3.5/op-guide/hardware/), memory in bytes. */
const smallEtcd = { cpus: 2, memory: 8 * 2 ** 30 };

type Machine = ClusterDocument['spec']['controlPlane']['machine'];

/** The network of a lab's machines, from its subnet. */
export function labNodeNetwork(subnet: string): NodeNetwork {
  const network = parseNetwork(subnet);
  if (!network) throw new Error(`the lab's subnet ${subnet} was not validated`);
  const at = (offset: number) => formatAddress(network.first + offset);
  return {
    ranges: [
      `${at(lab.firstMachine)}-${at(lab.endpoint - 1)}`,
      `${at(lab.endpoint + 1)}-${at(lab.lastMachine)}`,
    ],
    prefix: network.prefix,
    gateway: at(lab.gateway),
    dns: [],
    ntp: [],
  };
}

function shapeOf(machine: Machine, automatic: { cpus: number; memory: number }): MachineShape {
  const disks = machine.disks.map((disk) =>
    disk.type === undefined ? { size: disk.size } : { size: disk.size, type: disk.type },
  );
  return { cpus: machine.cpus ?? automatic.cpus, memory: machine.memory ?? automatic.memory, disks };
}

function automaticShape(cluster: ClusterDocument, provider: ProviderDocument) {
  const { lab: section, type } = provider.spec;
  if (type === 'lab') return { cpus: section?.cpus ?? 2, memory: section?.memory ?? 2 * 2 ** 30 };
  const workers = cluster.spec.workers.reduce((sum, group) => sum + group.replicas, 0);
  const nodes = workers + cluster.spec.controlPlane.replicas;
  const row = masterTable.find((candidate) => nodes <= candidate.nodes) ?? masterTable[5];
  return { cpus: row.cpus, memory: row.memory * 2 ** 30 };
}

/**
 * Fills in what the user left open: the lab's addresses, machine sizes. Pure; the same input gives the same result.
 * `labSubnet` is the subnet chosen for a lab whose Provider names none (the caller keeps the choice).
 */
export function completeCluster(
  cluster: ClusterDocument,
  provider: ProviderDocument,
  labSubnet: string = DEFAULT_LAB_SUBNET,
): CompletedCluster {
  const automatic = automaticShape(cluster, provider);
  const shapes = {
    document: cluster,
    // A lab may count its machines as smaller; kubeadm refuses a master with fewer than 2 CPUs.
    controlPlaneMachine: shapeOf(cluster.spec.controlPlane.machine, {
      ...automatic,
      cpus: Math.max(2, automatic.cpus),
    }),
    etcdMachine: shapeOf(
      cluster.spec.etcd.machine,
      provider.spec.type === 'lab' ? { ...automatic, cpus: Math.max(2, automatic.cpus) } : smallEtcd,
    ),
    workerMachines: Object.fromEntries(
      cluster.spec.workers.map((group) => [group.name, shapeOf(group.machine, automatic)]),
    ),
  };
  const { nodeNetwork } = cluster.spec;
  const { host } = cluster.spec.controlPlane.endpoint;
  if (provider.spec.type !== 'lab')
    return {
      ...shapes,
      ...(nodeNetwork && { nodeNetwork }),
      ...(host !== undefined && { endpointHost: host }),
    };
  const subnet = provider.spec.lab?.subnet ?? labSubnet;
  const network = parseNetwork(subnet);
  if (!network) throw new Error(`the lab's subnet ${subnet} was not validated`);
  return {
    ...shapes,
    nodeNetwork: nodeNetwork ?? labNodeNetwork(subnet),
    endpointHost: host ?? formatAddress(network.first + lab.endpoint),
  };
}
