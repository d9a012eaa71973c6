import type { EtcdMember } from '../../provisioners/contract/observed.ts';
import { type PlannedStep, stepId } from '../../provisioners/contract/plan.ts';
import { etcdMark } from '../../provisioners/kubernetes/etcd-endpoints.ts';
import { etcdAuthorityInstall } from '../../provisioners/kubernetes/steps/etcd-authority-install.ts';
import { etcdEndpointsPublish } from '../../provisioners/kubernetes/steps/etcd-endpoints-publish.ts';
import { etcdKubeletStart } from '../../provisioners/kubernetes/steps/etcd-kubelet-start.ts';
import { etcdMemberRemove } from '../../provisioners/kubernetes/steps/etcd-member-remove.ts';
import { etcdMemberStart } from '../../provisioners/kubernetes/steps/etcd-member-start.ts';
import { type MachineReference, type PlanContext, referenceTo } from './cluster-plan.ts';
import { addressOf, isVoter, noteOf } from './etcd-machines.ts';
import { compared } from './endpoint-steps.ts';
import type { LeavingMachine } from './leaving-machine.ts';
import { fenceSteps } from './leaving-steps.ts';
import { beforeEquipment, prepared } from './machine-steps.ts';
import { about, aboutPart, planStep } from './planned-step.ts';
import { furthestFirst } from './succession.ts';
import type { WantedMachine } from './wanted-machine.ts';

const isEtcd = ({ role }: { readonly role: string }): boolean => role === 'etcd';

const started = ({ name }: { readonly name: string }): string => stepId(etcdMemberStart.kind, name);

/** Machines of etcd that the document wants. */
const etcdOf = ({ wanted }: Pick<PlanContext, 'wanted'>): readonly WantedMachine[] => wanted.filter(isEtcd);

/** New ones, in the order in which they join: one after another. */
const comingEtcd = ({ difference }: PlanContext): readonly WantedMachine[] =>
  difference.unfinished.filter(isEtcd).toSorted(furthestFirst);

/** Those that leave and are members that work. */
const livingLeavers = ({ difference }: PlanContext): readonly LeavingMachine[] =>
  difference.leaving.filter((machine) => isEtcd(machine) && !machine.isDead);

/** Members that are there before this plan begins, by how they are reached. */
function presentMembers(context: PlanContext): readonly Peer[] {
  const { observed } = context;
  const staying = etcdOf(context).filter(({ name }) => isVoter(observed, name));
  return [...staying, ...livingLeavers(context)].flatMap(({ name }) => {
    const reference = observed.references[name];
    return reference === undefined ? [] : [{ name, address: reference.address, reference }];
  });
}

/** A member with what others need of it. */
interface Peer {
  readonly name: string;
  readonly address: string;
  readonly reference: MachineReference;
}

const peerOf = (context: PlanContext, machine: WantedMachine): Peer => ({
  name: machine.name,
  address: addressOf(machine),
  reference: referenceTo(machine, context),
});

/** Who starts etcd where there is none; undefined where it is there and everybody joins. */
function firstOfAll(context: PlanContext): WantedMachine | undefined {
  const { observed } = context;
  const etcd = etcdOf(context);
  const isWell = ({ name, started: hasStarted, healthy }: EtcdMember): boolean =>
    hasStarted && healthy && [...etcd, ...context.difference.leaving].some((one) => one.name === name);
  const members = observed.voters ?? [];
  const only = members.length === 1 ? etcd.find(({ name }) => members[0]?.name === name) : undefined;
  if (only !== undefined) return only;
  return context.isEstablished || members.some(isWell) ? undefined : etcd[0];
}

/**
 * How new machines of etcd become members: the first starts etcd where there is none, and all others join, one after
 * another. Its place in the row is behind those who leave before it (succession).
 */
export function etcdSteps(context: PlanContext): PlannedStep[] {
  const { kubernetesVersion } = context.settings;
  const first = firstOfAll(context);
  const coming = comingEtcd(context);
  const inOrder = [
    ...coming.filter(({ name }) => name === first?.name),
    ...coming.filter(({ name }) => name !== first?.name),
  ];
  const present = presentMembers(context);
  return inOrder.flatMap((machine, index) => {
    const { name } = machine;
    const reference = referenceTo(machine, context);
    const before = beforeEquipment(context, name);
    const kubelet = planStep(etcdKubeletStart, about(name), { machine: reference, kubernetesVersion }, [
      ...prepared(name),
    ]);
    const authority = planStep(etcdAuthorityInstall, about(name), { machine: reference }, before);
    const earlier = inOrder.slice(0, index);
    const isFirst = name === first?.name;
    const peers = [...present, ...earlier.map((one) => peerOf(context, one))].filter(
      (peer, at, all) => peer.name !== name && all.findIndex((other) => other.name === peer.name) === at,
    );
    const others = isFirst ? knownOthers(context, name) : [];
    const input = {
      machine: reference,
      settings: context.settings,
      peers: isFirst ? [] : peers.map((peer) => peer.reference),
      isFirst,
      others,
    };
    const after = [kubelet.id, authority.id, compared(name), ...earlier.slice(-1).map(started)];
    return [kubelet, authority, planStep(etcdMemberStart, about(name), input, after)];
  });
}

