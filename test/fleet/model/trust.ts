import { createHash } from 'node:crypto';
import type { ModelMachine } from './machine.ts';

/** What is in a file of certificates: each block by itself. */
export const blocksIn = (text: string): string[] =>
  text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];

/** Names one authority of the model: a digest of its certificate. */
export const idOf = (pem: string): string =>
  createHash('sha256').update(pem.trim()).digest('hex').slice(0, 12);

/** Who is believed by whoever reads this file. */
export const idsIn = (text: string): string[] => blocksIn(text).map(idOf);

/** Which authority is behind a certificate of this name: the file without its ending. */
export function authorityPathOf(name: string): string {
  if (name.startsWith('etcd/') || name === 'apiserver-etcd-client') return '/etc/kubernetes/pki/etcd/ca';
  return name === 'front-proxy-client' ? '/etc/kubernetes/pki/front-proxy-ca' : '/etc/kubernetes/pki/ca';
}

/** The authority that kubeadm signs with on a machine: the first of the file, whatever else stands in it. */
export function signingId(machine: ModelMachine, name: string): string | undefined {
  const [first] = blocksIn(machine.files.get(`${authorityPathOf(name)}.crt`)?.content ?? '');
  return first === undefined ? undefined : idOf(first);
}

const label = (pem: string): string => pem.trim().split('\n')[1] ?? '';

/** Whether the key beside an authority belongs to the first certificate of its file; others are never tried. */
export function isKeyed(machine: ModelMachine, name: string): boolean {
  const path = authorityPathOf(name);
  const [first = ''] = blocksIn(machine.files.get(`${path}.crt`)?.content ?? '');
  const key = machine.files.get(`${path}.key`)?.content;
  // One whose key is elsewhere signs nothing here, and is left out.
  if (key === undefined) return true;
  return !label(first).startsWith('model ') || label(first) === label(key);
}

/** The kubeconfig's line that says who is believed: kubeadm writes the first authority alone. */
export function authorityLine(machine: ModelMachine): string {
  const [first] = blocksIn(machine.files.get('/etc/kubernetes/pki/ca.crt')?.content ?? '');
  if (first === undefined) return '';
  return `certificate-authority-data: ${Buffer.from(first).toString('base64')}\n`;
}

/** Who is believed by whoever reads this kubeconfig; undefined where it names nobody. */
export function idsInKubeconfig(text: string): string[] | undefined {
  const data = /certificate-authority-data: (\S+)/.exec(text)?.[1];
  return data === undefined ? undefined : idsIn(Buffer.from(data, 'base64').toString());
}

/** Who signed a certificate of the model; undefined where it does not say. */
export const signerIn = (text: string): string | undefined => / signed by (\S+)/.exec(text)?.[1];

const signingFile = (machine: ModelMachine): string =>
  /--cluster-signing-cert-file=(\S+)/.exec(
    machine.files.get('/etc/kubernetes/manifests/kube-controller-manager.yaml')?.content ?? '',
  )?.[1] ?? '/etc/kubernetes/pki/ca.crt';

/**
 * Who a controller-manager signs as: it takes a file of exactly one certificate, which must be that of ca.key; else it
 * signs nothing (pkg/controller/certificates/signer: ca_provider.go).
 */
export function clusterSigner(machine: ModelMachine): string | undefined {
  const blocks = blocksIn(machine.files.get(signingFile(machine))?.content ?? '');
  const [only] = blocks;
  const key = machine.files.get('/etc/kubernetes/pki/ca.key')?.content ?? '';
  if (only === undefined || blocks.length !== 1) return undefined;
  return !label(only).startsWith('model ') || label(only) === label(key) ? idOf(only) : undefined;
}
