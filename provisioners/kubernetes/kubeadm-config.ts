import { dump } from 'js-yaml';
import type { JsonObject } from '../contract/json.ts';
import type { FileContent } from '../contract/ports/file.ts';
import type { MachineDeclaration } from '../contract/preflight.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import { kubeletSettings } from './hardening.ts';
import * as v1beta2 from './kubeadm-v1beta2.ts';
import * as v1beta3 from './kubeadm-v1beta3.ts';
import * as v1beta4 from './kubeadm-v1beta4.ts';
import type { JoinInput, KubeadmInput } from './kubeadm-input.ts';
import { paths } from './paths.ts';
import { type KubernetesMinor, minorFor } from './versions.ts';

/** One format of kubeadm's configuration. */
interface KubeadmFormat {
  initConfiguration(input: KubeadmInput): object;
  clusterConfiguration(input: KubeadmInput): object;
  joinConfiguration(input: JoinInput): object;
}

const formats: Readonly<Record<KubernetesMinor['kubeadmApi'], KubeadmFormat>> = { v1beta2, v1beta3, v1beta4 };

/**
 * kubeadm phases that are never run: cluster DNS is an add-on of ours. The phase has the same name in all versions.
 */
export const skippedInitPhases: readonly string[] = ['addon/coredns'];

/**
 * Preflight errors of kubeadm that are known to be untrue on this ground. Where etcd stands apart, kubeadm would insist on
 * an answer of each of its members; our own rule of membership asks for a majority.
 */
export const ignoredErrors = (
  declared: MachineDeclaration,
  settings: Pick<ClusterSettings, 'etcd'> = {},
): string[] => [
  ...(declared.ignorePreflightErrors ?? []),
  ...(settings.etcd === undefined ? [] : ['ExternalEtcdVersion']),
];

/**
 * KubeletConfiguration of the whole cluster. It is read from the first master's ground: all machines of a cluster come
 * from the same kind of image (preflight: NET-ALIKE).
 */
function kubeletConfiguration(declared: MachineDeclaration): JsonObject {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    cgroupDriver: declared.cgroupDriver ?? 'systemd',
    // Swap is refused unless the image says that what looks like swap is not the machine's own.
    failSwapOn: declared.ignorePreflightErrors?.includes('Swap') !== true,
    ...kubeletSettings,
  };
}

/** KubeProxyConfiguration; where conntrack belongs to somebody else, kube-proxy leaves it alone. */
function proxyConfiguration(minor: KubernetesMinor, declared: MachineDeclaration): JsonObject {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: minor.proxyMode,
    ...(declared.conntrackUntouched === true ? { conntrack: { maxPerCore: 0, min: 0 } } : {}),
  };
}

const stream = (documents: readonly object[]): string =>
  documents.map((document) => dump(document, { lineWidth: -1 })).join('---\n');

/** The configuration of `kubeadm init`: four documents. Holds the bootstrap token. */
export function initConfig(input: KubeadmInput): string {
  const format = formats[input.minor.kubeadmApi];
  return stream([
    format.initConfiguration(input),
    format.clusterConfiguration(input),
    kubeletConfiguration(input.declared),
    proxyConfiguration(input.minor, input.declared),
  ]);
}

/**
 * The configuration of `kubeadm certs renew`: what init is given, without the bootstrap token, for which it has no use.
 * With it kubeadm asks no API server, which may be dead of expired certificates.
 */
export function renewalConfig(input: Omit<KubeadmInput, 'bootstrapToken'>): string {
  const format = formats[input.minor.kubeadmApi];
  const given: KubeadmInput = { ...input, bootstrapToken: '' };
  const { bootstrapTokens: _unused, ...init } = format.initConfiguration(given) as {
    readonly bootstrapTokens?: unknown;
  };
  return stream([init, format.clusterConfiguration(given)]);
}

/** What kubeadm keeps in the cluster for all masters, in the minor's format. Nothing in it is one machine's own. */
export const clusterConfigurationOf = (input: Pick<KubeadmInput, 'minor' | 'settings' | 'machine'>): object =>
  formats[input.minor.kubeadmApi].clusterConfiguration({ ...input, declared: {}, bootstrapToken: '' });

/** The configuration of `kubeadm join`. Holds the bootstrap token. */
export const joinConfig = (input: JoinInput): string =>
  stream([formats[input.minor.kubeadmApi].joinConfiguration(input)]);

/**
 * Discovery by file: a kubeconfig with the cluster's authority and the bootstrap token. Unlike discovery by token it
 * needs no anonymous request and does not wait for the signature of cluster-info
 * (https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join/#file-or-https-based-discovery).
 */
export function discoveryConfig(
  server: { readonly host: string; readonly port: number },
  authority: string,
  bootstrapToken: string,
): string {
  const data = Buffer.from(authority).toString('base64');
  return stream([
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'cluster',
          cluster: { server: `https://${server.host}:${server.port}`, 'certificate-authority-data': data },
        },
      ],
      users: [{ name: 'bootstrap', user: { token: bootstrapToken } }],
      contexts: [{ name: 'bootstrap', context: { cluster: 'cluster', user: 'bootstrap' } }],
      'current-context': 'bootstrap',
    },
  ]);
}

/** The escape hatch's patches as the files `kubeadm --patches` reads: target, suffix, kind (unsupported). */
export const patchFiles = ({ patches }: ClusterSettings): FileContent[] =>
  patches.map(({ target, type, patch }, index) => ({
    path: `${paths.patches}/${target}${index}+${type}.yaml`,
    content: patch,
    mode: 0o600,
  }));

/** The table's row for a cluster. */
export const minorOfCluster = (settings: ClusterSettings): KubernetesMinor =>
  minorFor(settings.kubernetesVersion);
