import type { MachineRef } from '../contract/machine.ts';
import type { EtcdMember } from '../contract/observed.ts';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { FileContent } from '../contract/ports/file.ts';
import { Blocked, Transient } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import { seconds } from '../contract/time.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import { isMemberOf } from './control-plane-state.ts';
import { rejectedEtcdCure } from './half-joined-master.ts';
import { minorOfCluster, renewalConfig } from './kubeadm-config.ts';
import { declarationOf } from './machine-declaration.ts';
import { whyNotAdd } from './membership.ts';
import { paths } from './paths.ts';

/** etcd through machines of its own. */
export const throughEtcd = (machines: readonly MachineRef[]): ControlPlaneAccess => ({
  masters: machines,
  apiPort: 0,
  etcd: machines,
});

/** What there is of etcd on one of its machines, and in its membership. */
export interface EtcdMachineState {
  readonly hasManifest: boolean;
  readonly hasData: boolean;
  /** All members; absent when none of those asked answered. */
  readonly members?: readonly EtcdMember[];
  /** Those of this machine; more than one when a former machine of the name left some. */
  readonly own: readonly EtcdMember[];
}

/** The members as those tell who answer; undefined when nobody does. */
async function membersOf(
  context: StepContext,
  machines: readonly MachineRef[],
): Promise<readonly EtcdMember[] | undefined> {
  if (machines.length === 0) return undefined;
  try {
    return await context.etcd.members(throughEtcd(machines));
  } catch (thrown) {
    if (thrown instanceof Transient) return undefined;
    throw thrown;
  }
}

/** Looks at one machine of etcd, and asks its peers, and itself where it bears a manifest. */
export async function lookAtEtcd(
  context: StepContext,
  machine: MachineRef,
  peers: readonly MachineRef[],
): Promise<EtcdMachineState> {
  const files = await context.file.exist(machine, [paths.etcdManifest, paths.etcdData]);
  const hasManifest = files.has(paths.etcdManifest);
  const asked = [...peers.filter(({ name }) => name !== machine.name), ...(hasManifest ? [machine] : [])];
  const members = await membersOf(context, asked);
  return {
    hasManifest,
    hasData: files.has(paths.etcdData),
    own: members?.filter((member) => isMemberOf(machine, member)) ?? [],
    ...(members === undefined ? {} : { members }),
  };
}

/** Whether this machine's member is a voter that is well, and the only one of its name. */
export const isEtcdWhole = ({ hasManifest, hasData, own: [member, ...more] }: EtcdMachineState): boolean =>
  hasManifest && hasData && more.length === 0 && member?.healthy === true && !member.learner;

/** What is there of a member that is not whole, one phrase each. */
export function tracesOfEtcd({ hasManifest, hasData, own }: EtcdMachineState): string[] {
  return [
    ...(hasManifest ? ["etcd's static pod"] : []),
    ...(hasData ? ["etcd's data"] : []),
    ...own.map(
      ({ started, learner }) =>
        `a member that ${started ? 'has started' : 'has never started'}${learner ? ', a learner' : ''}`,
    ),
  ];
}

/** The members as `--initial-cluster` names them; one that never started has no name but the one it will give itself. */
const initialCluster = (machine: MachineRef, members: readonly EtcdMember[]): string =>
  members
    .flatMap((member) => {
      const name = isMemberOf(machine, member) ? machine.name : member.name || member.id;
      return member.peerURLs.map((url) => `${name}=${url}`);
    })
    .join(',');

/** kubeadm's configuration for its phases about etcd: what etcd is there to begin with stands in it. */
async function configFile(
  context: StepContext,
  machine: MachineRef,
  settings: ClusterSettings,
  flags: Readonly<Record<string, string>>,
): Promise<FileContent> {
  const { etcd: _apart, ...local } = settings;
  const { extraArgs } = local;
  const content = renewalConfig({
    minor: minorOfCluster(settings),
    settings: { ...local, extraArgs: { ...extraArgs, etcd: { ...extraArgs.etcd, ...flags } } },
    machine,
    declared: await declarationOf(context, machine),
  });
  return { path: paths.etcdConfig, content, mode: 0o600 };
}

/** kubeadm's phases that make a member of etcd's own certificates and static pod. */
const memberPhases = [
  'certs etcd-server',
  'certs etcd-peer',
  'certs etcd-healthcheck-client',
  'etcd local',
] as const;

