import type { ControlPlaneAccess } from '../../../provisioners/contract/ports/etcd.ts';
import type {
  KubernetesObject,
  ObjectReference,
  RequestDecision,
} from '../../../provisioners/contract/ports/kubernetes.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import { changing, reachable, reading, type Through } from './call.ts';
import { paths, type ModelCluster } from './cluster.ts';
import { deleteObject } from './controllers.ts';
import type { Fleet } from './fleet.ts';
import { noteJob } from './hook-calls.ts';
import { tagOfPod } from './in-place.ts';
import { field, matches, referenceOf, textMap, type StoredObject } from './kubernetes.ts';
import { canServe, issueServing } from './kubelet-serving.ts';
import type { ModelMachine } from './machine.ts';
import { isFieldSelected, podsIn as pods } from './pods.ts';
import { isPodReady } from './workloads.ts';
import { admit, listed, visible } from './api-objects.ts';

/** The cluster behind the first master whose API server is ready. */
export function apiOf(fleet: Fleet, access: ControlPlaneAccess): ModelCluster {
  for (const reference of access.masters) {
    const machine = reachable(fleet, reference);
    if (machine !== undefined && fleet.clusterOf(machine).isApiReady(machine, fleet.now))
      return fleet.clusterOf(machine);
  }
  throw new Transient(
    'API-001',
    `No API server answers on ${access.masters.map(({ name }) => name).join(', ')}`,
  );
}

const versionText = (machine: ModelMachine): string =>
  tagOfPod(machine.files.get(paths.apiManifest)?.content ?? '');

