import type { ClusterIdentity } from '../../../provisioners/contract/machine.ts';
import type { Finding } from '../../../provisioners/contract/preflight.ts';
import type {
  CapacityRequest,
  CreateMachine,
  FoundMachine,
  LedgerEntry,
  NodeNetwork,
  ProviderMachine,
  TaggedCluster,
  TeardownPolicy,
  TeardownProof,
} from '../../../provisioners/contract/provider.ts';
import { Transient, UserProblem } from '../../../provisioners/contract/problem.ts';
import { changing, reading } from './call.ts';
import type { ModelCluster } from './cluster.ts';
import { requireDetached } from './controllers.ts';
import type { Caller, Fleet } from './fleet.ts';
import { newMachine, type ModelMachine } from './machine.ts';

interface OfCluster {
  readonly cluster: ClusterIdentity;
}

interface WithPolicy {
  readonly policy?: TeardownPolicy;
}

const stateOf = (fleet: Fleet, machine: ModelMachine): ProviderMachine['state'] => {
  if (machine.power === 'off') return 'off';
  return machine.bootedAt <= fleet.now ? 'running' : 'creating';
};

const machineOf = (fleet: Fleet, machine: ModelMachine): ProviderMachine => ({
  name: machine.name,
  token: machine.token,
  incarnation: machine.incarnation,
  cluster: machine.cluster,
  role: machine.role,
  id: machine.id,
  state: stateOf(fleet, machine),
  ...(machine.power === 'off' ? { detail: 'switched off' } : {}),
  address: machine.address,
  provisionalHostKey: machine.provisionalHostKey,
});

/** Hidden by the provider for a while after it was made: eventually consistent, as clouds are. */
const isHidden = (fleet: Fleet, machine: ModelMachine): boolean =>
  fleet.faults
    .of('not-found-after-create', machine.name)
    .some((fault) => fleet.now - machine.createdAt < fault.for);

const asNumber = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const asAddress = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

/** The address asked for, or the lowest free one of the cluster's ranges. */
function addressFor(fleet: Fleet, cluster: ModelCluster, request: CreateMachine): string {
  if (request.address !== undefined) return request.address.split('/')[0] ?? request.address;
  const [first = '10.9.0.10', last = '10.9.255.250'] = (cluster.network?.ranges[0] ?? '')
    .split('-')
    .filter(Boolean);
  for (let candidate = asNumber(first); candidate <= asNumber(last); candidate += 1)
    if (!fleet.byAddress.has(asAddress(candidate))) return asAddress(candidate);
  throw new UserProblem('PROV-002', `The node network has no free address for ${request.name}`, {
    remedy: 'Give spec.nodeNetwork.ranges more addresses.',
  });
}

/** What was given away is changed by nobody. @throws UserProblem, and the test knows of it */
function requireOwn(fleet: Fleet, cluster: ModelCluster | undefined): void {
  if (cluster?.isReleased !== true) return;
  fleet.violate('not-ours', `somebody wants to change what was given away of ${cluster.identity.name}`);
  throw new UserProblem('PROV-004', `The cluster ${cluster.identity.name} was given away`, {
    remedy: 'Adopt it first.',
  });
}

function create(fleet: Fleet, request: CreateMachine, by: Caller): ProviderMachine {
  const cluster = fleet.cluster(request.cluster);
  requireOwn(fleet, cluster);
  const there = cluster.machines.get(request.name);
  if (there?.token === request.token) return machineOf(fleet, there);
  if (there !== undefined) {
    fleet.violate(
      'second-machine',
      `${request.name} asked for with incarnation ${request.incarnation} while ${there.incarnation} is there`,
    );
    throw new UserProblem('PROV-001', `A machine ${request.name} is already there and is another one`, {
      remedy: `Remove ${request.name} first.`,
    });
  }
  if (fleet.tokensUsed.has(request.token))
    fleet.violate('token-reused', `${request.name}: a second machine for one token`);
  fleet.tokensUsed.add(request.token);
  const address = addressFor(fleet, cluster, request);
  const occupant = fleet.byAddress.get(address);
  if (occupant !== undefined)
    fleet.violate('address-taken', `${address} of ${occupant.name} given to ${request.name}`);
  const machine = newMachine(
    request,
    `i-${String(fleet.births.length).padStart(4, '0')}`,
    address,
    fleet.now,
    fleet.boot,
  );
  fleet.burden(machine);
  cluster.machines.set(machine.name, machine);
  fleet.byAddress.set(address, machine);
  fleet.births.push(`machine ${request.name} ${request.incarnation}`);
  fleet.changed('provider.create', machine.name, by);
  return machineOf(fleet, machine);
}

