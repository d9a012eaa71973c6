import type { KubernetesObject, PodReference } from '../../../provisioners/contract/ports/kubernetes.ts';
import type { ModelCluster } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { field, referenceOf, type StoredObject } from './kubernetes.ts';
import { isUp } from './machine.ts';
import { isOver, type PodEnd } from './placement.ts';
import { placedUid, podsOf, podStatus, type NodeState } from './workloads.ts';

/** Grace period of a pod that names none, ms: Kubernetes' own. */
const usualGrace = 30_000;

/** The masters' static pods, as the kubelet shows them to the API: only it can end one. */
function mirrorPods(fleet: Fleet, cluster: ModelCluster, nodes: readonly NodeState[]): KubernetesObject[] {
  return cluster.readyMasters(fleet.now).flatMap((machine) =>
    ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((component) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${component}-${machine.name}`,
        namespace: 'kube-system',
        uid: `mirror-${component}-${machine.name}`,
        labels: { component, tier: 'control-plane' },
        annotations: { 'kubernetes.io/config.mirror': `${component} of ${machine.name}` },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: machine.name, controller: true }],
      },
      spec: { nodeName: machine.name, hostNetwork: true },
      status: podStatus(
        true,
        nodes.find(({ name }) => name === machine.name),
      ),
    })),
  );
}

/** When a pod that somebody applied was told to go. */
const endOf = (pod: StoredObject): PodEnd | undefined => pod['remudaModel'] as PodEnd | undefined;

const isHeld = (pod: KubernetesObject): boolean =>
  Array.isArray(pod.metadata['finalizers']) && pod.metadata['finalizers'].length > 0;

/** Pods that somebody applied, and that no controller of the model made. */
function appliedPods(fleet: Fleet, cluster: ModelCluster, nodes: readonly NodeState[]): KubernetesObject[] {
  return cluster.objects.list('v1', 'Pod').flatMap((pod) => {
    const named = field(pod, 'spec', 'nodeName');
    const node = nodes.find(({ name, isReady }) => (named === undefined ? isReady : name === named));
    const end = endOf(pod);
    const traits = { labels: pod.metadata.labels ?? {}, isHeld: isHeld(pod) };
    const host = nodes.find(({ name }) => name === named);
    if (end !== undefined && isOver(end, traits, host, fleet.now)) {
      cluster.objects.remove(referenceOf(pod));
      return [];
    }
    const phase = field(pod, 'status', 'phase');
    const status =
      phase === 'Succeeded' || phase === 'Failed'
        ? { status: { phase } }
        : { status: podStatus(node?.isReady === true, node, field(pod, 'status', 'phase') === 'Running') };
    const spec = {
      spec: { ...(pod['spec'] as object), ...(node === undefined ? {} : { nodeName: node.name }) },
    };
    return [Object.assign(structuredClone(pod), spec, status)];
  });
}

const ownersIn = (cluster: ModelCluster): StoredObject[] =>
  ['DaemonSet', 'Deployment', 'StatefulSet'].flatMap((kind) => cluster.objects.list('apps/v1', kind));

/** Every pod of a cluster as it is now. */
export function podsIn(fleet: Fleet, cluster: ModelCluster): KubernetesObject[] {
  const nodes = cluster.nodes(fleet.now);
  return [
    ...ownersIn(cluster).flatMap((owner) => podsOf(owner, nodes, fleet.now, cluster.placements)),
    ...mirrorPods(fleet, cluster, nodes),
    ...appliedPods(fleet, cluster, nodes),
  ];
}

/** The very pod of a reference; undefined when it is gone. */
export const findPod = (
  fleet: Fleet,
  cluster: ModelCluster,
  { namespace, name, uid }: PodReference,
): KubernetesObject | undefined =>
  podsIn(fleet, cluster).find(
    ({ metadata }) => metadata.name === name && metadata.namespace === namespace && metadata['uid'] === uid,
  );

/** Whether an object's fields are what a selector of equalities wants. */
export const isFieldSelected = (object: KubernetesObject, selector: string): boolean =>
  selector.split(',').every((part) => {
    const [path = '', value] = part.split(/={1,2}/);
    return String(field(object, ...path.split('.')) ?? '') === value;
  });

/** Deletes a pod with a grace period, or at once with none: as DELETE does, whoever asks for it. */
export function endPod(
  fleet: Fleet,
  cluster: ModelCluster,
  pod: KubernetesObject,
  gracePeriod?: number,
): void {
  const spec = field(pod, 'spec', 'terminationGracePeriodSeconds');
  const grace = gracePeriod ?? (typeof spec === 'number' ? spec * 1000 : usualGrace);
  const machine = cluster.machines.get(String(field(pod, 'spec', 'nodeName')));
  const isNode = cluster.nodes(fleet.now).some(({ name }) => name === machine?.name);
  if (grace === 0 && machine !== undefined && isNode && isUp(machine, fleet.now))
    fleet.violate('forced-on-a-living-machine', `${pod.metadata.name} on ${machine.name}`);
  const isGone = grace === 0 && !isHeld(pod);
  const end = { asked: fleet.now, due: fleet.now + grace };
  const owner = ownersIn(cluster).find((one) =>
    String(pod.metadata['uid']).startsWith(`${String(one.metadata['uid'])}-`),
  );
  if (owner !== undefined) {
    const placed = cluster.placements
      .of(owner, cluster.nodes(fleet.now), fleet.now)
      .find((one) => placedUid(owner, one) === pod.metadata['uid']);
    if (placed === undefined) fleet.violate('daemon-pod-ended', pod.metadata.name);
    else if (isGone) cluster.placements.drop(owner, placed);
    else cluster.placements.end(owner, placed, end);
    return;
  }
  const stored = cluster.objects.get(referenceOf(pod));
  if (stored === undefined) fleet.violate('mirror-pod-ended', pod.metadata.name);
  else if (isGone) cluster.objects.remove(referenceOf(pod));
  else if (endOf(stored) === undefined) markEnding(cluster, stored, end);
}

/** Notes that a pod which somebody applied is on its way out. */
function markEnding(cluster: ModelCluster, pod: StoredObject, end: PodEnd): void {
  const deletionTimestamp = new Date(end.due).toISOString();
  const metadata = { deletionTimestamp };
  cluster.objects.patch(referenceOf(pod), { metadata, remudaModel: end }, { manager: 'kube-apiserver' });
}
