import type { KubernetesObject } from '../../../provisioners/contract/ports.ts';
import { field, matches, textMap, tolerates, type StoredObject } from './kubernetes.ts';

/** What the scheduler knows of one node. */
export interface NodeState {
  readonly name: string;
  readonly address: string;
  /** kubelet answers. */
  readonly isAlive: boolean;
  /** Model time since which the node could run host-network pods. */
  readonly aliveSince: number;
  readonly isReady: boolean;
  readonly readySince: number;
  readonly isUnschedulable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly { key: string; effect: string }[];
}

/** Time a pod takes from being assigned to being ready, ms: typical of images that are already on the node. */
export const podStart = 3000;

const isHostNetwork = (template: unknown): boolean => field(template, 'spec', 'hostNetwork') === true;

function startOf(template: unknown, node: NodeState | undefined): number {
  if (node === undefined) return 0;
  return isHostNetwork(template) ? node.aliveSince : node.readySince;
}

function podOf(
  owner: StoredObject,
  name: string,
  node: NodeState | undefined,
  now: number,
): KubernetesObject {
  const template = field(owner, 'spec', 'template');
  const since = Math.max(Number(owner.metadata['changedAt'] ?? 0), startOf(template, node));
  const canRun = node !== undefined && node.isAlive && (isHostNetwork(template) || node.isReady);
  const isReady = canRun && since + podStart <= now;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      labels: textMap(template, 'metadata', 'labels'),
      ownerReferences: [{ kind: owner.kind, name: owner.metadata.name }],
    },
    spec: { ...(field(template, 'spec') as object), ...(node === undefined ? {} : { nodeName: node.name }) },
    status: podStatus(isReady, node),
  };
}

/** Status of a pod. */
export function podStatus(isReady: boolean, node: NodeState | undefined): Record<string, unknown> {
  return {
    phase: isReady ? 'Running' : 'Pending',
    ...(node === undefined ? {} : { hostIP: node.address, podIP: node.address }),
    conditions: [
      {
        type: 'Ready',
        status: isReady ? 'True' : 'False',
        ...(isReady ? {} : { reason: 'ContainersNotReady', message: 'containers with unready status' }),
      },
    ],
    containerStatuses: [
      {
        name: 'main',
        ready: isReady,
        restartCount: 0,
        state: isReady ? { running: {} } : { waiting: { reason: 'ContainerCreating' } },
      },
    ],
  };
}

/** Pods of a DaemonSet: one on each node it fits, whether the node is ready or not, as Kubernetes does. */
function daemonPods(owner: StoredObject, nodes: readonly NodeState[], now: number): KubernetesObject[] {
  const template = field(owner, 'spec', 'template');
  return nodes
    .filter((node) => matches(node.labels, textMap(template, 'spec', 'nodeSelector')))
    .filter((node) => tolerates(template, node.taints))
    .map((node) => podOf(owner, `${owner.metadata.name}-${node.name}`, node, now));
}

/** Pods of a Deployment, spread over the nodes that may take them in order of name. */
function deploymentPods(owner: StoredObject, nodes: readonly NodeState[], now: number): KubernetesObject[] {
  const template = field(owner, 'spec', 'template');
  const count = Number(field(owner, 'spec', 'replicas') ?? 1);
  const fit = nodes.filter(
    (node) =>
      node.isReady &&
      !node.isUnschedulable &&
      tolerates(template, node.taints) &&
      matches(node.labels, textMap(template, 'spec', 'nodeSelector')),
  );
  return Array.from({ length: count }, (_, index) =>
    podOf(owner, `${owner.metadata.name}-${index}`, fit[index % Math.max(1, fit.length)], now),
  );
}

/** Pods of one workload as they are now. */
export function podsOf(owner: StoredObject, nodes: readonly NodeState[], now: number): KubernetesObject[] {
  if (owner.kind === 'DaemonSet') return daemonPods(owner, nodes, now);
  if (owner.kind === 'Deployment') return deploymentPods(owner, nodes, now);
  return [];
}

/** Whether a pod is ready. */
export const isPodReady = (pod: KubernetesObject): boolean => field(pod, 'status', 'phase') === 'Running';

/** The workload with the status its controller would have written. */
export function withStatus(owner: StoredObject, nodes: readonly NodeState[], now: number): KubernetesObject {
  const pods = podsOf(owner, nodes, now);
  const ready = pods.filter(isPodReady).length;
  const observedGeneration = owner.metadata['generation'];
  const status =
    owner.kind === 'DaemonSet'
      ? {
          observedGeneration,
          desiredNumberScheduled: pods.length,
          currentNumberScheduled: pods.length,
          updatedNumberScheduled: pods.length,
          numberReady: ready,
          numberAvailable: ready,
        }
      : {
          observedGeneration,
          replicas: pods.length,
          updatedReplicas: pods.length,
          readyReplicas: ready,
          availableReplicas: ready,
        };
  return { ...owner, status };
}