function destroy(fleet: Fleet, cluster: ModelCluster, machine: ModelMachine, by: Caller): void {
  requireOwn(fleet, cluster);
  requireDetached(fleet, cluster, machine.name);
  fleet.setPower(machine, 'off');
  cluster.machines.delete(machine.name);
  fleet.byAddress.delete(machine.address);
  fleet.changed('provider.destroy', machine.name, by);
}

/** What controllers have made, and whether it is kept. */
function madeThings(cluster: ModelCluster, policy: TeardownPolicy | undefined): LedgerEntry[] {
  const { name } = cluster.identity;
  return [...cluster.made.values()].map(({ type, id, of }) => {
    const isKept = type === 'disk' && (policy?.volumes !== 'delete' || policy.keep.includes(id));
    const kept = isKept ? { policy: 'deletion.volumes: retain' } : {};
    return { type, id, name: of, cluster: name, ...kept };
  });
}

function entries(fleet: Fleet, { uid, name }: ClusterIdentity, policy?: TeardownPolicy): LedgerEntry[] {
  const cluster = fleet.clusters.get(uid);
  if (cluster === undefined) return [];
  const kept = cluster.isReleased ? { policy: 'ejected' } : {};
  const machines = [...cluster.machines.values()].map(
    (machine): LedgerEntry => ({
      type: 'machine',
      id: machine.id,
      name: machine.name,
      cluster: name,
      ...kept,
    }),
  );
  const networks: LedgerEntry[] =
    cluster.infrastructure === 'absent'
      ? []
      : [{ type: 'network', id: `net-${uid}`, name: `net-${name}`, cluster: name, ...kept }];
  return [...machines, ...networks, ...madeThings(cluster, policy)];
}

