import type { KubernetesObject } from '../../../provisioners/contract/ports/kubernetes.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import type { ModelCluster } from './cluster.ts';
import { runControllers } from './controllers.ts';
import { publishAuthorities } from './distrust.ts';
import type { Fleet } from './fleet.ts';
import { withJobStatus } from './hook-calls.ts';
import { field, type StoredObject } from './kubernetes.ts';
import { askForServing } from './kubelet-serving.ts';
import { budgetsOf } from './budgets.ts';
import { podsIn as pods } from './pods.ts';
import { withStatus, type NodeState } from './workloads.ts';

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
export function admit(object: KubernetesObject): void {
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

/** The objects of a kind as the API server answers with them. */
export function listed(
  fleet: Fleet,
  cluster: ModelCluster,
  apiVersion: string,
  kind: string,
): KubernetesObject[] {
  requireServed(apiVersion, kind);
  runControllers(fleet, cluster);
  if (apiVersion === 'v1' && kind === 'Pod') return pods(fleet, cluster);
  if (kind === 'PodDisruptionBudget') return budgetsOf(fleet, cluster);
  if (kind === 'CertificateSigningRequest') askForServing(cluster, fleet.faults, fleet.now);
  const nodes = cluster.nodes(fleet.now);
  const states = new Map(nodes.map((node) => [node.name, node]));
  const given = kind === 'ConfigMap' ? rootAuthorities(fleet, cluster) : [];
  return [...cluster.objects.list(apiVersion, kind), ...given].map((object) => {
    if (kind === 'Node') return nodeObject(object, states.get(object.metadata.name));
    if (kind === 'DaemonSet' || kind === 'Deployment' || kind === 'StatefulSet')
      return withStatus(object, nodes, fleet.now, cluster.placements);
    if (kind === 'Job') return withJobStatus(fleet, object);
    return object;
  });
}

/** An object without what the model keeps in it for itself. */
export const visible = (object: KubernetesObject): KubernetesObject => {
  const { remudaModel: _hidden, ...rest } = object;
  return rest as KubernetesObject;
};
