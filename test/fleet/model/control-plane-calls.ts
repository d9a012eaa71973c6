import type { ControlPlaneAccess } from '../../../provisioners/contract/ports/etcd.ts';
import type {
  KubernetesObject,
  ObjectReference,
  RequestDecision,
} from '../../../provisioners/contract/ports/kubernetes.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { EtcdMember } from '../../../provisioners/contract/observed.ts';
import { Blocked, Transient } from '../../../provisioners/contract/problem.ts';
import { changing, reading } from './call.ts';
import { paths, type ModelCluster } from './cluster.ts';
import { deleteObject, runControllers } from './controllers.ts';
import { publishAuthorities } from './distrust.ts';
import { MembershipRefused, type ModelMember } from './etcd.ts';
import type { Fleet } from './fleet.ts';
import { noteJob, withJobStatus } from './hook-calls.ts';
import { tagOfPod } from './in-place.ts';
import { field, matches, referenceOf, textMap, type StoredObject } from './kubernetes.ts';
import { askForServing, canServe, issueServing } from './kubelet-serving.ts';
import { isUp, type ModelMachine } from './machine.ts';
import { budgetsOf } from './budgets.ts';
import { isFieldSelected, podsIn as pods } from './pods.ts';
import { isPodReady, withStatus, type NodeState } from './workloads.ts';

/** A call through the masters of a cluster. */
export interface Through {
  readonly access: ControlPlaneAccess;
}

function reachable(fleet: Fleet, reference: MachineRef): ModelMachine | undefined {
  const machine = fleet.byAddress.get(reference.address);
  const isThere =
    machine !== undefined && isUp(machine, fleet.now) && !fleet.faults.isLineCut(machine.name, fleet.elapsed);
  return isThere ? machine : undefined;
}

/** The cluster behind the first master whose etcd answers. */
export function etcdOf(fleet: Fleet, access: ControlPlaneAccess): ModelCluster {
  for (const reference of access.etcd ?? access.masters) {
    const machine = reachable(fleet, reference);
    if (machine === undefined) continue;
    const cluster = fleet.clusterOf(machine);
    const member = cluster.etcd.byMachine(machine.name);
    // A learner answers nobody who asks for the members (etcd 3.4).
    if (member?.running === true && !member.learner) return cluster;
  }
  throw new Transient(
    'ETCD-001',
    `etcd answers on none of ${access.masters.map(({ name }) => name).join(', ')}`,
  );
}

const memberOf = (cluster: ModelCluster, member: ModelMember): EtcdMember => ({
  id: member.id,
  name: member.name,
  peerURLs: [member.peerURL],
  started: member.started,
  learner: member.learner,
  healthy: member.running && cluster.etcd.hasQuorum,
  leader: cluster.etcd.leader === member.id,
  ...(member.running ? { revision: cluster.objects.revision } : {}),
});

function orTransient<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof MembershipRefused) throw new Transient('ETCD-002', error.message);
    throw error;
  }
}

/** EtcdPort's primitives. */
export const etcdCalls = {
  'etcd.members': reading(60, (fleet, { access }: Through): EtcdMember[] => {
    const cluster = etcdOf(fleet, access);
    return cluster.etcd.members.map((member) => memberOf(cluster, member));
  }),
  'etcd.removeMember': changing(120, (fleet, given: Through & { readonly id: string }, by) => {
    const cluster = etcdOf(fleet, given.access);
    const member = cluster.etcd.members.find(({ id }) => id === given.id);
    if (member === undefined) return null;
    const { etcd } = cluster;
    const isVoting = !member.learner && member.started;
    if (isVoting && !etcd.wouldKeepQuorumWithout(given.id)) {
      const silent = etcd.voters.filter(({ running }) => !running).map(({ name, id }) => name || id);
      throw new Blocked(
        'ETCD-003',
        `Removing member ${member.name} would leave etcd without quorum; silent: ${silent.join(', ') || 'none'}`,
        { remedy: 'Bring the other masters back first.' },
      );
    }
    const heir = etcd.voters.find(({ id, running }) => id !== given.id && running);
    if (etcd.leader === given.id && heir !== undefined) etcd.leader = heir.id;
    const hadApi = cluster.readyMasters(fleet.now).length > 0;
    orTransient(() => cluster.etcd.remove(given.id));
    if (cluster.isEtcdApart && hadApi && cluster.readyMasters(fleet.now).length === 0)
      fleet.violate('api-outage', `every API server asks ${member.machine} alone, which left etcd`);
    fleet.changed('etcd.removeMember', member.machine, by);
    return null;
  }),
  'etcd.addLearner': changing(120, (fleet, given: Through & { readonly peerURL: string }, by) => {
    const cluster = etcdOf(fleet, given.access);
    if (cluster.etcd.members.some((member) => member.peerURL === given.peerURL)) return null;
    const address = new URL(given.peerURL).hostname;
    const machine = fleet.byAddress.get(address);
    if (machine === undefined) throw new Error(`no machine of the model has ${address}`);
    orTransient(() => cluster.etcd.add(machine.name, address, true));
    fleet.births.push(`etcd member ${machine.name}`);
    fleet.changed('etcd.addLearner', machine.name, by);
    return null;
  }),
  'etcd.promote': changing(120, (fleet, given: Through & { readonly id: string }, by) => {
    const cluster = etcdOf(fleet, given.access);
    const member = cluster.etcd.members.find(({ id }) => id === given.id);
    if (member?.learner !== true) return null;
    if (cluster.machines.get(member.machine)?.isLearnerStuck === true)
      throw new Transient(
        'ETCD-002',
        'etcdserver: can only promote a learner member which is in sync with leader',
      );
    orTransient(() => cluster.etcd.promote(given.id));
    fleet.changed('etcd.promote', member.machine, by);
    return null;
  }),
  'etcd.moveLeader': changing(100, (fleet, given: Through & { readonly to: string }, by) => {
    const cluster = etcdOf(fleet, given.access);
    if (cluster.etcd.leader === given.to) return null;
    const target = cluster.etcd.voters.find(({ id }) => id === given.to);
    if (target?.running !== true) throw new Transient('ETCD-004', `Member ${given.to} cannot lead`);
    cluster.etcd.leader = given.to;
    fleet.changed('etcd.moveLeader', target.machine, by);
    return null;
  }),
};

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

