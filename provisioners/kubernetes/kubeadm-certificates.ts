import type { ControlPlaneComponent } from '../contract/control-plane.ts';
import { paths } from './paths.ts';

/**
 * Certificates that `kubeadm certs renew all` makes anew (cmd/kubeadm/app/phases/certs/renewal/manager.go), by the names
 * of {@link import('../contract/ports/host.ts').MachineCertificate}, with the component that reads each. Those without one are
 * for people and probes. The authorities are not among them: renewing those is a rotation of its own.
 */
const readers: Readonly<Record<string, ControlPlaneComponent['name'] | undefined>> = {
  apiserver: 'kube-apiserver',
  'apiserver-etcd-client': 'kube-apiserver',
  'apiserver-kubelet-client': 'kube-apiserver',
  'front-proxy-client': 'kube-apiserver',
  'etcd/server': 'etcd',
  'etcd/peer': 'etcd',
  'etcd/healthcheck-client': undefined,
  'admin.conf': undefined,
  // From 1.29 on (cmd/kubeadm/app/constants).
  'super-admin.conf': undefined,
  'controller-manager.conf': 'kube-controller-manager',
  'scheduler.conf': 'kube-scheduler',
};

/** Who makes a certificate anew. */
export type CertificateKeeper =
  /** `kubeadm certs renew`: the step certificates.renew. */
  | 'kubeadm'
  /** The kubelet itself, when most of its time is over. */
  | 'kubelet'
  /** A rotation of the authority: everything it signed follows. */
  | 'rotation'
  /**
   * The certificate that a kubelet signs for itself when it first starts: never made anew, and checked by nobody as long
   * as the API server is given no authority for kubelets (hardening.ts, CIS 1.2.5).
   */
  | 'nobody'
  /** None of kubeadm's: whoever put it there. */
  | 'somebody else';

/** Names of the authorities' certificates: those that sign, and those that are believed beside them. */
const authorities: ReadonlySet<string> = new Set(
  ['ca', 'etcd/ca', 'front-proxy-ca'].flatMap((name) => [name, `${name}/also`]),
);

/** Who makes the certificate of this name anew. */
export function keeperOf(name: string): CertificateKeeper {
  if (name in readers) return 'kubeadm';
  if (authorities.has(name)) return 'rotation';
  if (name === 'kubelet/server') return 'nobody';
  return name.startsWith('kubelet/') ? 'kubelet' : 'somebody else';
}

/** Name of the authority that signed one of kubeadm's certificates. */
export function authorityOf(name: string): string {
  if (name.startsWith('etcd/') || name === 'apiserver-etcd-client') return 'etcd/ca';
  return name === 'front-proxy-client' ? 'front-proxy-ca' : 'ca';
}

/** Where kubeadm keeps a certificate. */
export const pathOf = (name: string): string =>
  name.endsWith('.conf') ? `/etc/kubernetes/${name}` : `${paths.pki}/${name}.crt`;

/** A component, its certificates, and which of them it shows on its port: none where it makes its own as it starts. */
export interface CertifiedComponent extends ControlPlaneComponent {
  readonly certificates: readonly string[];
  readonly shows?: string;
}

function readBy(
  name: ControlPlaneComponent['name'],
): Pick<CertifiedComponent, 'name' | 'certificates' | 'files'> {
  const certificates = Object.keys(readers).filter((certificate) => readers[certificate] === name);
  return { name, certificates, files: certificates.map(pathOf) };
}

/**
 * The static pods in the order in which they are restarted: whoever is asked before who asks. The flags are those
 * kubeadm writes into their manifests (cmd/kubeadm/app/phases/controlplane/manifests.go and etcd/local.go), the ports
 * its constants; the API server's own port is the cluster's choice.
 */
export const componentsOf = (apiPort: number): readonly CertifiedComponent[] => [
  {
    ...readBy('etcd'),
    argument: `--cert-file=${pathOf('etcd/server')}`,
    port: 2379,
    shows: 'etcd/server',
  },
  {
    ...readBy('kube-apiserver'),
    argument: `--tls-cert-file=${pathOf('apiserver')}`,
    port: apiPort,
    shows: 'apiserver',
  },
  {
    ...readBy('kube-controller-manager'),
    argument: `--kubeconfig=${pathOf('controller-manager.conf')}`,
    port: 10257,
  },
  {
    ...readBy('kube-scheduler'),
    argument: `--kubeconfig=${pathOf('scheduler.conf')}`,
    port: 10259,
  },
];
