import type { MachineRef, MachineRole } from '../../provisioners/contract/machine.ts';
import type { EtcdMember, Observed, ObservedNode, Retirement } from '../../provisioners/contract/observed.ts';
import { stepId } from '../../provisioners/contract/plan.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';
import { hasEtcdApart } from './etcd-machines.ts';
import { etcdMemberRemove } from '../../provisioners/kubernetes/steps/etcd-member-remove.ts';
import { machineDestroy } from '../../provisioners/kubernetes/steps/machine-destroy.ts';
import { machineFence } from '../../provisioners/kubernetes/steps/machine-fence.ts';
import { machineStop } from '../../provisioners/kubernetes/steps/machine-stop.ts';
import { nodeRemove } from '../../provisioners/kubernetes/steps/node-remove.ts';

/** A machine that is not wanted any more, with what there is of it. */
export interface LeavingMachine {
  readonly name: string;
  readonly role: MachineRole;
  readonly mode: Retirement['mode'];
  readonly reason: Retirement['reason'];
  readonly machine?: ProviderMachine;
  readonly node?: ObservedNode;
  /** Its etcd member, started or not. */
  readonly member?: EtcdMember;
  /** How it is reached, when it was ever met. */
  readonly reference?: MachineRef;
  /** Proven to take no part any more, whatever is started on it. */
  readonly isFenced: boolean;
  /** Whether it answers: its machine runs and its kubelet reports. What does not answer is neither drained nor visited. */
  readonly isAnswering: boolean;
  /**
   * Whether nothing of it works any more, so that it need not wait for its successor. Of machines that nobody named a
   * silent kubelet is no proof: when the cluster's address fails, all of them are silent at once.
   */
  readonly isDead: boolean;
}

/**
 * Whether its machine is kept and sealed off, and not destroyed. One that nobody ever met has nothing to look at. One
 * that was to be kept for the way back and lost its power before it was sealed off would come back from the dead.
 */
export const isSealedOff = ({
  mode,
  reference,
  isFenced,
  machine,
}: Pick<LeavingMachine, 'mode' | 'reference' | 'isFenced' | 'machine'>): boolean =>
  reference !== undefined &&
  (mode === 'keep' || (mode === 'off' && (isFenced || machine?.state === 'running')));

/** Id of the step after which nothing of a machine is left that had to go. */
export function exitOf({ name, node, machine, ...leaving }: LeavingMachine): string {
  if (node !== undefined) return stepId(nodeRemove.kind, name);
  if (machine === undefined) return stepId(etcdMemberRemove.kind, name);
  if (!isSealedOff({ machine, ...leaving })) return stepId(machineDestroy.kind, name);
  return stepId(leaving.mode === 'off' ? machineStop.kind : machineFence.kind, name);
}

/** Its etcd member: by name, or by address while it has none. An address alone may be somebody else's by now. */
function memberOf(observed: Observed, name: string, address: string | undefined): EtcdMember | undefined {
  return observed.voters?.find(
    (member) =>
      member.name === name ||
      (member.name === '' &&
        address !== undefined &&
        member.peerURLs.some((url) => url.includes(`//${address}:`))),
  );
}

const isNamed = ({ reason }: Retirement): boolean => reason !== 'changed' && reason !== 'upgraded';

/** What a machine is, or was: one that is gone at the provider is told by what Kubernetes and etcd still know of it. */
function roleOf(
  {
    name,
    machine,
    node,
    member,
  }: {
    readonly name: string;
    readonly machine: ProviderMachine | undefined;
    readonly node: ObservedNode | undefined;
    readonly member: EtcdMember | undefined;
  },
  observed: Observed,
): MachineRole {
  if (machine?.role === 'etcd') return 'etcd';
  if (machine?.role === 'control-plane' || node?.controlPlane === true) return 'control-plane';
  const isOfEtcd = hasEtcdApart(observed) || /-etcd-\d+$/.test(name);
  if (member !== undefined) return isOfEtcd && node === undefined ? 'etcd' : 'control-plane';
  return machine?.role ?? 'worker';
}

function leavingMachine(observed: Observed, name: string, retirement: Retirement): LeavingMachine {
  const { mode, reason } = retirement;
  const machine = observed.machines?.find((one) => one.name === name);
  const node = observed.nodes?.find((one) => one.name === name);
  const reference = observed.references[name];
  const member = memberOf(observed, name, machine?.address ?? reference?.address);
  const role = roleOf({ name, machine, node, member }, observed);
  const isRunning = machine?.state === 'running';
  const isWell = role === 'etcd' ? member?.healthy === true : node?.ready === true;
  const isAnswering = isRunning && isWell;
  const hasMember = role === 'etcd' || (role === 'control-plane' && !hasEtcdApart(observed));
  const works = hasMember ? member?.healthy === true : node !== undefined;
  return {
    name,
    role,
    mode,
    reason,
    isFenced: observed.retired[name]?.isFenced === true,
    isAnswering,
    isDead: !isAnswering && (isNamed(retirement) || !isRunning || !works),
    ...(machine === undefined ? {} : { machine }),
    ...(node === undefined ? {} : { node }),
    ...(member === undefined ? {} : { member }),
    ...(reference === undefined ? {} : { reference }),
  };
}

/**
 * Machines of which something is still to go: of one that is kept and fenced, the machine itself is no such thing.
 * The dead come first, because they do no work any more.
 */
export function leavingMachines(
  observed: Observed,
  retired: Readonly<Record<string, Retirement>>,
): LeavingMachine[] {
  const isOver = ({ mode, isFenced, machine, node, member }: LeavingMachine): boolean => {
    const isKept = isFenced && (mode === 'keep' || (mode === 'off' && machine?.state === 'off'));
    const isGone = machine === undefined || isKept;
    return isGone && node === undefined && member === undefined;
  };
  return Object.entries(retired)
    .map(([name, retirement]) => leavingMachine(observed, name, retirement))
    .filter((machine) => !isOver(machine))
    .toSorted((one, other) => {
      const byLife = Number(other.isDead) - Number(one.isDead);
      return byLife === 0 ? one.name.localeCompare(other.name, 'en', { numeric: true }) : byLife;
    });
}
