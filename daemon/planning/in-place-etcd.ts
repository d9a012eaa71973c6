import { type PlannedStep, stepId } from '../../provisioners/contract/plan.ts';
import { containerdStart } from '../../provisioners/kubernetes/steps/containerd-start.ts';
import { etcdMemberStart } from '../../provisioners/kubernetes/steps/etcd-member-start.ts';
import { etcdMemberUpgrade } from '../../provisioners/kubernetes/steps/etcd-member-upgrade.ts';
import { kubeletInstall } from '../../provisioners/kubernetes/steps/kubelet-install.ts';
import { payloadInstall } from '../../provisioners/kubernetes/steps/payload-install.ts';
import { type PlanContext, referenceTo } from './cluster-plan.ts';
import { exitOf } from './leaving-machine.ts';
import { about, planStep } from './planned-step.ts';
import type { WantedMachine } from './wanted-machine.ts';

const isEtcd = ({ role }: { readonly role: string }): boolean => role === 'etcd';

/** Machines of etcd of another minor than asked: who is not well goes first, for its upgrade may have been cut off. */
function outdatedEtcd({ difference, observed }: PlanContext): readonly WantedMachine[] {
  const isUnwell = ({ name }: WantedMachine): boolean =>
    observed.voters?.some((voter) => voter.name === name && voter.healthy) !== true;
  return difference.outdated
    .filter(isEtcd)
    .toSorted(
      (one, other) =>
        Number(isUnwell(other)) - Number(isUnwell(one)) ||
        one.name.localeCompare(other.name, 'en', { numeric: true }),
    );
}

/**
 * Machines of etcd, one after another: their files, then kubelet and etcd, and a healthy voter before the next. Nobody
 * comes or goes meanwhile. Empty where none is outdated. Pure.
 */
export function etcdUpgradeSteps(context: PlanContext, start: readonly string[]): PlannedStep[] {
  const { settings, wanted, difference } = context;
  const { kubernetesVersion } = settings;
  const inOrder = outdatedEtcd(context);
  const members = wanted.filter(isEtcd);
  const others = [
    ...difference.unfinished.filter(isEtcd).map(({ name }) => stepId(etcdMemberStart.kind, name)),
    ...difference.leaving.filter(isEtcd).map(exitOf),
  ];
  let last: readonly string[] = [...start, ...others];
  return inOrder.flatMap((one) => {
    const { name } = one;
    const machine = referenceTo(one, context);
    const files = { machine, kubernetesVersion };
    const payload = planStep(payloadInstall, about(name), { ...files, role: 'control-plane' }, last);
    const kubelet = planStep(kubeletInstall, about(name), files, [payload.id]);
    const runtime = planStep(containerdStart, about(name), files, [kubelet.id]);
    const peers = members.filter((peer) => peer.name !== name).map((peer) => referenceTo(peer, context));
    const upgrade = planStep(etcdMemberUpgrade, about(name), { machine, settings, peers }, [runtime.id]);
    last = [upgrade.id];
    return [payload, kubelet, runtime, upgrade];
  });
}

/** The step after which a machine of etcd is not outdated any more. */
export const etcdUpgradeEnd = (name: string): string => stepId(etcdMemberUpgrade.kind, name);
