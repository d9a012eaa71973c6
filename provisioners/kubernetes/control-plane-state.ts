import type { ClusterSettings } from './cluster-settings.ts';
import type { MachineRef } from '../contract/machine.ts';
import type { EtcdMember } from '../contract/observed.ts';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { KubernetesObject } from '../contract/ports/kubernetes.ts';
import { Transient } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import { paths } from './paths.ts';
import { controlPlaneLabel } from './versions.ts';

/** What there is of one master, on the machine and in the cluster. */
export interface MasterState {
  /** Files of kubeadm on the machine. */
  readonly files: ReadonlySet<string>;
  /** Its etcd members; more than one when a former machine of the name left some. Absent when etcd did not answer. */
  readonly members?: readonly EtcdMember[];
  readonly node?: KubernetesObject;
  /** The API did not answer, so that nothing is known of the Node. */
  readonly isNodeUnknown: boolean;
  /** etcd stands apart: a master has no member, and needs none to be whole. */
  readonly isEtcdApart: boolean;
}

/** Traces of kubeadm on a machine. */
export const kubeadmTraces: readonly string[] = [
  paths.kubeletKubeconfig,
  paths.bootstrapKubeconfig,
  paths.apiServerManifest,
  paths.etcdManifest,
  paths.etcdData,
];

/** Whether a member is this machine's, by name, or by address while it has not started and has no name. */
export const isMemberOf = (machine: MachineRef, member: EtcdMember): boolean =>
  member.name === machine.name || member.peerURLs.some((url) => url.includes(`//${machine.address}:`));

/** Node of a machine; undefined when there is none. */
export const nodeOf = (
  context: StepContext,
  access: ControlPlaneAccess,
  name: string,
): Promise<KubernetesObject | undefined> =>
  context.kubernetes.get(access, { apiVersion: 'v1', kind: 'Node', name });

/** Nothing is known when the line is down; that is an answer here, because half a master can take etcd down. */
async function unlessSilent<Value>(question: Promise<Value>): Promise<Value | undefined> {
  try {
    return await question;
  } catch (thrown) {
    if (thrown instanceof Transient) return undefined;
    throw thrown;
  }
}

/**
 * Looks at a master from all sides. A cluster that does not answer leaves `members` out only when the machine itself
 * bears traces; else the silence is thrown on, because then nothing at all is known.
 */
export async function lookAtMaster(
  context: StepContext,
  machine: MachineRef,
  access: ControlPlaneAccess,
  isEtcdApart = false,
): Promise<MasterState> {
  const files = await context.file.exist(machine, kubeadmTraces);
  if (isEtcdApart) {
    const nodes = await unlessSilent(nodeOf(context, access, machine.name).then((node) => ({ node })));
    const isNodeUnknown = nodes === undefined;
    return { files, members: [], isNodeUnknown, isEtcdApart, ...optional({ node: nodes?.node }) };
  }
  if (!files.has(paths.etcdManifest)) {
    const [members, node] = await Promise.all([
      context.etcd.members(access),
      nodeOf(context, access, machine.name),
    ]);
    const own = members.filter((member) => isMemberOf(machine, member));
    return { files, members: own, isNodeUnknown: false, isEtcdApart, ...optional({ node }) };
  }
  // Each member tells its own health, so this machine is asked too.
  const withItself = {
    ...access,
    masters: [...access.masters.filter(({ name }) => name !== machine.name), machine],
  };
  const [members, nodes] = await Promise.all([
    unlessSilent(context.etcd.members(withItself)),
    unlessSilent(nodeOf(context, access, machine.name).then((node) => ({ node }))),
  ]);
  const own = members?.filter((member) => isMemberOf(machine, member));
  const isNodeUnknown = nodes === undefined;
  return { files, isNodeUnknown, isEtcdApart, ...optional({ members: own, node: nodes?.node }) };
}

/**
 * What must answer before a master can be judged; undefined when enough is known. Nothing is done on what is not known,
 * with one exception: where its member never started, it may be that very member for which the API is silent (1 to 2
 * masters), and starting it is what brings the answers back.
 */
export function awaitedOf(machine: MachineRef, state: MasterState): string | undefined {
  if (state.members === undefined) return `etcd to answer for ${machine.name}`;
  if (!state.isNodeUnknown || state.members.some(({ started }) => !started)) return undefined;
  return `the Kubernetes API to answer for ${machine.name}`;
}

/** Drops what is undefined: absent and undefined are not the same to a reader. */
function optional<Shape extends object>(shape: Shape): { [Key in keyof Shape]?: NonNullable<Shape[Key]> } {
  const entries = Object.entries(shape).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Shape]?: NonNullable<Shape[Key]> };
}

/** Whether a Node bears the label that kubeadm gives last of all. */
const isMarkedMaster = (node: KubernetesObject | undefined): boolean =>
  node?.metadata.labels?.[controlPlaneLabel] !== undefined;

/** What is there of a master that is not whole, one phrase each; empty when there is nothing at all. */
export function tracesOf({ files, members, node }: MasterState): string[] {
  const member = members?.[0];
  const health = member?.started === true ? 'has started' : 'has never started';
  return [
    ...(files.size === 0 ? [] : [`files of kubeadm (${[...files].join(', ')})`]),
    ...(member === undefined ? [] : [`an etcd member that ${health}${member.learner ? ', a learner' : ''}`]),
    ...(node === undefined ? [] : [`a Node${isMarkedMaster(node) ? '' : ' not marked as master'}`]),
  ];
}

/**
 * Whether kubeadm came to its end on it: a started voter, the Node bears the mark that is given last of all, and the
 * machine still has what its kubelet runs. Without that its member will never be back.
 */
export function hasJoined(state: MasterState): boolean {
  if (state.isEtcdApart) return state.files.has(paths.apiServerManifest) && isMarkedMaster(state.node);
  const [member, ...more] = state.members ?? [];
  const isLaidOut = state.files.has(paths.etcdManifest) && state.files.has(paths.apiServerManifest);
  const isVoter = more.length === 0 && member?.started === true && !member.learner;
  return isLaidOut && isVoter && isMarkedMaster(state.node);
}

/**
 * Whether a master is whole: it has joined, and its etcd member is well, so that another may join. Its API server is
 * up some seconds later; nobody is sent to it before, and the final proof asks each.
 */
export const isWhole = (state: MasterState): boolean =>
  hasJoined(state) && (state.isEtcdApart || state.members?.[0]?.healthy === true);

/** Access through one master alone. */
export const accessThrough = (machine: MachineRef, settings: ClusterSettings): ControlPlaneAccess => ({
  masters: [machine],
  apiPort: settings.apiPort,
});