/** Provider's primitives. */
export const providerCalls = {
  'provider.preflight': reading(100, (_fleet, given: { readonly request: CapacityRequest }): Finding[] => [
    {
      check: 'PROVIDER-CAPACITY',
      severity: 'strict',
      outcome: 'passed',
      subject: 'cluster',
      saw: `${given.request.machines.length} machines fit`,
    },
  ]),
  'provider.infrastructure': reading(50, (fleet, given: OfCluster) => {
    const state = fleet.clusters.get(given.cluster.uid)?.infrastructure ?? 'absent';
    return { state, detail: `the model's network is ${state}` };
  }),
  'provider.prepare': changing(500, (fleet, given: OfCluster & { readonly network?: NodeNetwork }, by) => {
    const cluster = fleet.cluster(given.cluster);
    if (cluster.infrastructure === 'absent') fleet.births.push(`network ${given.cluster.name}`);
    cluster.infrastructure = 'present';
    cluster.network = given.network;
    fleet.changed('provider.prepare', given.cluster.name, by);
    return null;
  }),
  'provider.remove': changing(400, (fleet, given: OfCluster, by) => {
    const cluster = fleet.clusters.get(given.cluster.uid);
    if (cluster === undefined || cluster.infrastructure === 'absent') return null;
    if (cluster.machines.size > 0) fleet.violate('network-under-machines', given.cluster.name);
    cluster.infrastructure = 'absent';
    fleet.changed('provider.remove', given.cluster.name, by);
    return null;
  }),
  'provider.list': reading(80, (fleet, given: OfCluster): ProviderMachine[] =>
    [...(fleet.clusters.get(given.cluster.uid)?.machines.values() ?? [])]
      .filter((machine) => !isHidden(fleet, machine))
      .map((machine) => machineOf(fleet, machine)),
  ),
  'provider.create': changing(600, (fleet, given: { readonly request: CreateMachine }, by) =>
    create(fleet, given.request, by),
  ),
  'provider.power': changing(
    200,
    (fleet, given: OfCluster & { readonly name: string; readonly power: 'on' | 'off' }, by) => {
      const machine = fleet.clusters.get(given.cluster.uid)?.machines.get(given.name);
      if (machine === undefined)
        throw new UserProblem('PROV-003', `There is no machine ${given.name}`, {
          remedy: 'Look at `remuda get machines`.',
        });
      requireOwn(fleet, fleet.clusterOf(machine));
      fleet.setPower(machine, given.power);
      fleet.changed('provider.power', `${given.name} ${given.power}`, by);
      return null;
    },
  ),
  'provider.destroy': changing(700, (fleet, given: OfCluster & { readonly name: string }, by) => {
    const cluster = fleet.clusters.get(given.cluster.uid);
    const machine = cluster?.machines.get(given.name);
    if (fleet.faults.of('cannot-destroy', given.name).length > 0)
      throw new Transient('PROV-010', `The host that ${given.name} runs on does not answer its manager`);
    if (cluster !== undefined && machine !== undefined) destroy(fleet, cluster, machine, by);
    return null;
  }),
  'provider.ledger': reading(80, (fleet, given: OfCluster & WithPolicy) =>
    entries(fleet, given.cluster, given.policy),
  ),
  'provider.ownership': reading(50, (fleet, given: OfCluster): 'ours' | 'released' | 'absent' => {
    const cluster = fleet.clusters.get(given.cluster.uid);
    if (cluster === undefined) return 'absent';
    return cluster.isReleased ? 'released' : 'ours';
  }),
  'provider.release': changing(200, (fleet, given: OfCluster, by) => {
    const cluster = fleet.clusters.get(given.cluster.uid);
    if (cluster !== undefined) cluster.isReleased = true;
    fleet.changed('provider.release', given.cluster.name, by);
    return null;
  }),
  'provider.claim': changing(200, (fleet, given: OfCluster, by) => {
    const cluster = fleet.clusters.get(given.cluster.uid);
    if (cluster !== undefined) cluster.isReleased = false;
    fleet.changed('provider.claim', given.cluster.name, by);
    return null;
  }),
  'provider.find': reading(80, (fleet, given: { readonly addresses: readonly string[] }): FoundMachine[] =>
    [...fleet.clusters.values()]
      .flatMap(({ machines, isReleased }) =>
        [...machines.values()].map((machine) => ({ ...machineOf(fleet, machine), isReleased })),
      )
      .filter(({ address = '' }) => given.addresses.includes(address)),
  ),
  'provider.clusters': reading(80, (fleet, _given: Record<string, never>): TaggedCluster[] =>
    [...fleet.clusters.values()].flatMap(({ identity, isReleased }) => {
      const things = entries(fleet, identity);
      return things.length === 0 ? [] : [{ cluster: identity, isReleased, things }];
    }),
  ),
  'provider.sweep': changing(800, (fleet, given: OfCluster & WithPolicy, by): TeardownProof => {
    const there = entries(fleet, given.cluster, given.policy);
    const kept = there.flatMap((entry) =>
      entry.policy === undefined ? [] : { ...entry, policy: entry.policy },
    );
    const gone = there.filter(({ policy }) => policy === undefined);
    const cluster = fleet.clusters.get(given.cluster.uid);
    if (cluster !== undefined) {
      for (const machine of cluster.machines.values()) destroy(fleet, cluster, machine, by);
      for (const { id } of gone) cluster.made.delete(id);
      if (cluster.infrastructure !== 'absent') {
        cluster.infrastructure = 'absent';
        fleet.changed('provider.sweep', given.cluster.name, by);
      }
    }
    return { gone, kept, left: [] };
  }),
};
