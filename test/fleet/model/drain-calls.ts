import type {
  Eviction,
  KubernetesObject,
  NodeVersion,
  PodReference,
} from '../../../provisioners/contract/ports/kubernetes.ts';
import { budgetsOf, isSelectedBy } from './budgets.ts';
import { changing } from './call.ts';
import type { ModelCluster } from './cluster.ts';
import { apiOf } from './kubernetes-calls.ts';
import type { Through } from './call.ts';
import type { Fleet } from './fleet.ts';
import { field } from './kubernetes.ts';
import { endPod, findPod } from './pods.ts';

/** Phases in which a pod does nobody any good: the API server asks no budget then. */
const idle = new Set(['Pending', 'Succeeded', 'Failed']);

/** Why the API server refuses an eviction, in the words of Kubernetes 1.20; undefined when it does not. */
function refusal(fleet: Fleet, cluster: ModelCluster, pod: KubernetesObject): string | undefined {
  const isGoing = pod.metadata['deletionTimestamp'] !== undefined;
  if (isGoing || idle.has(String(field(pod, 'status', 'phase')))) return undefined;
  const budgets = budgetsOf(fleet, cluster).filter((budget) => isSelectedBy(budget, pod));
  if (budgets.length > 1)
    return 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
  const [budget] = budgets;
  if (budget === undefined || Number(field(budget, 'status', 'disruptionsAllowed')) > 0) return undefined;
  const needs = String(field(budget, 'status', 'desiredHealthy'));
  const has = String(field(budget, 'status', 'currentHealthy'));
  return (
    "Cannot evict pod as it would violate the pod's disruption budget. " +
    `The disruption budget ${budget.metadata.name} needs ${needs} healthy pods and has ${has} currently`
  );
}

/** Somebody cordons a Node, or releases it, as kubectl does: the annotations of others stay as they are. */
export function cordonAsSomebody(cluster: ModelCluster, name: string, isUnschedulable: boolean): void {
  const of = { apiVersion: 'v1', kind: 'Node', name };
  const spec = { unschedulable: isUnschedulable ? true : null };
  cluster.objects.patch(of, { spec }, { manager: 'kubectl-cordon' });
}

interface PodCall extends Through {
  readonly pod: PodReference;
  readonly gracePeriod?: number;
}

/** Calls of KubernetesPort that a drain is made of. */
export const drainCalls = {
  'kubernetes.evict': changing(60, (fleet, given: PodCall, by): Eviction => {
    const cluster = apiOf(fleet, given.access);
    const pod = findPod(fleet, cluster, given.pod);
    if (pod === undefined) return { state: 'evicted' };
    const why = refusal(fleet, cluster, pod);
    if (why !== undefined) return { state: 'refused', why };
    endPod(fleet, cluster, pod, given.gracePeriod);
    fleet.changed('kubernetes.evict', `${given.pod.namespace}/${given.pod.name}`, by);
    return { state: 'evicted' };
  }),
  'kubernetes.deletePod': changing(60, (fleet, given: PodCall, by) => {
    const cluster = apiOf(fleet, given.access);
    const pod = findPod(fleet, cluster, given.pod);
    if (pod === undefined) return null;
    endPod(fleet, cluster, pod, given.gracePeriod);
    fleet.changed('kubernetes.deletePod', `${given.pod.namespace}/${given.pod.name}`, by);
    return null;
  }),
  'kubernetes.setUnschedulable': changing(
    60,
    (
      fleet,
      given: Through & {
        readonly node: NodeVersion;
        readonly isUnschedulable: boolean;
        readonly annotations: Readonly<Record<string, string | null>>;
      },
      by,
    ): 'set' | 'outdated' => {
      const cluster = apiOf(fleet, given.access);
      const { name, resourceVersion } = given.node;
      const done = cluster.objects.patch(
        { apiVersion: 'v1', kind: 'Node', name },
        {
          metadata: { annotations: given.annotations },
          spec: { unschedulable: given.isUnschedulable ? true : null },
        },
        { manager: 'remuda', resourceVersion },
      );
      if (done === 'set') fleet.changed('kubernetes.setUnschedulable', name, by);
      return done;
    },
  ),
};
