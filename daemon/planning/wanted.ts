import { createHash } from 'node:crypto';
import type { MachineShape } from '../../provisioners/contract/machine.ts';
import type { Observed, Retirement } from '../../provisioners/contract/observed.ts';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';
import { isOfVersion } from '../../provisioners/kubernetes/cluster-health.ts';
import { tagOf } from '../../provisioners/kubernetes/versions.ts';
import { type CompletedCluster, completeCluster } from '../spec/completion.ts';
import type { ClusterDocument, ProviderDocument, WorkerGroup } from '../spec/documents.ts';
import { isEtcdApart } from '../spec/rules/etcd.ts';
import { AddressPool, isIn } from './addresses.ts';
import { configDigest, isSameMachine, type Taint } from './config-digest.ts';
import { hasEtcdChanged } from './etcd-machines.ts';
import { isEtcdUpgradedInPlace, isUpgradedInPlace } from './in-place-machines.ts';
import { directionOf } from './upgrade.ts';
import { groupRoster, type GroupRoster, hasTraces, type MachineGroup } from './roster.ts';
import type { WantedMachine } from './wanted-machine.ts';

interface Place {
  readonly name: string;
  readonly role: WantedMachine['role'];
  readonly shape: MachineShape;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
}

const taintOf = ({ key, value, effect }: WorkerGroup['taints'][number]): Taint =>
  value === undefined ? { key, effect } : { key, value, effect };

/** One group of the document with what its machines are like. */
interface PlacedGroup extends MachineGroup {
  readonly place: Omit<Place, 'name'>;
}

/** The groups of a document, masters first: `<cluster>-cp`, `<cluster>-etcd`, `<cluster>-<group>`. */
function groupsOf({
  document,
  controlPlaneMachine,
  etcdMachine,
  workerMachines,
}: CompletedCluster): PlacedGroup[] {
  const { metadata, spec } = document;
  const group = (part: string, replicas: number, place: PlacedGroup['place']): PlacedGroup => ({
    prefix: `${metadata.name}-${part}`,
    role: place.role,
    replicas,
    place,
  });
  const masters = { role: 'control-plane', shape: controlPlaneMachine, labels: {}, taints: [] } as const;
  const etcd = { role: 'etcd', shape: etcdMachine, labels: {}, taints: [] } as const;
  return [
    group('cp', spec.controlPlane.replicas, masters),
    ...(isEtcdApart(document) ? [group('etcd', spec.etcd.replicas, etcd)] : []),
    ...spec.workers.map(({ name, replicas, labels, taints }) => {
      const shape = workerMachines[name] ?? controlPlaneMachine;
      return group(name, replicas, { role: 'worker', shape, labels, taints: taints.map(taintOf) });
    }),
  ];
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

/** Addresses of hosts that exist already, by role: who has one keeps it, the others get the next free in the list. */
function listedAddresses(
  wanted: readonly Place[],
  provider: ProviderDocument,
  observed: Observed,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name, address } of observed.machines ?? [])
    if (address !== undefined) found.set(name, address);
  const taken = new Set(found.values());
  for (const role of ['control-plane', 'worker', 'etcd'] as const) {
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
    const free = hosts.map(({ address }) => address).filter((address) => !taken.has(address));
    const unplaced = asked.filter(({ name }) => !found.has(name));
    unplaced.forEach(({ name }, index) => found.set(name, free[index] ?? ''));
  }
  return found;
}

/** Addresses under which Kubernetes and etcd still know machines that are not wanted: nobody else may answer there. */
function addressesLeft(wanted: readonly Place[], observed: Observed): string[] {
  const { nodes = [], voters = [], retired, references } = observed;
  const isWanted = (name: string): boolean => wanted.some((place) => place.name === name);
  return [
    ...Object.keys(retired)
      .filter((name) => hasTraces(observed, name))
      .flatMap((name) => references[name]?.address ?? []),
    ...nodes.filter(({ name }) => !isWanted(name)).flatMap(({ internalAddress }) => internalAddress ?? []),
    ...voters
      .filter(({ name }) => !isWanted(name))
      .flatMap(({ peerURLs }) => peerURLs.map((url) => new URL(url).hostname)),
  ];
}

