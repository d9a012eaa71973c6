import type { FileContent } from '../contract/ports.ts';
import type { ClusterKeys } from '../contract/secrets.ts';
import { paths } from './paths.ts';

const at = (name: string, content: string, mode = 0o600): FileContent => ({
  path: `${paths.pki}/${name}`,
  content,
  mode,
});

/** etcd's own authority: all that a machine has on which etcd stands apart from the masters. */
export const etcdAuthorityFiles = ({ etcd }: Pick<ClusterKeys, 'etcd'>): FileContent[] => [
  at('etcd/ca.crt', etcd.certificate, 0o644),
  at('etcd/ca.key', etcd.key),
];

/**
 * The authorities of a cluster as the files kubeadm expects to find, so that it makes every other certificate itself
 * (https://kubernetes.io/docs/setup/best-practices/certificates/). Keys are for root alone.
 */
export function pkiFiles(keys: ClusterKeys): FileContent[] {
  return [
    at('ca.crt', keys.kubernetes.certificate, 0o644),
    at('ca.key', keys.kubernetes.key),
    ...etcdAuthorityFiles(keys),
    at('front-proxy-ca.crt', keys.frontProxy.certificate, 0o644),
    at('front-proxy-ca.key', keys.frontProxy.key),
    at('sa.pub', keys.serviceAccount.publicKey),
    at('sa.key', keys.serviceAccount.privateKey),
  ];
}
