import type { Observed, ObservedNode } from '../../provisioners/contract/observed.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';
import type { ClusterDetail } from '../operations/answers.ts';
import { keyFrom, lostCursor, type Page, pageOfFound } from './paging.ts';
import type { MachineView } from './schemas/inventory.ts';

/**
 * A page of the machines of these clusters. Only the clusters of the page are read: a house has thousands of machines.
 * @throws Failure 400 when the cursor points at a machine that is gone
 */
export function pageOfMachines(
  names: readonly string[],
  read: (name: string) => ClusterDetail,
  query: { readonly cursor?: string; readonly limit: number },
): Page<MachineView> {
  const key = keyFrom(query);
  const start = key === undefined ? 0 : names.findIndex((name) => key.startsWith(`${name}/`));
  if (start < 0) throw lostCursor();
  const found: MachineView[] = [];
  for (const name of names.slice(start)) {
    const machines = machinesOf(read(name));
    const isCut = key !== undefined && name === names[start];
    const at = isCut ? machines.findIndex((machine) => keyOf(machine) === key) + 1 : 0;
    if (isCut && at === 0) throw lostCursor();
    found.push(...machines.slice(at));
    if (found.length > query.limit) break;
  }
  return pageOfFound(found, keyOf, query.limit);
}

const keyOf = ({ cluster, name }: MachineView): string => `${cluster}/${name}`;

/** Machines of a cluster as last seen: the provider's view and the Kubernetes Node side by side. */
function machinesOf(cluster: ClusterDetail): readonly MachineView[] {
  const { observed } = cluster;
  if (!observed) return [];
  const nodes = new Map((observed.nodes ?? []).map((node) => [node.name, node]));
  const machines = new Map((observed.machines ?? []).map((machine) => [machine.name, machine]));
  const names = [...new Set([...machines.keys(), ...nodes.keys()])].sort();
  return names.map((name) =>
    machineView(cluster.name, observed, { name, machine: machines.get(name), node: nodes.get(name) }),
  );
}

function machineView(
  cluster: string,
  observed: Observed,
  seen: {
    readonly name: string;
    readonly machine: ProviderMachine | undefined;
    readonly node: ObservedNode | undefined;
  },
): MachineView {
  const { name, machine, node } = seen;
  const address = machine?.address ?? node?.internalAddress;
  return {
    cluster,
    name,
    role: machine?.role ?? (node?.controlPlane === true ? 'control-plane' : 'worker'),
    state: machine?.state ?? 'unseen',
    ...(address === undefined ? {} : { address }),
    node: machine?.role === 'etcd' ? 'none' : nodeState(node, observed.nodes !== undefined),
    ...(node?.notReadyBecause === undefined ? {} : { notReadyBecause: node.notReadyBecause }),
    ...departureOf(observed, name),
    ...(node === undefined ? {} : { version: node.kubeletVersion }),
    seenAt: observed.at,
  };
}

/** What was seen before this release knows nobody who leaves. */
function departureOf(
  { retired = {} }: Partial<Observed>,
  name: string,
): Pick<MachineView, 'departure' | 'unfencedBecause'> {
  const retirement = retired[name];
  if (retirement?.unfenced !== undefined)
    return { departure: 'unfenced', unfencedBecause: retirement.unfenced.why };
  return retirement === undefined ? {} : { departure: retirement.isFenced ? 'kept' : 'leaving' };
}

function nodeState(node: { readonly ready: boolean } | undefined, wasSeen: boolean): MachineView['node'] {
  if (!wasSeen) return 'unseen';
  if (!node) return 'absent';
  return node.ready ? 'Ready' : 'NotReady';
}
