import type { KubernetesObject } from '../../../provisioners/contract/ports/kubernetes.ts';
import { field, matches, textMap, tolerates, type StoredObject } from './kubernetes.ts';
import type { PlacedPod, Placements } from './placement.ts';

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

/** The token of its service account, which every pod is given that does not refuse it (ServiceAccount admission). */
function tokenOf(template: unknown): { readonly volumes?: readonly unknown[] } {
  if (field(template, 'spec', 'automountServiceAccountToken') === false) return {};
  const volumes = field(template, 'spec', 'volumes');
  const token = {
    name: 'kube-api-access',
    projected: { sources: [{ serviceAccountToken: { path: 'token' } }] },
  };
  return { volumes: [...(Array.isArray(volumes) ? volumes : []), token] };
}

/** What makes one pod different from the others of its workload. */
interface PodSelf {
  readonly name: string;
  readonly uid: string;
  readonly node: NodeState | undefined;
  readonly placed?: PlacedPod;
}

function podOf(owner: StoredObject, { name, uid, node, placed }: PodSelf, now: number): KubernetesObject {
  const template = field(owner, 'spec', 'template');
  const changedAt = Number(owner.metadata['changedAt'] ?? 0);
  const since = Math.max(changedAt, startOf(template, node), placed?.since ?? 0);
  const canRun = node !== undefined && node.isAlive && (isHostNetwork(template) || node.isReady);
  const isReady = canRun && since + podStart <= now;
  if (isReady && placed !== undefined) placed.hasRun = true;
  const metadata = field(template, 'metadata') as object | undefined;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      name,
      uid,
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      labels: textMap(template, 'metadata', 'labels'),
      ownerReferences: [
        {
          apiVersion: owner.apiVersion,
          kind: owner.kind,
          name: owner.metadata.name,
          uid: owner.metadata['uid'],
          controller: true,
        },
      ],
      ...(placed?.end === undefined ? {} : { deletionTimestamp: new Date(placed.end.due).toISOString() }),
    },
    spec: {
      ...(field(template, 'spec') as object),
      ...tokenOf(template),
      ...(node === undefined ? {} : { nodeName: node.name }),
    },
    status: {
      ...podStatus(isReady, node, placed?.hasRun === true),
      startTime: new Date(Math.max(changedAt, placed?.since ?? 0)).toISOString(),
    },
  };
}

/** Status of a pod; one that has run once is Running even while it is not ready. */
export function podStatus(
  isReady: boolean,
  node: NodeState | undefined,
  hasRun = isReady,
): Record<string, unknown> {
  return {
    phase: isReady || hasRun ? 'Running' : 'Pending',
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
    .map((node) => {
      const name = `${owner.metadata.name}-${node.name}`;
      return podOf(owner, { name, uid: `${String(owner.metadata['uid'])}-${node.name}`, node }, now);
    });
}

/** Uid of a pod that has a place; the model finds the place by it again. */
export const placedUid = (owner: StoredObject, { index, incarnation }: PlacedPod): string =>
  `${String(owner.metadata['uid'])}-${index}-${incarnation}`;

/** Name of a pod that has a place: those of a StatefulSet keep theirs, a Deployment's get a new one each time. */
function placedName(owner: StoredObject, { index, incarnation }: PlacedPod): string {
  const name = `${owner.metadata.name}-${index}`;
  return owner.kind === 'StatefulSet' || incarnation === 0 ? name : `${name}-${incarnation}`;
}

/** Pods of a Deployment or StatefulSet. */
function placedPods(
  owner: StoredObject,
  nodes: readonly NodeState[],
  now: number,
  placements: Placements,
): KubernetesObject[] {
  const known = new Map(nodes.map((node) => [node.name, node]));
  return placements.of(owner, nodes, now).map((placed) => {
    const node = placed.node === undefined ? undefined : known.get(placed.node);
    return podOf(
      owner,
      { name: placedName(owner, placed), uid: placedUid(owner, placed), node, placed },
      now,
    );
  });
}

/** Pods of one workload as they are now. */
export function podsOf(
  owner: StoredObject,
  nodes: readonly NodeState[],
  now: number,
  placements: Placements,
): KubernetesObject[] {
  if (owner.kind === 'DaemonSet') return daemonPods(owner, nodes, now);
  if (owner.kind === 'Deployment' || owner.kind === 'StatefulSet')
    return placedPods(owner, nodes, now, placements);
  return [];
}

/** Whether a pod is ready, and not on its way out. */
export function isPodReady(pod: KubernetesObject): boolean {
  const conditions = (field(pod, 'status', 'conditions') ?? []) as readonly {
    type: string;
    status: string;
  }[];
  const isReady = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  return isReady && pod.metadata['deletionTimestamp'] === undefined;
}

/** The workload with the status its controller would have written. */
export function withStatus(
  owner: StoredObject,
  nodes: readonly NodeState[],
  now: number,
  placements: Placements,
): KubernetesObject {
  const all = podsOf(owner, nodes, now, placements);
  const pods = all.filter(({ metadata }) => metadata['deletionTimestamp'] === undefined);
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
