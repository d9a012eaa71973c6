import type { Addon, AddonInput } from '../../../contract/addon.ts';
import type { KubernetesObject } from '../../../contract/ports/kubernetes.ts';
import { awaitedOf } from '../../workload.ts';

const name = 'remuda-routed-bridge';
const namespace = 'kube-system';
const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/managed-by': 'remuda' };
const selector = `app.kubernetes.io/name=${name}`;

/** Nodes and their pod networks are all it reads. */
const access: readonly KubernetesObject[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace, labels } },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name, labels },
    rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name, labels },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  },
];

function daemonSet(version: string, input: AddonInput): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace, labels },
    spec: {
      selector: { matchLabels: { 'app.kubernetes.io/name': name } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      template: {
        metadata: { labels },
        spec: {
          hostNetwork: true,
          priorityClassName: 'system-node-critical',
          serviceAccountName: name,
          terminationGracePeriodSeconds: 2,
          tolerations: [{ operator: 'Exists' }],
          containers: [container(version, input)],
          volumes: [
            { name: 'cni', hostPath: { path: '/etc/cni/net.d', type: 'DirectoryOrCreate' } },
            { name: 'run', hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } },
            { name: 'tmp', emptyDir: {} },
          ],
        },
      },
    },
  };
}

function container(version: string, input: AddonInput): unknown {
  return {
    name: 'routed-bridge',
    image: `remuda.dev/lab/routed-bridge:${version}`,
    imagePullPolicy: 'Never',
    env: [
      { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      { name: 'POD_CIDR', value: input.podCidr },
    ],
    resources: { requests: { cpu: '10m', memory: '20Mi' } },
    readinessProbe: { exec: { command: ['/bin/bash', '-c', '[ -e /tmp/synchronised ]'] }, periodSeconds: 2 },
    securityContext: {
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: 'cni', mountPath: '/host/etc/cni/net.d' },
      { name: 'run', mountPath: '/run/xtables.lock' },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

/**
 * The routed bridge: a Linux bridge a node and one route per other node. For networks in which all nodes reach each
 * other directly; the lab's network, and the smallest thing that is really a pod network. No network policies.
 */
export const routedBridge: Addon = {
  name: 'network/routed-bridge',
  versions: { '1': ['1.20', '1.35', '1.36', '1.37'] },
  images: (version) => [`remuda.dev/lab/routed-bridge:${version}`],
  manifests: (version, input) => [...access, daemonSet(version, input)],
  health: ({ kubernetes }, controlPlane) =>
    awaitedOf(kubernetes, controlPlane, { kind: 'DaemonSet', namespace, name, labelSelector: selector }),
  selector,
  kinds: [
    { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding' },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' },
    { apiVersion: 'v1', kind: 'ServiceAccount', namespace },
  ],
};
