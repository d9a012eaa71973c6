import { dump } from 'js-yaml';
import type { JsonObject } from '../../provisioners/contract/json.ts';
import { authorityHash } from './authority-hash.ts';

/** What a kubeconfig is made of. */
export interface KubeconfigParts {
  readonly cluster: string;
  /** `https://host:port` of the cluster's API. */
  readonly server: string;
  /** PEM. */
  readonly caCertificate: string;
  readonly kubernetesVersion: string;
  /** `https://host:port` of this server, as the caller reached it; empty when it is not known. */
  readonly remuda: string;
}

/** A kubeconfig that holds no secret: `remuda` fetches a certificate of an hour each time one is needed. */
export function kubeconfigOf(parts: KubeconfigParts): string {
  const { cluster, server, caCertificate, kubernetesVersion, remuda } = parts;
  const name = `remuda-${cluster}`;
  const execApi = execApiFor(kubernetesVersion);
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: cluster,
        cluster: { server, 'certificate-authority-data': Buffer.from(caCertificate).toString('base64') },
      },
    ],
    users: [
      {
        name,
        user: {
          exec: {
            apiVersion: `client.authentication.k8s.io/${execApi}`,
            command: 'remuda',
            args: [
              'credential',
              '--cluster',
              cluster,
              '--authority',
              authorityHash(caCertificate),
              '--exec-api',
              execApi,
            ],
            ...(remuda === '' ? {} : { env: [{ name: 'REMUDA_SERVER', value: remuda }] }),
            interactiveMode: 'Never',
            installHint: `The command remuda must be in PATH, and signed in: remuda login ${remuda} --user NAME`,
          },
        },
      },
    ],
    contexts: [{ name: cluster, context: { cluster, user: name } }],
    'current-context': cluster,
  });
}

/** A kubeconfig that holds a token: for programs that can run no other. It is a secret. */
export function kubeconfigWithToken(
  { cluster, server, caCertificate }: Pick<KubeconfigParts, 'cluster' | 'server' | 'caCertificate'>,
  token: string,
): string {
  const name = `remuda-${cluster}`;
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: cluster,
        cluster: { server, 'certificate-authority-data': Buffer.from(caCertificate).toString('base64') },
      },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name: cluster, context: { cluster, user: name } }],
    'current-context': cluster,
  });
}

/** API of exec plugins: `v1` is known to kubectl from 1.22 on, `v1beta1` to 1.23 (Kubernetes' deprecation guide). */
function execApiFor(version: string): 'v1' | 'v1beta1' {
  const minor = Number(/^v?1\.(\d+)/.exec(version)?.[1] ?? '99');
  return minor <= 21 ? 'v1beta1' : 'v1';
}

/** `spec.kubernetes.version` of a completed Cluster document; empty when it has none. */
export function versionAskedFor(desired: JsonObject): string {
  const { spec } = desired as { readonly spec?: { readonly kubernetes?: { readonly version?: unknown } } };
  const version = spec?.kubernetes?.version;
  return typeof version === 'string' ? version : '';
}

/** `https://host:port` of the API that a completed Cluster document asks for; empty when it does not say. */
export function serverAskedFor(desired: JsonObject): string {
  const { spec } = desired as {
    readonly spec?: {
      readonly controlPlane?: { readonly endpoint?: { readonly host?: unknown; readonly port?: unknown } };
    };
  };
  const { host, port } = spec?.controlPlane?.endpoint ?? {};
  if (typeof host !== 'string' || typeof port !== 'number') return '';
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