interface ListQuery {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** Pods a Service stands for. */
function backends(fleet: Fleet, cluster: ModelCluster, service: StoredObject): KubernetesObject[] {
  const selector = textMap(service, 'spec', 'selector');
  return pods(fleet, cluster).filter(
    (pod) =>
      pod.metadata.namespace === service.metadata.namespace &&
      isPodReady(pod) &&
      Object.keys(selector).length > 0 &&
      matches(pod.metadata.labels ?? {}, selector),
  );
}

/** KubernetesPort's primitives. */
export const kubernetesCalls = {
  'kubernetes.version': reading(
    50,
    (fleet, given: Through & { readonly master: MachineRef }): string | null => {
      const machine = reachable(fleet, given.master);
      if (machine === undefined || !fleet.clusterOf(machine).isApiReady(machine, fleet.now)) return null;
      return versionText(machine);
    },
  ),
  'kubernetes.versionAtEndpoint': reading(
    60,
    (
      fleet,
      given: Through & { readonly endpoint: { readonly host: string; readonly port: number } },
    ): string | null => {
      const own = fleet.byAddress.get(given.endpoint.host);
      if (own !== undefined && given.endpoint.port !== given.access.apiPort) return null;
      if (own !== undefined) return fleet.clusterOf(own).isApiReady(own, fleet.now) ? versionText(own) : null;
      const first = given.access.masters[0];
      const any = first === undefined ? undefined : fleet.byAddress.get(first.address);
      if (any === undefined) return null;
      const cluster = fleet.clusterOf(any);
      const ready = cluster.readyMasters(fleet.now);
      const isHeldUp = ready.some(
        ({ services }) =>
          services.get('keepalived')?.active === true && services.get('haproxy')?.active === true,
      );
      return isHeldUp && ready[0] !== undefined ? versionText(ready[0]) : null;
    },
  ),
  'kubernetes.get': reading(
    30,
    (fleet, given: Through & { readonly of: ObjectReference }): KubernetesObject | null => {
      const { apiVersion, kind, namespace, name } = given.of;
      const found = listed(fleet, apiOf(fleet, given.access), apiVersion, kind).find(
        (object) => object.metadata.name === name && object.metadata.namespace === namespace,
      );
      return found === undefined ? null : visible(found);
    },
  ),
  'kubernetes.list': reading(50, (fleet, given: Through & { readonly of: ListQuery }): KubernetesObject[] => {
    const { apiVersion, kind, namespace, labelSelector, fieldSelector } = given.of;
    return listed(fleet, apiOf(fleet, given.access), apiVersion, kind)
      .filter((object) => namespace === undefined || object.metadata.namespace === namespace)
      .filter((object) => labelSelector === undefined || matches(object.metadata.labels ?? {}, labelSelector))
      .filter((object) => fieldSelector === undefined || isFieldSelected(object, fieldSelector))
      .map(visible);
  }),
  'kubernetes.apply': changing(
    80,
    (fleet, given: Through & { readonly objects: readonly KubernetesObject[] }, by) => {
      const cluster = apiOf(fleet, given.access);
      for (const object of given.objects) admit(object);
      for (const object of given.objects) {
        if (object.kind === 'Job' && cluster.objects.get(referenceOf(object)) === undefined)
          noteJob(fleet, object);
        cluster.objects.apply(object, fleet.now, 'remuda');
      }
      const names = given.objects.map((object) => `${object.kind}/${object.metadata.name}`).join(',');
      fleet.changed('kubernetes.apply', names, by);
      return null;
    },
  ),
  'kubernetes.markTemplate': changing(
    60,
    (
      fleet,
      given: Through & {
        readonly of: ObjectReference;
        readonly annotation: { readonly key: string; readonly value: string };
      },
      by,
    ) => {
      const cluster = apiOf(fleet, given.access);
      const found = cluster.objects.get(given.of);
      if (found === undefined) return null;
      const annotations = { [given.annotation.key]: given.annotation.value };
      const { apiVersion, kind, metadata } = found;
      const { name, namespace } = metadata;
      const template = { metadata: { annotations } };
      const marked = {
        apiVersion,
        kind,
        metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
      };
      cluster.objects.apply({ ...marked, spec: { template } }, fleet.now, 'remuda-restart');
      fleet.changed('kubernetes.markTemplate', `${kind}/${name}`, by);
      return null;
    },
  ),
  'kubernetes.remove': changing(80, (fleet, given: Through & { readonly of: ObjectReference }, by) => {
    const cluster = apiOf(fleet, given.access);
    const found = cluster.objects.get(given.of);
    if (found === undefined) return null;
    if (found.metadata.labels?.['test.remuda.dev/owner'] === 'somebody-else')
      fleet.violate('foreign-removed', `${given.of.kind} ${given.of.name}`);
    deleteObject(fleet, cluster, found);
    if (found.kind === 'Namespace') cluster.objects.removeNamespace(found.metadata.name);
    fleet.changed('kubernetes.remove', `${given.of.kind}/${given.of.name}`, by);
    return null;
  }),
  'kubernetes.decide': changing(
    60,
    (fleet, given: Through & { readonly request: string; readonly decision: RequestDecision }, by) => {
      const cluster = apiOf(fleet, given.access);
      const of = {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        name: given.request,
      };
      const found = cluster.objects.get(of);
      if (found === undefined || field(found, 'status', 'conditions') !== undefined) return null;
      const conditions = [{ ...given.decision, status: 'True' }];
      const metadata = { ...found.metadata, decidedAt: fleet.now };
      cluster.objects.apply({ ...found, metadata, status: { conditions } }, fleet.now, 'approval');
      if (given.decision.type === 'Approved') issueServing(cluster, found, fleet.now);
      fleet.changed('kubernetes.decide', `${given.decision.type} ${given.request}`, by);
      return null;
    },
  ),
  'kubernetes.podLog': reading(
    50,
    (
      fleet,
      given: Through & { readonly namespace: string; readonly pod: string; readonly lines: number },
    ): string[] => {
      const cluster = apiOf(fleet, given.access);
      const pod = pods(fleet, cluster).find(
        ({ metadata }) => metadata.name === given.pod && metadata.namespace === given.namespace,
      );
      const host = cluster.machines.get(String(pod && field(pod, 'spec', 'nodeName')));
      if (host !== undefined && !canServe(host, fleet.now))
        throw new Transient('API-001', `${host.name}:10250: remote error: tls: internal error`);
      return pod !== undefined && isPodReady(pod) ? [`${given.pod} is up`].slice(-given.lines) : [];
    },
  ),
  'kubernetes.throughService': reading(
    60,
    (
      fleet,
      given: Through & { readonly namespace: string; readonly name: string; readonly path: string },
    ): string | null => {
      const cluster = apiOf(fleet, given.access);
      const service = cluster.objects.get({
        apiVersion: 'v1',
        kind: 'Service',
        namespace: given.namespace,
        name: given.name,
      });
      const ready = service === undefined ? [] : backends(fleet, cluster, service);
      const chosen = ready[cluster.nextBackend++ % Math.max(1, ready.length)];
      return chosen === undefined ? null : answerOf(chosen);
    },
  ),
};

/** What a pod answers over HTTP: who it is and where, as the probe of the step cluster.verify does. */
const answerOf = (pod: KubernetesObject): string =>
  JSON.stringify({ pod: pod.metadata.name, node: String(field(pod, 'spec', 'nodeName')) });
