import type { Retirement } from '../../provisioners/contract/observed.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import { clusterMark } from '../../provisioners/kubernetes/marks.ts';
import { steps as everyStep } from '../../provisioners/kubernetes/steps.ts';
import { tagOf } from '../../provisioners/kubernetes/versions.ts';
import { planContext } from './cluster-plan.ts';
import { changesOf, noticesOf } from './changes.ts';
import { creationSteps, premisesOf } from './creation.ts';
import { differenceOf, membersToJoin, requireQuorum, requireSight } from './difference.ts';
import { mendingChanges, mendingSteps } from './drift.ts';
import { leavingMachines } from './leaving.ts';
import { isSealedOff } from './leaving-machine.ts';
import { withBackup } from './master-backup.ts';
import type { ClusterRequest } from './request.ts';
import { planByStages } from './stages.ts';
import { requireUpgradePath } from './upgrade.ts';
import { machinesOnDuty } from './wanted.ts';

export { apiPortOf } from './api-port.ts';
export { planDeletion } from './deletion.ts';
export { planDrift, remedyOf } from './drift.ts';
export { describePlan } from './description.ts';
export { releaseSteps } from './release.ts';
export { namedByStage } from './stages.ts';
export { planRevival } from './revival.ts';

/** As {@link planVersion}, stage by stage where minors lie between what runs and what is asked. */
export const planCluster = (request: ClusterRequest): Plan => planByStages(request, planVersion);

/**
 * The difference between what is asked and what is seen, as a plan; empty when there is none. Pure: the same request
 * gives the same plan.
 * @throws UserProblem when the document asks for what this release cannot do; Blocked when too much was unseen
 */
function planVersion(request: ClusterRequest): Plan {
  const {
    desired: document,
    provider,
    observed,
    revision,
    keys,
    bypass = [],
    mayHaveJoined = true,
    halfJoined = [],
  } = request;
  // A machine that is there says more than a receipt: with none at all the cluster is made from the beginning.
  const hasReceipt = request.isEstablished === true && observed.machines?.length !== 0;
  requireSight(observed, hasReceipt);
  requireUpgradePath(document, observed);
  const { wanted, retires, takesBack } = machinesOnDuty(document, provider, observed, request.retire);
  const retired = withoutTakenBack({ ...observed.retired, ...retires }, takesBack);
  const difference = differenceOf(wanted, leavingMachines(observed, retired), observed);
  const { leaving } = difference;
  // kubeadm marks a master before it is through; our own mark comes after.
  const isEstablished =
    (difference.masters.length > 0 || leaving.some(({ node }) => node?.controlPlane === true)) &&
    (hasReceipt || observed.marks?.[clusterMark] === observed.cluster.uid);
  const joining = membersToJoin(difference.unfinished, observed);
  if (isEstablished) requireQuorum(document, observed, joining, leaving);
  const context = planContext({
    document,
    provider,
    observed,
    keys,
    bypass,
    wanted,
    difference,
    isEstablished,
    mayHaveJoined,
    halfJoined,
  });
  const needed = creationSteps(context);
  const mending = isEstablished
    ? mendingSteps(
        request,
        needed,
        leaving.map(({ name }) => name),
      )
    : [];
  const { steps, notices } = withBackup(context, [...mending, ...needed], request.recoveryRecipient);
  return {
    kind: isEstablished ? 'update' : 'create',
    cluster: { uid: observed.cluster.uid, name: observed.cluster.name },
    premises: premisesOf(observed, revision, tagOf(document.spec.kubernetes.version)),
    steps,
    destroys: leaving.filter((one) => one.machine !== undefined && !isSealedOff(one)).map(({ name }) => name),
    ...(Object.keys(retires).length === 0 ? {} : { retires }),
    ...(takesBack.length === 0 ? {} : { takesBack }),
    notices: [...noticesOf(context, steps), ...notices],
    changes: [...changesOf(context, needed), ...mendingChanges(mending, observed)],
  };
}

const withoutTakenBack = (
  retired: Readonly<Record<string, Retirement>>,
  takesBack: readonly string[],
): Readonly<Record<string, Retirement>> =>
  Object.fromEntries(Object.entries(retired).filter(([name]) => !takesBack.includes(name)));

/** Whether steps of a kind have observable state or leave only a receipt; unknown kinds count as observable. */
export const natureOf = (kind: string): 'ensure' | 'act' =>
  everyStep.find((step) => step.kind === kind)?.nature ?? 'ensure';
