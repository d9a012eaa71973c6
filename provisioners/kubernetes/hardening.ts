import { dump } from 'js-yaml';
import type { FileContent } from '../contract/ports/file.ts';
import { paths } from './paths.ts';
import type { KubernetesMinor } from './versions.ts';

/**
 * The hardened flags of every component (row H6), by the CIS Kubernetes Benchmark. Deviations, each with its reason:
 * - 1.2.1 anonymous-auth: haproxy, keepalived and kubeadm's own probes ask /readyz without credentials. From 1.34
 *   anonymous requests are allowed on the health paths alone; before, RBAC lets them read health and version only
 *   (ClusterRole system:public-info-viewer), and no join needs them: discovery goes by a file with its own credential.
 * - 1.2.5 kubelet-certificate-authority: kubelets of new clusters serve with the cluster's own certificates, but those of
 *   clusters that were made before sign for themselves, and would be asked for no more logs by a master that joins them.
 * - 1.2.11 AlwaysPullImages: an offline cluster has nowhere to pull from; images are verified by digest instead.
 */

/** TLS 1.2 suites with forward secrecy and AEAD (CIS 1.2.29, 2.x, 4.2.12); TLS 1.3 has its own. */
const tlsCipherSuites: readonly string[] = [
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
];

const suites = tlsCipherSuites.join(',');

/** A host path that a component reads. */
interface Volume {
  readonly name: string;
  readonly path: string;
  readonly readOnly: boolean;
  readonly pathType: 'File' | 'DirectoryOrCreate';
}

/** Flags of one component and the host paths they name. */
export interface ComponentSettings {
  readonly args: Readonly<Record<string, string>>;
  readonly volumes: readonly Volume[];
}

const file = (name: string, path: string): Volume => ({ name, path, readOnly: true, pathType: 'File' });

/** Flags of the API server. CIS 1.2.15–1.2.32; log sizes in megabytes, ages in days. */
export function apiServerSettings(minor: KubernetesMinor): ComponentSettings {
  return {
    args: {
      profiling: 'false',
      // Not ready, and serving on: time for every balancer to see it (haproxy takes two seconds, endpoint-config.ts).
      'shutdown-delay-duration': '5s',
      'enable-admission-plugins': 'NodeRestriction',
      'audit-policy-file': paths.auditPolicy,
      'audit-log-path': `${paths.auditLogs}/audit.log`,
      'audit-log-maxage': '30',
      'audit-log-maxbackup': '10',
      'audit-log-maxsize': '100',
      'encryption-provider-config': paths.encryption,
      'tls-cipher-suites': suites,
      'tls-min-version': 'VersionTLS12',
      ...(minor.hasPodSecurity ? { 'admission-control-config-file': paths.admission } : {}),
      ...(minor.hasAnonymousPaths ? { 'authentication-config': paths.authentication } : {}),
    },
    volumes: [
      file('audit-policy', paths.auditPolicy),
      { name: 'audit-logs', path: paths.auditLogs, readOnly: false, pathType: 'DirectoryOrCreate' },
      file('encryption', paths.encryption),
      ...(minor.hasPodSecurity ? [file('admission', paths.admission)] : []),
      ...(minor.hasAnonymousPaths ? [file('authentication', paths.authentication)] : []),
    ],
  };
}

/** CIS 1.3.1, 1.3.2; what it signs with stands alone in a file, so that others may believe two authorities. */
export const controllerManagerArgs = {
  profiling: 'false',
  'terminated-pod-gc-threshold': '1000',
  'cluster-signing-cert-file': paths.signingCertificate,
};

/** CIS 1.4.1. */
export const schedulerArgs = { profiling: 'false' };

/**
 * CIS 2.x beyond kubeadm's own peer and client certificates, and patience in the second master's join. Without
 * learners etcd has no quorum from the moment the second member is announced until it has started. With the usual
 * second of election time its leader steps down after one or two, and three more end all watches of the API server
 * (etcd's server/etcdserver/api/v3rpc/interceptor.go), after which Kubernetes may tell nobody anything for minutes
 * (kubernetes#97294). Two seconds make that eight to ten: time enough to start (three seconds on a
 * busy lab). Elections, and etcd's start on a first master, take so much longer.
 */