/** Lays out certificates and static pod; `members`: whom it joins, nobody for the first of all. */
export async function layOutEtcd(
  context: StepContext,
  machine: MachineRef,
  settings: ClusterSettings,
  members: readonly EtcdMember[],
): Promise<void> {
  const joins = members.some((member) => !isMemberOf(machine, member));
  const flags = joins
    ? { 'initial-cluster': initialCluster(machine, members), 'initial-cluster-state': 'existing' }
    : {};
  await context.file.write(machine, [await configFile(context, machine, settings, flags)]);
  await context.kubeadm.run(machine, {
    verb: 'phases',
    config: paths.etcdConfig,
    phases: memberPhases,
  });
}

/**
 * The certificate with which API servers of a master speak to etcd apart: kubeadm makes it only where each master has a
 * member of its own, so its phase is run with a configuration that says so.
 */
export async function makeEtcdClient(
  context: StepContext,
  machine: MachineRef,
  settings: ClusterSettings,
  authority: readonly FileContent[],
): Promise<void> {
  const pair = ['crt', 'key'].map((end) => `${paths.pki}/apiserver-etcd-client.${end}`);
  const [made, config] = await Promise.all([
    context.file.exist(machine, pair),
    configFile(context, machine, settings, {}),
  ]);
  await context.file.write(machine, [...authority, config]);
  // An earlier try came so far.
  if (made.size === pair.length) return;
  await context.kubeadm.run(machine, {
    verb: 'phases',
    config: paths.etcdConfig,
    phases: ['certs apiserver-etcd-client'],
  });
}

/**
 * Sees to it that the machine has exactly one member that it can start, as the rule of membership allows (DESIGN §5): what
 * a former machine of the name left goes first, then one without a vote is added.
 * @throws Blocked when those that are there are not well enough
 */
export async function announceMember(
  context: StepContext,
  machine: MachineRef,
  peers: readonly MachineRef[],
  state: EtcdMachineState,
): Promise<void> {
  const access = throughEtcd(peers);
  const isLost = ({ started }: EtcdMember): boolean => started && !state.hasData;
  const lost = state.own.filter(isLost);
  for (const { id } of lost) {
    context.log(`removing the etcd member ${id}, of which ${machine.name} holds no data`, machine.name);
    await context.etcd.removeMember(access, id);
  }
  if (state.own.length > lost.length) return;
  if (state.hasData) {
    context.log(`removing data of a member that etcd does not know any more`, machine.name);
    await context.file.remove(machine, [paths.etcdManifest, paths.etcdData]);
  }
  const members = await context.etcd.members(access);
  const hold = whyNotAdd(members, true, (member) => isMemberOf(machine, member));
  if (hold !== undefined)
    throw new Blocked('ETCD-004', hold.why, {
      machine: machine.name,
      remedy: `Bring ${hold.unwell.join(', ')} back; then ${machine.name} joins by itself.`,
    });
  await context.etcd.addLearner(access, `https://${machine.address}:2380`);
}

/** From its static pod to a healthy voter: seconds, and as long as its database takes to travel. */
const patience = seconds(180);

/**
 * Waits until the member is a healthy voter, and gives it its vote when it has caught up.
 * @throws Transient when it is none in time: it is tried again
 */
export async function awaitVoter(
  context: StepContext,
  machine: MachineRef,
  peers: readonly MachineRef[],
): Promise<void> {
  const cure = rejectedEtcdCure(context, machine);
  const until = Date.parse(context.now()) + patience;
  const others = peers.filter(({ name }) => name !== machine.name);
  for (;;) {
    await cure();
    const state = await lookAtEtcd(context, machine, peers);
    if (isEtcdWhole(state)) return;
    const [member] = state.own;
    if (member?.started === true && member.learner) await promoteWhenReady(context, others, member.id);
    if (Date.parse(context.now()) > until)
      throw new Transient('ETCD-003', `etcd on ${machine.name} is no healthy voter after three minutes`, {
        machine: machine.name,
      });
    await context.sleep(seconds(1));
  }
}

/** A learner that has not caught up is refused, and asked for again. */
async function promoteWhenReady(
  context: StepContext,
  peers: readonly MachineRef[],
  id: string,
): Promise<void> {
  try {
    await context.etcd.promote(throughEtcd(peers), id);
  } catch (thrown) {
    if (!(thrown instanceof Transient)) throw thrown;
  }
}
