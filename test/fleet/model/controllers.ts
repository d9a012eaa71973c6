import type { KubernetesObject } from '../../../provisioners/contract/ports/kubernetes.ts';
import type { ModelCluster } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { field, referenceOf, type StoredObject } from './kubernetes.ts';
import { podsIn } from './pods.ts';

/** Something at the provider that a controller in the cluster has made. */
export interface MadeThing {
  readonly type: 'load balancer' | 'disk';
  readonly id: string;
  /** The Service or PersistentVolume that it stands behind. */
  readonly of: string;
}

/** How long a cloud takes to take away a balancer or a disk, ms. */
const cloudTakes = 20_000;

const finalizersOf = (object: KubernetesObject): readonly string[] =>
  (object.metadata['finalizers'] ?? []) as readonly string[];

/** DELETE: gone at once, or told to go where a finalizer holds it. */
export function deleteObject(fleet: Fleet, cluster: ModelCluster, object: StoredObject): void {
  if (finalizersOf(object).length === 0) {
    cluster.objects.remove(referenceOf(object));
    return;
  }
  if (object.metadata['deletionTimestamp'] !== undefined) return;
  const metadata = { deletionTimestamp: new Date(fleet.now).toISOString() };
  cluster.objects.patch(referenceOf(object), { metadata }, { manager: 'kube-apiserver' });
}

const isDue = (fleet: Fleet, object: StoredObject): boolean => {
  const since = object.metadata['deletionTimestamp'];
  return since !== undefined && fleet.now - Date.parse(String(since)) >= cloudTakes;
};

/** The cloud's controller: takes the balancer away, then its finalizer off. */
function runBalancers(fleet: Fleet, cluster: ModelCluster): void {
  for (const service of cluster.objects.list('v1', 'Service')) {
    if (!isDue(fleet, service) || fleet.faults.of('finalizer-stays', service.metadata.name).length > 0)
      continue;
    cluster.made.delete(String(service.metadata['uid']));
    cluster.objects.remove(referenceOf(service));
  }
}

/** Whether a pod that is placed uses the claim. */
function isUsed(fleet: Fleet, cluster: ModelCluster, claim: StoredObject): boolean {
  return podsIn(fleet, cluster).some((pod) => {
    const volumes = field(pod, 'spec', 'volumes');
    const isThere = pod.metadata.namespace === claim.metadata.namespace;
    return (
      isThere &&
      field(pod, 'spec', 'nodeName') !== undefined &&
      Array.isArray(volumes) &&
      volumes.some((one) => field(one, 'persistentVolumeClaim', 'claimName') === claim.metadata.name)
    );
  });
}

/** pvc-protection, and the provisioner behind it. */
function runClaims(fleet: Fleet, cluster: ModelCluster): void {
  for (const claim of cluster.objects.list('v1', 'PersistentVolumeClaim')) {
    if (claim.metadata['deletionTimestamp'] === undefined || isUsed(fleet, cluster, claim)) continue;
    if (fleet.faults.of('finalizer-stays', claim.metadata.name).length > 0) continue;
    cluster.objects.remove(referenceOf(claim));
    const name = String(field(claim, 'spec', 'volumeName'));
    const volume = cluster.objects.get({ apiVersion: 'v1', kind: 'PersistentVolume', name });
    if (volume === undefined) continue;
    const status = { phase: 'Released' };
    const metadata = { releasedAt: fleet.now };
    cluster.objects.patch(referenceOf(volume), { status, metadata }, { manager: 'kube-controller-manager' });
  }
  for (const volume of cluster.objects.list('v1', 'PersistentVolume')) {
    const since = volume.metadata['releasedAt'];
    if (since === undefined || field(volume, 'spec', 'persistentVolumeReclaimPolicy') !== 'Delete') continue;
    if (fleet.now - Number(since) < cloudTakes) continue;
    cluster.made.delete(String(field(volume, 'spec', 'csi', 'volumeHandle')));
    cluster.objects.remove(referenceOf(volume));
  }
}

/** What controllers have done by now; they work as long as the API does. */
export function runControllers(fleet: Fleet, cluster: ModelCluster): void {
  if (cluster.readyMasters(fleet.now).length === 0) return;
  runBalancers(fleet, cluster);
  runClaims(fleet, cluster);
}

/** Things of a cluster whose machine is taken away under them: a cloud may take an attached disk along. */
export function requireDetached(fleet: Fleet, cluster: ModelCluster, machine: string): void {
  if (cluster.readyMasters(fleet.now).length === 0 || fleet.faults.of('finalizer-stays').length > 0) return;
  for (const claim of cluster.objects.list('v1', 'PersistentVolumeClaim')) {
    const pods = podsIn(fleet, cluster).filter((pod) => field(pod, 'spec', 'nodeName') === machine);
    const isHeld = pods.some((pod) => JSON.stringify(pod).includes(`"claimName":"${claim.metadata.name}"`));
    if (isHeld) fleet.violate('disk-under-machine', `${claim.metadata.name} on ${machine}`);
  }
}

/** What people put into a cluster: a Service with a balancer, and a pod with a claim on a disk. */
export function placeWorkload(fleet: Fleet, cluster: ModelCluster, node: string, reclaim = 'Delete'): void {
  const { objects, made } = cluster;
  const apply = (object: KubernetesObject): StoredObject => objects.apply(object, fleet.now, 'kubectl');
  const service = apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'web',
      namespace: 'shop',
      finalizers: ['service.kubernetes.io/load-balancer-cleanup'],
    },
    spec: { type: 'LoadBalancer' },
    status: { loadBalancer: { ingress: [{ ip: '203.0.113.7' }] } },
  });
  const uid = String(service.metadata['uid']);
  made.set(uid, { type: 'load balancer', id: uid, of: 'shop/web' });
  const handle = `disk-${cluster.identity.name}`;
  apply({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv-1' },
    spec: {
      persistentVolumeReclaimPolicy: reclaim,
      claimRef: { namespace: 'shop', name: 'data' },
      csi: { driver: 'disk.model', volumeHandle: handle },
    },
    status: { phase: 'Bound' },
  });
  made.set(handle, { type: 'disk', id: handle, of: 'pv-1' });
  apply({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop', finalizers: ['kubernetes.io/pvc-protection'] },
    spec: { volumeName: 'pv-1' },
  });
  apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'db-0', namespace: 'shop' },
    spec: {
      nodeName: node,
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
  });
}
