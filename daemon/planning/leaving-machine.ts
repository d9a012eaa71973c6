import type { MachineRef, MachineRole } from '../../provisioners/contract/machine.ts';
import type { EtcdMember, ObservedNode, Retirement } from '../../provisioners/contract/observed.ts';
import { stepId } from '../../provisioners/contract/plan.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';
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
