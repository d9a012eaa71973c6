import { createHash } from 'node:crypto';
import type { MachineShape } from '../../provisioners/contract/machine.ts';
import type { Observed, ObservedNode } from '../../provisioners/contract/observed.ts';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';
import { type CompletedCluster, completeCluster } from '../spec/completion.ts';
import type { ClusterDocument, ProviderDocument, WorkerGroup } from '../spec/documents.ts';
import { AddressPool } from './addresses.ts';
import { configDigest, type Taint } from './config-digest.ts';

/** One machine as the document wants it, beside what there is of it. */
export interface WantedMachine {
  readonly name: string;
  readonly role: 'control-plane' | 'worker';
  readonly shape: MachineShape;
  /** Known before the machine exists where addresses are ours to give; absent where the provider gives them. */
  readonly address?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly digest: string;
  readonly incarnation: number;
  readonly token: string;
  /** What the provider has under this name. */
  readonly machine?: ProviderMachine;
  /** What Kubernetes has under this name. */
  readonly node?: ObservedNode;
}

interface Place {
  readonly name: string;
  readonly role: WantedMachine['role'];
  readonly shape: MachineShape;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
}

const taintOf = ({ key, value, effect }: WorkerGroup['taints'][number]): Taint =>
  value === undefined ? { key, effect } : { key, value, effect };

/** Every machine of the document, masters first: `<cluster>-cp-1`, `<cluster>-<group>-1`. */
function places({ document, controlPlaneMachine, workerMachines }: CompletedCluster): Place[] {
  const { metadata, spec } = document;
  const names = (part: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${metadata.name}-${part}-${index + 1}`);
  const masters = names('cp', spec.controlPlane.replicas).map(
    (name): Place => ({ name, role: 'control-plane', shape: controlPlaneMachine, labels: {}, taints: [] }),
  );
  const workers = spec.workers.flatMap((group) =>
    names(group.name, group.replicas).map((name): Place => {
      const shape = workerMachines[group.name] ?? controlPlaneMachine;
      return { name, role: 'worker', shape, labels: group.labels, taints: group.taints.map(taintOf) };
    }),
  );
  return [...masters, ...workers];
}

/** The identity of one try at one machine: the same for every repeat, another for its successor (DESIGN §4). */
const tokenOf = (uid: string, name: string, incarnation: number): string =>
  createHash('sha256')
    .update(JSON.stringify([uid, name, incarnation]))
    .digest('hex')
    .slice(0, 32);

/**
 * The incarnation of a machine. It rises only when a machine that was met is not there any more: one that nobody met
 * may still be on its way, and is made, or found, under the same token again.
 */
function incarnationOf(name: string, observed: Observed, machine: ProviderMachine | undefined): number {
  if (machine !== undefined) return machine.incarnation;
  const used = observed.incarnations[name] ?? 0;
  const wasMet = observed.references[name] !== undefined;
  return Math.max(1, wasMet ? used + 1 : used);
}

/** Addresses of hosts that exist already, by role, in the order of the document. */
function listedAddresses(wanted: readonly Place[], provider: ProviderDocument): Map<string, string> {
  const found = new Map<string, string>();
  for (const role of ['control-plane', 'worker'] as const) {
    const hosts = (provider.spec.hosts ?? []).filter((host) => host.role === role);
    const asked = wanted.filter((place) => place.role === role);
    if (asked.length > hosts.length)
      throw new UserProblem(
        'PLAN-005',
        `The cluster asks for ${asked.length} machines of role ${role}, provider ${provider.metadata.name} lists ${hosts.length} hosts`,
        {
          place: { document: `Provider/${provider.metadata.name}`, field: 'spec.hosts' },
          remedy: `Add hosts of role ${role}, or ask for fewer machines.`,
        },
      );
    asked.forEach((place, index) => found.set(place.name, hosts[index]?.address ?? ''));
  }
  return found;
}

/** Gives addresses to machines: those that are there keep theirs. */
function addressesFor(
  wanted: readonly Place[],
  { nodeNetwork, endpointHost }: CompletedCluster,
  provider: ProviderDocument,
  observed: Observed,
): Map<string, string> {
  if (provider.spec.type === 'hosts') return listedAddresses(wanted, provider);
  const found = new Map<string, string>();
  for (const { name, address } of observed.machines ?? [])
    if (address !== undefined) found.set(name, address);
  if (nodeNetwork === undefined) return found;
  const pool = new AddressPool(nodeNetwork, { addresses: [...found.values(), endpointHost ?? ''] });
  for (const { name } of wanted) if (!found.has(name)) found.set(name, pool.take(name));
  return found;
}

/** Every machine the document wants, with what there is of it. Pure; order and addresses are stable. */
export function wantedMachines(
  document: ClusterDocument,
  provider: ProviderDocument,
  observed: Observed,
): WantedMachine[] {
  const completed = completeCluster(document, provider);
  const wanted = places(completed);
  const addresses = addressesFor(wanted, completed, provider, observed);
  const machines = new Map((observed.machines ?? []).map((machine) => [machine.name, machine]));
  const nodes = new Map((observed.nodes ?? []).map((node) => [node.name, node]));
  const wantedAt = (place: Place): WantedMachine => {
    const machine = machines.get(place.name);
    const node = nodes.get(place.name);
    const address = addresses.get(place.name);
    const incarnation = incarnationOf(place.name, observed, machine);
    return {
      ...place,
      incarnation,
      token: machine?.token ?? tokenOf(observed.cluster.uid, place.name, incarnation),
      digest: configDigest(document, place),
      ...(address === undefined ? {} : { address }),
      ...(machine === undefined ? {} : { machine }),
      ...(node === undefined ? {} : { node }),
    };
  };
  return wanted.map(wantedAt);
}
