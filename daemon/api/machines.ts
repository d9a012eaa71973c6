import type { Observed, ObservedNode } from '../../provisioners/contract/observed.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';
import type { ClusterDetail } from '../operations/answers.ts';
import type { MachineView } from './schemas/inventory.ts';

/** Machines of a cluster as last seen: the provider's view and the Kubernetes Node side by side. */
export function machinesOf(cluster: ClusterDetail): readonly MachineView[] {
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
    node: nodeState(node, observed.nodes !== undefined),
    ...(node?.notReadyBecause === undefined ? {} : { notReadyBecause: node.notReadyBecause }),
    ...(node === undefined ? {} : { version: node.kubeletVersion }),
    seenAt: observed.at,
  };
}

function nodeState(node: { readonly ready: boolean } | undefined, wasSeen: boolean): MachineView['node'] {
  if (!wasSeen) return 'unseen';
  if (!node) return 'absent';
  return node.ready ? 'Ready' : 'NotReady';
}
