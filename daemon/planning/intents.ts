import type { Intent } from '../../provisioners/contract/intent.ts';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import { tagOf } from '../../provisioners/kubernetes/versions.ts';
import { planAdopt } from './adopt.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import { isEtcdApart } from '../spec/rules/etcd.ts';
import { planBackup } from './backup.ts';
import { premisesOf } from './creation.ts';
import { planEject } from './eject.ts';
import { planFinalize } from './finalize.ts';
import type { IntentPlan, IntentRequest } from './request.ts';
import { planRenewal } from './renewal.ts';
import { planRestore } from './restore.ts';
import { planRotation } from './rotation.ts';

/** Who plans for which intent: a file each. All pure. */
const intentPlanners: { readonly [Kind in Intent['kind']]: (request: IntentRequest<Kind>) => IntentPlan } = {
  adopt: planAdopt,
  backup: planBackup,
  eject: planEject,
  finalize: planFinalize,
  renew: planRenewal,
  restore: planRestore,
  rotate: planRotation,
};

/** @throws UserProblem PLAN-071 */
function requireStacked(kind: Intent['kind'], document: ClusterDocument): void {
  if (!isEtcdApart(document) || kind !== 'rotate') return;
  const { name } = document.metadata;
  throw new UserProblem(
    'PLAN-071',
    `Cluster ${name} has etcd on machines of its own, and this release cannot rotate the authorities of such a cluster yet`,
    {
      place: { field: 'spec.etcd.topology' },
      remedy: `Keep the authorities that it has. The certificates below them are renewed as ever: remuda certificates renew ${name}`,
    },
  );
}

/**
 * What it takes to bring about an intent, on what was seen; no steps when there is nothing to do. Pure.
 * @throws UserProblem when it cannot be; Blocked when too much was unseen
 */
export function planIntent(request: IntentRequest): Plan {
  const { intent, observed, revision, desired } = request;
  requireStacked(intent.kind, desired);
  return {
    kind: intent.kind,
    intent,
    cluster: { uid: observed.cluster.uid, name: observed.cluster.name },
    premises: premisesOf(observed, revision, tagOf(desired.spec.kubernetes.version)),
    ...(intentPlanners[intent.kind] as (request: IntentRequest) => IntentPlan)(request),
  };
}