export const etcdArgs = ({ hasEtcdLearners }: KubernetesMinor): Readonly<Record<string, string>> => ({
  'cipher-suites': suites,
  ...(hasEtcdLearners ? {} : { 'election-timeout': '2000' }),
});

/** KubeletConfiguration fields by CIS 4.2; authentication by certificate and webhook is also kubeadm's default. */
export const kubeletSettings = {
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: `${paths.pki}/ca.crt` },
  },
  authorization: { mode: 'Webhook' },
  readOnlyPort: 0,
  protectKernelDefaults: true,
  makeIPTablesUtilChains: true,
  rotateCertificates: true,
  // What it serves with is signed by the cluster, when we have checked and approved it (kubelet-serving.approve).
  serverTLSBootstrap: true,
  streamingConnectionIdleTimeout: '4h0m0s',
  tlsCipherSuites,
  tlsMinVersion: 'VersionTLS12',
};

/**
 * Audit policy: who did what to which object; bodies only where a change of rights is worth its bytes, never of
 * secrets. The rules follow the order of https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/.
 */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version', '/metrics'] },
    { level: 'None', resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
    { level: 'None', resources: [{ group: '', resources: ['events'] }] },
    {
      level: 'None',
      userGroups: ['system:nodes', 'system:serviceaccounts:kube-system'],
      verbs: ['get', 'list', 'watch'],
    },
    {
      level: 'Metadata',
      resources: [
        { group: '', resources: ['secrets', 'configmaps', 'serviceaccounts/token'] },
        { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
      ],
    },
    {
      level: 'Request',
      verbs: ['create', 'update', 'patch', 'delete'],
      resources: [{ group: 'rbac.authorization.k8s.io' }],
    },
    { level: 'Metadata' },
  ],
};

/** Pod Security defaults: baseline enforced, restricted warned of; kube-system holds what needs more. */
const admission = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AdmissionConfiguration',
  plugins: [
    {
      name: 'PodSecurity',
      configuration: {
        apiVersion: 'pod-security.admission.config.k8s.io/v1',
        kind: 'PodSecurityConfiguration',
        defaults: {
          enforce: 'baseline',
          'enforce-version': 'latest',
          audit: 'restricted',
          'audit-version': 'latest',
          warn: 'restricted',
          'warn-version': 'latest',
        },
        exemptions: { usernames: [], runtimeClasses: [], namespaces: ['kube-system'] },
      },
    },
  ],
};

const authentication = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AuthenticationConfiguration',
  anonymous: {
    enabled: true,
    conditions: [{ path: '/livez' }, { path: '/readyz' }, { path: '/healthz' }],
  },
};

/** Secrets are encrypted by secretbox (XSalsa20-Poly1305, 32 bytes); what was written before is still read. */
const encryption = (key: string) => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'EncryptionConfiguration',
  resources: [
    {
      resources: ['secrets'],
      providers: [{ secretbox: { keys: [{ name: 'key1', secret: key }] } }, { identity: {} }],
    },
  ],
});

/** The files the API server's flags name. `encryptionKey`: 32 bytes, base64. All are for root alone. */
export function apiServerFiles(minor: KubernetesMinor, encryptionKey: string): FileContent[] {
  const yaml = (path: string, document: object): FileContent => ({
    path,
    content: dump(document),
    mode: 0o600,
  });
  return [
    yaml(paths.auditPolicy, auditPolicy),
    yaml(paths.encryption, encryption(encryptionKey)),
    ...(minor.hasPodSecurity ? [yaml(paths.admission, admission)] : []),
    ...(minor.hasAnonymousPaths ? [yaml(paths.authentication, authentication)] : []),
  ];
}
