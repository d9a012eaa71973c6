import type { KubernetesObject } from '../contract/ports/kubernetes.ts';
import { type KubernetesMinor, minorFor } from './versions.ts';

/**
 * The pods of the final proof: one a node, answering HTTP with the node's name, behind one Service. They run where
 * nothing else may (every taint tolerated) and need no rights at all.
 */
const name = 'remuda-probe';
const namespace = 'kube-system';
const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/managed-by': 'remuda' };

/** Server-side apply of 1.20 takes `protocol` for a key of these lists and knows no default: it is always named. */
const port = 8080;

/** The Service the pods are reached through. */
export const probeService = { namespace, name, port };

/** Both objects, by reference, for removal. */
export const probeReferences = [
  { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace, name },
  { apiVersion: 'v1', kind: 'Service', namespace, name },
] as const;

const fieldOf = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });

const container = ({ probe: { image, args } }: KubernetesMinor) => ({
  name: 'probe',
  image,
  ...(args.length === 0 ? {} : { args }),
  imagePullPolicy: 'Never',
  ports: [{ containerPort: port, protocol: 'TCP' }],
  env: [
    { name: 'POD_NAME', ...fieldOf('metadata.name') },
    { name: 'NODE_NAME', ...fieldOf('spec.nodeName') },
    { name: 'PORT', value: String(port) },
  ],
  readinessProbe: { httpGet: { path: '/', port }, periodSeconds: 1 },
  resources: { requests: { cpu: '5m', memory: '8Mi' } },
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 65534,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  },
  volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
});

/** What is put into a cluster of this version for the proof, and taken out again. @throws UserProblem KUBE-001 */
export const probeObjects = (kubernetesVersion: string): readonly KubernetesObject[] => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels },
    spec: {
      selector: { 'app.kubernetes.io/name': name },
      ports: [{ port, targetPort: port, protocol: 'TCP' }],
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace, labels },
    spec: {
      selector: { matchLabels: { 'app.kubernetes.io/name': name } },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 1,
          tolerations: [{ operator: 'Exists' }],
          containers: [container(minorFor(kubernetesVersion))],
          volumes: [{ name: 'tmp', emptyDir: {} }],
        },
      },
    },
  },
];

/** The node that answered, from the probe's body `{"node":…}`; undefined when it was not understood. */
export function nodeThatAnswered(body: string | undefined): string | undefined {
  const match = body === undefined ? null : /"node":"([^"]+)"/.exec(body);
  return match?.[1];
}
