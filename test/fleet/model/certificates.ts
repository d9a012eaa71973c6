import { createHash, X509Certificate } from 'node:crypto';
import type { MachineCertificate } from '../../../provisioners/contract/ports/host.ts';
import { type ModelMachine, startedAt, written } from './machine.ts';
import { authorityLine, blocksIn, idOf, isKeyed, signerIn, signingId } from './trust.ts';

/** Life of the certificates that kubeadm makes: its CertificateValidity, a year. */
export const leafLife = 365 * 24 * 3_600_000;

/** What kubeadm keeps on a master beside the authorities: path and name, as kubeadm names it. */
export const leafCertificates: readonly (readonly [path: string, name: string])[] = [
  ...[
    'apiserver',
    'apiserver-kubelet-client',
    'apiserver-etcd-client',
    'front-proxy-client',
    'etcd/server',
    'etcd/peer',
    'etcd/healthcheck-client',
  ].map((name) => [`/etc/kubernetes/pki/${name}.crt`, name] as const),
  ...['admin', 'controller-manager', 'scheduler'].map(
    (name) => [`/etc/kubernetes/${name}.conf`, `${name}.conf`] as const,
  ),
];

/** With what a kubelet speaks to the API. The model's kubelets have none unless a test gives them one. */
export const kubeletClientPath = '/var/lib/kubelet/pki/kubelet-client-current.pem';
const bootstrapPath = '/etc/kubernetes/bootstrap-kubelet.conf';

/** A kubelet that starts and whose certificate has run out: what becomes of it. */
export function startKubelet(
  machine: ModelMachine,
  isApiReady: boolean,
  now: number,
  signer?: string,
): 'runs' | 'fails' {
  const own = machine.files.get(kubeletClientPath);
  const isAsking = machine.files.has(bootstrapPath);
  if (own === undefined && !isAsking) return 'runs';
  if (own !== undefined && Date.parse(readText(own.content).notAfter) > now) return 'runs';
  if (!isAsking) return 'fails';
  // Whoever asks is given one where somebody signs.
  if (isApiReady && signer !== undefined)
    machine.files.set(kubeletClientPath, {
      mode: own?.mode ?? 0o600,
      content: leafText('kubelet/client', machine, now, signer),
    });
  return 'runs';
}

/** What stands for a certificate in the model: whose it is, who signed it, and when it ends. */
export function leafText(
  name: string,
  machine: ModelMachine,
  now: number,
  signer = signingId(machine, name),
): string {
  const signed = signer === undefined ? '' : ` signed by ${signer}`;
  const until = new Date(now + leafLife).toISOString();
  const head = name.endsWith('.conf') ? authorityLine(machine) : '';
  return `${head}model certificate ${name} of ${machine.name}${signed} until ${until}`;
}

/**
 * `kubeadm certs renew all`, or of some names: those that are there; a missing one is said and left out, one without its
 * key stays.
 */
export function renewCertificates(machine: ModelMachine, now: number, only?: readonly string[]): void {
  for (const [path, name] of leafCertificates) {
    if (only?.includes(name) === false) continue;
    const file = machine.files.get(path);
    if (file === undefined || !machine.files.has(authorityKeyOf(name)) || !isKeyed(machine, name)) continue;
    const content = leafText(name, machine, now);
    machine.files.set(path, written(file, content, file.mode, now));
  }
}

/** Path of the key that signs a certificate. */
function authorityKeyOf(name: string): string {
  if (name.startsWith('etcd/') || name === 'apiserver-etcd-client') return '/etc/kubernetes/pki/etcd/ca.key';
  return name === 'front-proxy-client'
    ? '/etc/kubernetes/pki/front-proxy-ca.key'
    : '/etc/kubernetes/pki/ca.key';
}

/** Names that kubeadm gives its authorities (cmd/kubeadm/app/phases/certs/certlist.go). */
function issuerOf(name: string): string {
  if (name.startsWith('etcd/') || name === 'apiserver-etcd-client') return 'etcd-ca';
  return name.startsWith('front-proxy') ? 'front-proxy-ca' : 'kubernetes';
}

/** What a certificate's text says; the fake authorities end never. */
export function readText(content: string): Omit<MachineCertificate, 'name'> {
  if (/^-----BEGIN CERTIFICATE-----\n(?!model )/.test(content)) {
    const { validToDate, fingerprint256, issuer } = new X509Certificate(content);
    const signer = /^CN=(.+)$/mu.exec(issuer)?.[1];
    return {
      ...(signer === undefined ? {} : { issuer: signer }),
      notAfter: validToDate.toISOString(),
      fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
    };
  }
  return {
    notAfter: / until (\S+)$/.exec(content)?.[1] ?? '9999-12-31T23:59:59.000Z',
    fingerprint: createHash('sha256').update(content).digest('hex'),
  };
}

const ofKubelet: Readonly<Record<string, string>> = {
  [kubeletClientPath]: 'kubelet/client',
  '/var/lib/kubelet/pki/kubelet-server-current.pem': 'kubelet/serving',
};

const isAuthority = (name: string): boolean => ['ca', 'etcd/ca', 'front-proxy-ca'].includes(name);

/** Certificates on a machine, by the names of kubeadm. */
export function certificatesOn(
  machine: ModelMachine,
  authorities: readonly string[] = [],
): MachineCertificate[] {
  const kubeconfigs = new Map(leafCertificates.filter(([, name]) => name.endsWith('.conf')));
  return [...machine.files].flatMap(([path, { content }]) => {
    const inPki = /^\/etc\/kubernetes\/pki\/((?:etcd\/)?[^/]+)\.crt$/.exec(path)?.[1];
    const name = ofKubelet[path] ?? inPki ?? kubeconfigs.get(path);
    if (name === undefined) return [];
    const signer = authorities.find((pem) => signerIn(content) === idOf(pem));
    const issuer = issuerOf(name);
    const [first = content, also] = isAuthority(name) ? blocksIn(content) : [content];
    return [
      { name, issuer, ...readText(first), ...(signer === undefined ? {} : { signer }) },
      ...(also === undefined ? [] : [{ name: `${name}/also`, issuer, ...readText(also) }]),
    ];
  });
}

/** Which of its files a component shows on its port; the others make their own certificate when they start. */
export const certificateOf: Readonly<Record<string, string>> = {
  etcd: '/etc/kubernetes/pki/etcd/server.crt',
  'kube-apiserver': '/etc/kubernetes/pki/apiserver.crt',
};

/** What a process read of a file when it started: models load certificates once, as kubeadm's manual has it. */
export function loaded(machine: ModelMachine, path: string, since: number): string {
  const file = machine.files.get(path);
  let text = file?.content ?? '';
  for (let change = file?.changed; change !== undefined && change.at > since; change = change.before)
    text = change.from;
  return text;
}

/** Whether the certificate that a component shows has run out (complaint 13). */
export function hasRunOut(machine: ModelMachine, component: string, now: number): boolean {
  const text = loaded(machine, certificateOf[component] ?? '', startedAt(machine, component));
  return Date.parse(readText(text).notAfter) <= now;
}
