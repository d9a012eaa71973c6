import type { FileContent } from '../contract/ports/file.ts';
import { type ClusterKeys, trustedCertificates, trustedChains } from '../contract/secrets.ts';
import { paths } from './paths.ts';

const at = (name: string, content: string, mode = 0o600): FileContent => ({
  path: `${paths.pki}/${name}`,
  content,
  mode,
});

/** etcd's own authority: all that a machine has on which etcd stands apart from the masters. */
export const etcdAuthorityFiles = ({ etcd }: Pick<ClusterKeys, 'etcd'>): FileContent[] => [
  at('etcd/ca.crt', trustedCertificates(etcd), 0o644),
  at('etcd/ca.key', etcd.key),
];

/**
 * The cluster's authority with whoever signed it: what pods are given to believe. Go takes an authority in the middle of a
 * chain for a root, OpenSSL does not unless it is told to. Beside ca.crt and never in it: the controller-manager signs
 * with one certificate only (pkg/controller/certificates/signer: ca_provider.go).
 */
function chainFile({ kubernetes }: ClusterKeys): FileContent[] {
  const content = trustedChains(kubernetes);
  return content === undefined ? [] : [{ path: paths.authorityChain, content, mode: 0o644 }];
}

/**
 * The authorities of a cluster, all that are believed, the one that signs first, as the files kubeadm expects to find, so that it makes every other certificate itself
 * (https://kubernetes.io/docs/setup/best-practices/certificates/). Keys are for root alone.
 */
export function pkiFiles(keys: ClusterKeys): FileContent[] {
  return [
    at('ca.crt', trustedCertificates(keys.kubernetes), 0o644),
    at('ca.key', keys.kubernetes.key),
    ...etcdAuthorityFiles(keys),
    at('front-proxy-ca.crt', trustedCertificates(keys.frontProxy), 0o644),
    at('front-proxy-ca.key', keys.frontProxy.key),
    at('sa.pub', keys.serviceAccount.publicKey),
    at('sa.key', keys.serviceAccount.privateKey),
    { path: paths.signingCertificate, content: keys.kubernetes.certificate, mode: 0o644 },
    ...chainFile(keys),
  ];
}
