import type { MachineRef } from '../contract/machine.ts';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import { Blocked, Transient } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import { seconds } from '../contract/time.ts';
import { awaitedOf, isMemberOf, lookAtMaster } from './control-plane-state.ts';
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

/**
 * Whether etcd can change anything now. Its members list themselves without a quorum too (etcd 3.4, tried on real
 * processes), but `/health` of a member is true only while there is a leader that a majority follows.
 */
async function hasQuorum(context: StepContext, access: ControlPlaneAccess): Promise<boolean> {
  try {
    return (await context.etcd.members(access)).some(({ healthy }) => healthy);
  } catch (thrown) {
    if (thrown instanceof Transient) return false;
    throw thrown;
  }
}

/**
 * A member was added and never started; with two members that is no quorum, and starting it is the only cure.
 * @throws Blocked when the machine has nothing to start it from, Transient when two minutes did not bring the quorum.
 */
async function regainQuorum(
  context: StepContext,
  machine: MachineRef,
  access: ControlPlaneAccess,
): Promise<void> {
  const found = await context.file.exist(machine, [paths.etcdManifest]);
  if (found.size === 0)
    throw new Blocked(
      'ETCD-001',
      `etcd waits for a member on ${machine.name} that was added and can never start`,
      {
        machine: machine.name,
        remedy:
          'Delete the cluster and make it again: it had only one master, and the second died as it joined.',
      },
    );
  context.log(
    `etcd has no quorum until ${machine.name} starts its member; restarting the kubelet`,
    machine.name,
  );
  await context.service.restart(machine, 'kubelet.service');
  const until = Date.parse(context.now()) + seconds(120);
  while (!(await hasQuorum(context, access))) {
    if (Date.parse(context.now()) > until)
      throw new Transient(
        'ETCD-002',
        `etcd has had no quorum for two minutes since the kubelet of ${machine.name} was restarted`,
        {
          machine: machine.name,
        },
      );
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
 * @returns false when it did not come to that, because what is there is not known any more: look again.
 */
export async function clearHalfJoined(
  context: StepContext,
  machine: MachineRef,
  access: ControlPlaneAccess,
  isEtcdApart = false,
): Promise<boolean> {
  // The machine is asked too: after its member has started, it may be the only healthy one to answer.
  const withItself = { ...access, masters: [...access.masters, machine] };
  if (!isEtcdApart && !(await hasQuorum(context, withItself)))
    await regainQuorum(context, machine, withItself);
  const state = await lookAtMaster(context, machine, access, isEtcdApart);
  if (awaitedOf(machine, state) !== undefined) return false;
  if ((state.members ?? []).length > 0) await evict(context, machine, access);
  if (state.node !== undefined) {
    context.log(`removing the Node that ${machine.name} left`, machine.name);
    await context.kubernetes.remove(access, { apiVersion: 'v1', kind: 'Node', name: machine.name });
  }
  if (state.files.size > 0) {
    context.log(`kubeadm reset on ${machine.name}, which had joined by half`, machine.name);
    await context.kubeadm.run(machine, { verb: 'reset' });
    await context.file.remove(machine, [paths.etcdData]);
  }
  return true;
}
