import type { Observed } from '../../provisioners/contract/observed.ts';
import { etcdEndpoint, readNote, servedDigest } from '../../provisioners/kubernetes/etcd-endpoints.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import type { LeavingMachine } from './leaving-machine.ts';
import type { WantedMachine } from './wanted-machine.ts';

/** Whether machines of etcd alone are there: then masters have no members. */
export const hasEtcdApart = ({ machines = [] }: Observed): boolean =>
  machines.some(({ role }) => role === 'etcd');

/** Machines of etcd on duty that run and were met, as part of how a cluster is reached; nothing where masters have members. */
export function etcdReferences(observed: Observed): { readonly etcd?: MachineRef[] } {
  if (!hasEtcdApart(observed)) return {};
  const { machines = [], references, retired } = observed;
  const etcd = machines
    .filter(({ name, role, state }) => role === 'etcd' && state === 'running' && retired[name] === undefined)
    .flatMap(({ name }) => references[name] ?? []);
  return { etcd };
}

/** Whether a member of this name has started and votes. */
export const isVoter = ({ voters = [] }: Observed, name: string): boolean =>
  voters.some((voter) => voter.name === name && voter.started && !voter.learner);

/** What the cluster notes of a machine of etcd, if that is the very machine which is there now. */
const notedOf = ({ name, machine }: Pick<WantedMachine, 'name' | 'machine'>, { marks }: Observed) => {
  const noted = readNote(marks)?.machines[name];
  return noted !== undefined && noted.token === machine?.token ? noted : undefined;
};

/** Whether a machine of etcd is through: its member votes, and API servers were told of it. */
export const isEtcdFinished = (one: Pick<WantedMachine, 'name' | 'machine'>, observed: Observed): boolean =>
  notedOf(one, observed) !== undefined && (observed.voters === undefined || isVoter(observed, one.name));

/** Whether a machine of etcd was made from something else than is asked for now. */
export function hasEtcdChanged(
  one: Pick<WantedMachine, 'name' | 'machine' | 'digest'>,
  observed: Observed,
): boolean {
  const noted = notedOf(one, observed);
  return noted !== undefined && noted.digest !== one.digest;
}

/** The address of a machine of etcd, which is known before the machine is made: API servers are told of it. */
export function addressOf({ name, address }: Pick<WantedMachine, 'name' | 'address'>): string {
  if (address !== undefined) return address;
  throw new UserProblem('PLAN-070', `Nothing says which address ${name} gets`, {
    place: { field: 'spec.nodeNetwork' },
    remedy:
      'Give the cluster a nodeNetwork: API servers are told the addresses of etcd before its machines are made.',
  });
}

const isEtcd = ({ role }: { readonly role: string }): boolean => role === 'etcd';

/** Members on duty that are there; in a new cluster those that come. */
const serving = (wanted: readonly WantedMachine[], observed: Observed): readonly WantedMachine[] => {
  const etcd = wanted.filter(isEtcd);
  const there = etcd.filter(({ name }) => isVoter(observed, name));
  return there.length > 0 ? there : etcd;
};

/** Client URLs of etcd that kubeadm is told of; undefined where each master has a member. */
export function endpointsFor(
  wanted: readonly WantedMachine[],
  observed: Observed,
): readonly string[] | undefined {
  if (!wanted.some(isEtcd)) return undefined;
  return serving(wanted, observed)
    .toSorted((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }))
    .map((machine) => etcdEndpoint(addressOf(machine)));
}

/**
 * Machines through which etcd is asked: members on duty first, those that answer before the others; then those that leave
 * and are well. Undefined where each master has a member.
 */
export function etcdAsked<Reference>(
  wanted: readonly WantedMachine[],
  observed: Observed,
  leaving: readonly LeavingMachine[],
  referenceTo: (machine: WantedMachine) => Reference,
):
  | {
      readonly before: readonly (Reference | MachineRef)[];
      readonly after: readonly (Reference | MachineRef)[];
    }
  | undefined {
  if (!wanted.some(isEtcd)) return undefined;
  const isWell = ({ name }: { readonly name: string }): boolean =>
    observed.voters?.some((voter) => voter.name === name && voter.healthy) === true;
  const inOrder = (machines: readonly WantedMachine[]) =>
    machines.toSorted((one, other) => Number(isWell(other)) - Number(isWell(one)));
  const there = wanted.filter((one) => isEtcd(one) && isVoter(observed, one.name));
  const staying = inOrder(there).flatMap(({ name }) => observed.references[name] ?? []);
  const going = leaving.flatMap((one) =>
    isEtcd(one) && !one.isDead && one.reference !== undefined ? [one.reference] : [],
  );
  const coming = wanted.filter(isEtcd).map(referenceTo);
  const before = [...staying, ...going];
  return { before: before.length > 0 ? before : coming, after: staying.length > 0 ? staying : coming };
}

/** What the cluster is to note of its etcd when everything is as asked. */
export function noteOf(wanted: readonly WantedMachine[]): string {
  const etcd = wanted.filter(({ role }) => role === 'etcd');
  const masters = wanted.filter(({ role }) => role === 'control-plane').map(({ name }) => name);
  const served = servedDigest(
    masters,
    etcd.map((machine) => etcdEndpoint(addressOf(machine))),
  );
  const machines = Object.fromEntries(etcd.map(({ name, digest, token }) => [name, { digest, token }]));
  return JSON.stringify({ served, machines });
}