/** The Ready condition as kubelet or, when that is silent, the node controller writes it. */
function readyCondition(state: NodeState | undefined): Record<string, string> {
  if (state?.isReady === true)
    return {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message: 'kubelet is posting ready status',
    };
  if (state?.isAlive === true)
    return {
      type: 'Ready',
      status: 'False',
      reason: 'KubeletNotReady',
      message: 'network plugin is not ready: cni config uninitialized',
    };
  return {
    type: 'Ready',
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
  };
}

function nodeObject(node: StoredObject, state: NodeState | undefined): KubernetesObject {
  return {
    ...node,
    spec: { ...(node['spec'] as object), taints: state?.taints ?? [] },
    status: {
      conditions: [readyCondition(state)],
      addresses: [
        { type: 'InternalIP', address: state?.address ?? '' },
        { type: 'Hostname', address: node.metadata.name },
      ],
      nodeInfo: { kubeletVersion: String(field(node, 'remudaModel', 'kubeletVersion')) },
    },
  };
}

/** Groups of the API that the model serves: what kubeadm's API server has without add-ons. */
const servedGroups = new Set([
  'v1',
  'apps/v1',
  'batch/v1',
  'certificates.k8s.io/v1',
  'policy/v1beta1',
  'rbac.authorization.k8s.io/v1',
  'admissionregistration.k8s.io/v1',
  'apiextensions.k8s.io/v1',
  'networking.k8s.io/v1',
  'storage.k8s.io/v1',
]);

function requireServed(apiVersion: string, kind: string): void {
  if (!servedGroups.has(apiVersion))
    throw new Transient('API-002', `The API server does not serve ${kind} of ${apiVersion} (yet).`);
}

/** The API server's own refusals, as far as the steps could cause them. */
function admit(object: KubernetesObject): void {
  requireServed(object.apiVersion, object.kind);
  if (!/^[a-z0-9]([-a-z0-9.:]*[a-z0-9])?$/.test(object.metadata.name))
    throw new Error(`${object.kind} "${object.metadata.name}" is invalid: metadata.name`);
}

/** What every namespace is given by the controllers; stored nowhere, for nobody but they can change it. */
function rootAuthorities(fleet: Fleet, cluster: ModelCluster): StoredObject[] {
  publishAuthorities(cluster, fleet.now);
  const told = cluster.published.at(-1);
  if (told === undefined) return [];
  const made = cluster.objects.list('v1', 'Namespace').map(({ metadata }) => metadata.name);
  return [...new Set(['default', 'kube-public', 'kube-system', ...made])].map((namespace) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kube-root-ca.crt', namespace },
    data: { 'ca.crt': told.text },
  }));
}

function listed(fleet: Fleet, cluster: ModelCluster, apiVersion: string, kind: string): KubernetesObject[] {
  requireServed(apiVersion, kind);
  runControllers(fleet, cluster);
  if (apiVersion === 'v1' && kind === 'Pod') return pods(fleet, cluster);
  if (kind === 'PodDisruptionBudget') return budgetsOf(fleet, cluster);
  if (kind === 'CertificateSigningRequest') askForServing(cluster, fleet.faults, fleet.now);
  const nodes = cluster.nodes(fleet.now);
  const given = kind === 'ConfigMap' ? rootAuthorities(fleet, cluster) : [];
  return [...cluster.objects.list(apiVersion, kind), ...given].map((object) => {
    if (kind === 'Node')
      return nodeObject(
        object,
        nodes.find(({ name }) => name === object.metadata.name),
      );
    if (kind === 'DaemonSet' || kind === 'Deployment' || kind === 'StatefulSet')
      return withStatus(object, nodes, fleet.now, cluster.placements);
    if (kind === 'Job') return withJobStatus(fleet, object);
    return object;
  });
}

const visible = (object: KubernetesObject): KubernetesObject => {
  const { remudaModel: _hidden, ...rest } = object;
  return rest as KubernetesObject;
};

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