/** Other machines of etcd that were met: one of them could hold etcd's data already. */
const knownOthers = (context: PlanContext, name: string) =>
  etcdOf(context).flatMap((one) => {
    const known = context.observed.references[one.name];
    return one.name !== name && one.machine !== undefined && known !== undefined ? [known] : [];
  });

/** What a control plane waits for: that etcd is there, all of it in a new cluster. */
export const etcdReady = (context: PlanContext): string[] =>
  context.isEstablished ? [] : comingEtcd(context).map(started);

/** One pass over the API servers that are there, with the members that stay. */
function publishBefore(
  context: PlanContext,
  leaving: LeavingMachine,
  after: readonly string[],
): PlannedStep[] {
  const { settings, access, observed } = context;
  const joined = comingEtcd(context).filter((machine) => after.includes(started(machine)));
  const row = livingLeavers(context);
  const later = row.slice(row.findIndex(({ name }) => name === leaving.name) + 1);
  const staying = etcdOf(context).filter(({ name }) => isVoter(observed, name));
  const peers: Peer[] = [
    ...[...staying, ...joined.filter((one) => !staying.includes(one))].map((one) => peerOf(context, one)),
    ...later.flatMap(({ name }) => {
      const reference = observed.references[name];
      return reference === undefined ? [] : [{ name, address: reference.address, reference }];
    }),
  ];
  const masters = access.masters;
  const etcd = peers.map(({ name, address }) => ({ name, address }));
  const input = {
    masters,
    etcd,
    settings,
    access: { ...access, etcd: peers.map(({ reference }) => reference) },
  };
  return etcd.length === 0
    ? []
    : [planStep(etcdEndpointsPublish, aboutPart(`without ${leaving.name}`), input, after)];
}

/**
 * The road of one machine out of etcd. API servers are told first, so that nobody is left who asks it; one that is dead
 * serves nobody, and goes before anybody comes.
 */
function roadOut(context: PlanContext, leaving: LeavingMachine): PlannedStep[] {
  const { name, member, machine, reference, isDead } = leaving;
  const waits = context.succession.exits.get(name) ?? [];
  const told = isDead || member === undefined ? [] : publishBefore(context, leaving, waits);
  const steps: PlannedStep[] = [...told];
  const end = (): readonly string[] => (steps.length === 0 ? waits : steps.slice(-1).map(({ id }) => id));
  if (member !== undefined) {
    const address = machine?.address ?? reference?.address;
    const joined = comingEtcd(context).filter((one) => waits.includes(started(one)));
    const present = presentMembers(context).filter((peer) => peer.name !== name);
    const others = [...joined.map((one) => peerOf(context, one)), ...present];
    const etcd = others.map((peer) => peer.reference);
    const access = { ...context.access, ...(etcd.length === 0 ? {} : { etcd }) };
    const input = { name, access, ...(address === undefined ? {} : { address }) };
    steps.push(planStep(etcdMemberRemove, about(name), input, end()));
  }
  steps.push(...fenceSteps(leaving, end()));
  return steps;
}

/** Every machine of etcd that leaves, each when its turn has come. */
export const etcdLeavingSteps = (context: PlanContext): PlannedStep[] =>
  context.difference.leaving.filter(isEtcd).flatMap((machine) => roadOut(context, machine));

/**
 * Last of all, when machines have come and gone: every API server is told of the members that stay, and the cluster notes
 * what they were made from.
 */
export function etcdSettleSteps(context: PlanContext, before: readonly string[]): PlannedStep[] {
  const etcd = etcdOf(context);
  if (etcd.length === 0) return [];
  const note = noteOf(context.wanted);
  if (context.observed.marks?.[etcdMark] === note) return [];
  const { settings, wanted, accessAfter: access } = context;
  const masters = wanted
    .filter(({ role }) => role === 'control-plane')
    .map((machine) => referenceTo(machine, context));
  const members = etcd.map((machine) => ({ name: machine.name, address: addressOf(machine) }));
  const input = { masters, etcd: members, settings, access, note };
  return [planStep(etcdEndpointsPublish, aboutPart('all members'), input, before)];
}
