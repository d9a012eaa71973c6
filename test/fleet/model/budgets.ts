import type { KubernetesObject } from '../../../provisioners/contract/ports/kubernetes.ts';
import type { ModelCluster } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { field, matches, textMap, type StoredObject } from './kubernetes.ts';
import { podsIn } from './pods.ts';
import { isPodReady } from './workloads.ts';

/** A number, or a share of a whole, rounded up as the disruption controller does. */
function scaled(value: unknown, whole: number): number {
  const text = String(value);
  return text.endsWith('%') ? Math.ceil((Number(text.slice(0, -1)) / 100) * whole) : Number(text);
}

/** Whether a budget speaks of a pod; one of v1beta1 without labels in its selector speaks of none. */
export function isSelectedBy(budget: KubernetesObject, pod: KubernetesObject): boolean {
  const selector = textMap(budget, 'spec', 'selector', 'matchLabels');
  return (
    pod.metadata.namespace === budget.metadata.namespace &&
    Object.keys(selector).length > 0 &&
    matches(pod.metadata.labels ?? {}, selector)
  );
}

/** The budget with the status its controller would have written just now. */
function withStatus(budget: StoredObject, pods: readonly KubernetesObject[]): KubernetesObject {
  const selected = pods.filter((pod) => isSelectedBy(budget, pod));
  const there = selected.filter(({ metadata }) => metadata['deletionTimestamp'] === undefined);
  const expectedPods = there.length;
  const minAvailable = field(budget, 'spec', 'minAvailable');
  const desiredHealthy =
    minAvailable === undefined
      ? Math.max(0, expectedPods - scaled(field(budget, 'spec', 'maxUnavailable') ?? 0, expectedPods))
      : scaled(minAvailable, expectedPods);
  const currentHealthy = there.filter(isPodReady).length;
  const disruptionsAllowed = expectedPods === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  return {
    ...budget,
    status: {
      observedGeneration: budget.metadata['generation'],
      expectedPods,
      desiredHealthy,
      currentHealthy,
      disruptionsAllowed,
    },
  };
}

/** Every PodDisruptionBudget of a cluster as it is now. */
export function budgetsOf(fleet: Fleet, cluster: ModelCluster): KubernetesObject[] {
  const pods = podsIn(fleet, cluster);
  return cluster.objects
    .list('policy/v1beta1', 'PodDisruptionBudget')
    .map((budget) => withStatus(budget, pods));
}