/** Gives addresses to machines: those that are there keep theirs. */
function addressesFor(
  wanted: readonly Place[],
  { nodeNetwork, endpointHost }: CompletedCluster,
  provider: ProviderDocument,
  observed: Observed,
): Map<string, string> {
  if (provider.spec.type === 'hosts') return listedAddresses(wanted, provider, observed);
  const found = new Map<string, string>();
  for (const { name, address } of observed.machines ?? [])
    if (address !== undefined) found.set(name, address);
  if (nodeNetwork === undefined) return found;
  const taken = new Set([...found.values(), ...addressesLeft(wanted, observed), endpointHost ?? '']);
  // What is just being made has its address, whatever became free since that was asked for.
  for (const { name } of wanted) {
    const asked = observed.addresses?.[name];
    if (found.has(name) || asked === undefined || taken.has(asked) || !isIn(nodeNetwork, asked)) continue;
    found.set(name, asked);
    taken.add(asked);
  }
  const pool = new AddressPool(nodeNetwork, { addresses: [...taken] });
  for (const { name } of wanted) if (!found.has(name)) found.set(name, pool.take(name));
  return found;
}

/** Who is on duty, and who leaves. */
export interface Duty {
  readonly wanted: readonly WantedMachine[];
  /** Machines that this look is the first to send away. */
  readonly retires: Readonly<Record<string, Retirement>>;
  /** Machines that were to leave and stay after all. */
  readonly takesBack: readonly string[];
}

/** Machines of groups that the document no longer has. */
function orphans(rosters: readonly GroupRoster[], observed: Observed): string[] {
  const counted = new Set(rosters.flatMap(({ names, surplus }) => [...names, ...surplus]));
  return (observed.machines ?? [])
    .map(({ name }) => name)
    .filter((name) => !counted.has(name) && observed.retired[name] === undefined);
}

/**
 * Every machine the document wants, with what there is of it, and who leaves. Pure; order, names and addresses are
 * stable. `asked`: machines that are to leave because somebody named them.
 */
export function machinesOnDuty(
  document: ClusterDocument,
  provider: ProviderDocument,
  observed: Observed,
  asked: Readonly<Record<string, Retirement>> = {},
): Duty {
  const duty = dutyOf(document, provider, observed, asked);
  const changed = duty.wanted.filter((one) =>
    one.role === 'etcd'
      ? hasEtcdChanged(one, observed) && !isEtcdUpgradedInPlace(one, document, observed)
      : hasChanged(one, document) && !isUpgradedInPlace(one, document),
  );
  if (changed.length === 0) return duty;
  const leaving = Object.fromEntries(changed.map((one) => [one.name, retirementOf(one, document, observed)]));
  return dutyOf(document, provider, observed, { ...leaving, ...asked });
}

/**
 * What becomes of a machine that is not as asked for. In an upgrade forwards those that `upgrade.keep` names stay for the
 * way back, switched off; one that does not work now is no way back.
 */
function retirementOf(
  { role, machine, node }: WantedMachine,
  document: ClusterDocument,
  observed: Observed,
): Retirement {
  if (role === 'etcd' || directionOf(document, observed) !== 'forwards')
    return { mode: 'destroy', reason: 'changed' };
  const { keep } = document.spec.upgrade;
  const isKept = keep === 'all' || (keep === 'controlPlane' && role === 'control-plane');
  const works = machine?.state === 'running' && node?.ready === true;
  return { mode: isKept && works ? 'off' : 'destroy', reason: 'upgraded' };
}

/**
 * Configured from something else than is asked for now: such a machine is replaced, never repaired. One that has joined
 * and is not finished says by its version alone what it was made from.
 */
function hasChanged({ node, digest }: WantedMachine, document: ClusterDocument): boolean {
  if (node === undefined) return false;
  if (node.configDigest !== undefined) return !isSameMachine(node.configDigest, digest);
  return !isOfVersion(node.kubeletVersion, tagOf(document.spec.kubernetes.version));
}

function dutyOf(
  document: ClusterDocument,
  provider: ProviderDocument,
  observed: Observed,
  asked: Readonly<Record<string, Retirement>>,
): Duty {
  const completed = completeCluster(document, provider);
  const groups = groupsOf(completed);
  const retired = { ...observed.retired, ...asked };
  const isBack = directionOf(document, observed) === 'back';
  const rosters = groups.map((group) => groupRoster(group, observed, retired, isBack));
  const wanted = groups.flatMap(({ place }, index) =>
    (rosters[index]?.names ?? []).map((name): Place => ({ ...place, name })),
  );
  const isSurplus = [...rosters.flatMap(({ surplus }) => surplus), ...orphans(rosters, observed)];
  const surplus: Retirement = { mode: 'destroy', reason: 'surplus' };
  const retires = {
    ...asked,
    ...Object.fromEntries(
      isSurplus.filter((name) => retired[name] === undefined).map((name) => [name, surplus]),
    ),
  };
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
  return {
    wanted: wanted.map(wantedAt),
    retires,
    takesBack: rosters.flatMap(({ takenBack }) => takenBack),
  };
}
