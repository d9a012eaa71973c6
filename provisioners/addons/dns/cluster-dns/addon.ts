import ipaddr from 'ipaddr.js';
import type { Addon, AddonInput } from '../../../contract/addon.ts';
import type { KubernetesObject } from '../../../contract/ports/kubernetes.ts';
import { awaitedOf } from '../../workload.ts';

const name = 'remuda-cluster-dns';
const namespace = 'kube-system';
const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/managed-by': 'remuda' };
const selector = `app.kubernetes.io/name=${name}`;

/**
 * Address of the cluster's DNS Service: the tenth of the service network, as kubeadm gives it to every kubelet
 * (kubeadm's constants.GetDNSIP).
 */
export function dnsServiceAddress(serviceCidr: string): string {
  const { octets } = ipaddr.IPv4.networkAddressFromCIDR(serviceCidr);
  const last = (octets[3] ?? 0) + 10;
  return [octets[0], octets[1], octets[2], last].join('.');
}

const access: readonly KubernetesObject[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace, labels } },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name, labels },
    rules: [{ apiGroups: [''], resources: ['services', 'endpoints'], verbs: ['get', 'list', 'watch'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name, labels },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  },
];

function service(input: AddonInput): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    // Named kube-dns because tools and conformance tests look for it there.
    metadata: { name: 'kube-dns', namespace, labels: { ...labels, 'k8s-app': 'kube-dns' } },
    spec: {
      clusterIP: dnsServiceAddress(input.serviceCidr),
      selector: { 'app.kubernetes.io/name': name },
      ports: [
        { name: 'dns', protocol: 'UDP', port: 53, targetPort: 5353 },
        { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 5353 },
      ],
    },
  };
}

function container(version: string, input: AddonInput): unknown {
  return {
    name: 'cluster-dns',
    image: `remuda.dev/lab/cluster-dns:${version}`,
    imagePullPolicy: 'Never',
    env: [{ name: 'CLUSTER_DOMAIN', value: input.serviceDomain }],
    ports: [
      { name: 'dns', protocol: 'UDP', containerPort: 5353 },
      { name: 'dns-tcp', protocol: 'TCP', containerPort: 5353 },
    ],
    resources: { requests: { cpu: '10m', memory: '20Mi' } },
    readinessProbe: { exec: { command: ['/bin/bash', '-c', '[ -s /run/dns/hosts ]'] }, periodSeconds: 2 },
    livenessProbe: { tcpSocket: { port: 5353 }, initialDelaySeconds: 5, periodSeconds: 10 },
    securityContext: {
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      runAsNonRoot: true,
      runAsUser: 65534,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [{ name: 'run', mountPath: '/run/dns' }],
  };
}

function deployment(version: string, input: AddonInput): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: {
      replicas: 2,
      selector: { matchLabels: { 'app.kubernetes.io/name': name } },
      template: {
        metadata: { labels },
        spec: {
          priorityClassName: 'system-cluster-critical',
          serviceAccountName: name,
          terminationGracePeriodSeconds: 2,
          tolerations: [
            { key: 'node-role.kubernetes.io/master', effect: 'NoSchedule' },
            { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
          ],
          affinity: {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                {
                  weight: 100,
                  podAffinityTerm: {
                    topologyKey: 'kubernetes.io/hostname',
                    labelSelector: { matchLabels: { 'app.kubernetes.io/name': name } },
                  },
                },
              ],
            },
          },
          securityContext: { fsGroup: 65534, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [container(version, input)],
          volumes: [{ name: 'run', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } }],
        },
      },
    },
  };
}

/**
 * Cluster DNS in the lab: dnsmasq of Debian fed from the API, because CoreDNS is not in Debian. A stand-in: Services,
 * headless Services and reverse names, nothing more.
 */
export const clusterDns: Addon = {
  name: 'dns/cluster-dns',
  versions: { '1': ['1.20'] },
  images: (version) => [`remuda.dev/lab/cluster-dns:${version}`],
  manifests: (version, input) => [...access, service(input), deployment(version, input)],
  health: ({ kubernetes }, controlPlane) =>
    awaitedOf(kubernetes, controlPlane, { kind: 'Deployment', namespace, name, labelSelector: selector }),
  selector,
  kinds: [
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace },
    { apiVersion: 'v1', kind: 'Service', namespace },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding' },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' },
    { apiVersion: 'v1', kind: 'ServiceAccount', namespace },
  ],
};
