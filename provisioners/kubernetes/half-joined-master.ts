import type { MachineRef } from '../contract/machine.ts';
import type { ControlPlaneAccess } from '../contract/ports.ts';
import { Transient } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import { seconds } from '../contract/time.ts';
import { isMemberOf, lookAtMaster } from './control-plane-state.ts';
import { paths } from './paths.ts';

/**
 * What a kubelet that has just started says when it will not run etcd's static pod because it does not know its own
 * disk yet (kubernetes#99305, cured in 1.20.3 and 1.21): the pod is never tried again until the kubelet is restarted.
 */
const rejection = /etcd.*(failed to admit|ephemeral-storage|predicate)|(failed to admit|predicate).*etcd/i;

/** etcd's pod is up a few seconds after its manifest when all is well. */
const patience = seconds(20);

/**
 * Watches a join for etcd's pod being rejected, and cures it by a restart of the kubelet, said aloud (complaint 5).
 * The answer is called every few seconds while kubeadm runs.
 */
export function rejectedEtcdCure(context: StepContext, machine: MachineRef): () => Promise<void> {
  let manifestSeenAt: number | undefined;
  let restarts = 0;
  return async () => {
    const found = await context.file.exist(machine, [paths.etcdManifest]);
    if (!found.has(paths.etcdManifest)) return;
    const now = Date.parse(context.now());
    manifestSeenAt ??= now;
    if (restarts >= 3 || now - manifestSeenAt < patience) return;
    const line = (await context.service.journal(machine, 'kubelet.service', 400)).findLast((text) =>
      rejection.test(text),
    );
    manifestSeenAt = now;
    if (line === undefined) return;
    restarts += 1;
    context.log(
      `the kubelet rejected etcd's pod at its start (kubernetes#99305): ${line.trim()}; restarting the kubelet`,
      machine.name,
    );
    await context.service.restart(machine, 'kubelet.service');
  };
}

/** Waits until etcd answers again after a kubelet was restarted; throws the last silence after two minutes. */
async function membersAfterRestart(context: StepContext, access: ControlPlaneAccess): Promise<void> {
  const until = Date.parse(context.now()) + seconds(120);
  for (;;) {
    try {
      await context.etcd.members(access);
      return;
    } catch (thrown) {
      if (!(thrown instanceof Transient) || Date.parse(context.now()) > until) throw thrown;
    }
    await context.sleep(seconds(2));
  }
}

/** Removes the machine's etcd members, leader moved off first; the adapter refuses what would cost quorum. */
async function evict(context: StepContext, machine: MachineRef, access: ControlPlaneAccess): Promise<void> {
  const members = await context.etcd.members(access);
  for (const member of members.filter((candidate) => isMemberOf(machine, candidate))) {
    const heir = members.find((other) => other.healthy && !other.learner && !isMemberOf(machine, other));
    if (member.leader && heir !== undefined) await context.etcd.moveLeader(access, heir.id);
    context.log(
      `removing the etcd member ${member.id} that ${machine.name} left ${member.started ? 'behind' : 'unstarted'}`,
      machine.name,
    );
    await context.etcd.removeMember(access, member.id);
  }
}

/**
 * Takes away everything of a master that joined by half, so that it can join anew (complaint 5): its etcd member, its
 * Node, its files. The member goes first, while it may still answer: afterwards the rest could have lost quorum.
 */
export async function clearHalfJoined(
  context: StepContext,
  machine: MachineRef,
  access: ControlPlaneAccess,
): Promise<void> {
  let state = await lookAtMaster(context, machine, access);
  if (state.members === undefined) {
    // The member was added and never started: with two members that is no quorum. Starting it is the only cure.
    context.log(
      `etcd has no quorum until ${machine.name} starts its member; restarting the kubelet`,
      machine.name,
    );
    await context.service.restart(machine, 'kubelet.service');
    await membersAfterRestart(context, access);
    state = await lookAtMaster(context, machine, access);
  }
  if ((state.members ?? []).length > 0) await evict(context, machine, access);
  if (state.node !== undefined) {
    context.log(`removing the Node that ${machine.name} left`, machine.name);
    await context.kubernetes.remove(access, { apiVersion: 'v1', kind: 'Node', name: machine.name });
  }
  if (state.files.size > 0) {
    context.log(`kubeadm reset on ${machine.name}, which had joined by half`, machine.name);
    await context.kubeadm.run(machine, { verb: 'reset' });
    // Where etcd's manifest is gone already, kubeadm takes etcd for an external one and leaves its data.
    await context.file.remove(machine, [paths.etcdData]);
  }
}
