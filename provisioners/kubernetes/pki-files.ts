import type { FileContent } from '../contract/ports.ts';
import type { ClusterKeys } from '../contract/secrets.ts';
import { paths } from './paths.ts';

/**
 * The authorities of a cluster as the files kubeadm expects to find, so that it makes every other certificate itself
 * (https://kubernetes.io/docs/setup/best-practices/certificates/). Keys are for root alone.
 */
export function pkiFiles(keys: ClusterKeys): FileContent[] {
  const at = (name: string, content: string, mode = 0o600): FileContent => ({
    path: `${paths.pki}/${name}`,
    content,
    mode,
  });
  return [
    at('ca.crt', keys.kubernetes.certificate, 0o644),
    at('ca.key', keys.kubernetes.key),
    at('etcd/ca.crt', keys.etcd.certificate, 0o644),
    at('etcd/ca.key', keys.etcd.key),
    at('front-proxy-ca.crt', keys.frontProxy.certificate, 0o644),
    at('front-proxy-ca.key', keys.frontProxy.key),
    at('sa.pub', keys.serviceAccount.publicKey),
    at('sa.key', keys.serviceAccount.privateKey),
  ];
}
