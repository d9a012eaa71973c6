import { UserProblem } from '../contract/problem.ts';

/** What differs between Kubernetes minors, as data. Everything that depends on a version reads this table. */
export interface KubernetesMinor {
  /** `1.20`. */
  readonly minor: string;
  /** What it is for: only the test lab runs `lab` minors, nobody else is offered one. */
  readonly audience: 'lab' | 'users';
  /** Version of the kubeadm configuration format that this minor's kubeadm writes and reads best. */
  readonly kubeadmApi: 'v1beta2' | 'v1beta3' | 'v1beta4';
  /** Version of containerd's configuration file: 2 up to containerd 1.7, 3 from containerd 2.0. */
  readonly containerdConfig: 2 | 3;
  /** containerd's socket as this minor's kubeadm wants it written; the bare path is deprecated since 1.24. */
  readonly criSocket: string;
  /** cgroup versions its kubelet runs on. */
  readonly cgroupModes: readonly (1 | 2)[];
  readonly images: {
    readonly registry: string;
    /** Path of CoreDNS below the registry: it moved into a folder of its own with 1.21. */
    readonly coredns: string;
    readonly etcd: string;
    readonly pause: string;
  };
  /** The pod of the final proof: an image of every payload of this minor that answers HTTP with its node's name. */
  readonly probe: { readonly image: string; readonly args: readonly string[] };
  readonly proxyMode: 'iptables' | 'nftables';
  /** Pod Security admission, configured by AdmissionConfiguration: beta from 1.23, stable from 1.25. */
  readonly hasPodSecurity: boolean;
  /**
   * AuthenticationConfiguration (stable from 1.34) can allow anonymous requests to the health paths alone; before,
   * anonymous requests are on and RBAC lets them see nothing but health and version.
   */
  readonly hasAnonymousPaths: boolean;
  /** kubeadm adds etcd members as learners first (beta and on from 1.29): a joiner that never starts costs no quorum. */
  readonly hasEtcdLearners: boolean;
  /**
   * Taint that kubeadm gives masters: `master` up to 1.23, both in 1.24, `control-plane` from 1.25. The label of the
   * same name as the newer one is there from 1.20 on.
   */
  readonly masterTaint: 'node-role.kubernetes.io/control-plane' | 'node-role.kubernetes.io/master';
}

const registry = 'registry.k8s.io';

/**
 * Upstream's own test image (test/images/agnhost of the Kubernetes repository). Every request is answered with the
 * node's name, whatever it asks for: of the many things this program can do, no other is reachable. The kubelet puts
 * the name in the place of `$(NODE_NAME)`; braces and quotes are percent-encoded.
 */
const agnhost = {
  image: `${registry}/e2e-test-images/agnhost:2.53`,
  args: [
    'netexec',
    '--http-port=8080',
    '--udp-port=-1',
    '--http-override=/echo?msg=%7B%22node%22%3A%22$(NODE_NAME)%22%7D',
  ],
} as const;

const users = {
  audience: 'users',
  kubeadmApi: 'v1beta4',
  containerdConfig: 3,
  probe: agnhost,
  criSocket: 'unix:///run/containerd/containerd.sock',
  // The kubelet refuses cgroup v1 from 1.35 unless failCgroupV1 is switched off (KEP-5573).
  cgroupModes: [2],
  // Stable from 1.33; IPVS is deprecated from 1.35.
  proxyMode: 'nftables',
  hasPodSecurity: true,
  hasAnonymousPaths: true,
  hasEtcdLearners: true,
  masterTaint: 'node-role.kubernetes.io/control-plane',
} as const;

/**
 * The minors this release knows, newest first. Sources: the kubeadm configuration reference of each release
 * (https://kubernetes.io/docs/reference/config-api/), cmd/kubeadm/app/constants of each release branch for image
 * versions, as `kubeadm config images list` prints them.
 */
export const minors: readonly KubernetesMinor[] = [
  {
    ...users,
    minor: '1.37',
    images: { registry, coredns: 'coredns/coredns:v1.14.6', etcd: 'etcd:3.7.0-0', pause: 'pause:3.10.2' },
  },
  {
    ...users,
    minor: '1.36',
    images: { registry, coredns: 'coredns/coredns:v1.14.2', etcd: 'etcd:3.6.8-0', pause: 'pause:3.10.2' },
  },
  {
    ...users,
    minor: '1.35',
    images: { registry, coredns: 'coredns/coredns:v1.13.1', etcd: 'etcd:3.6.6-0', pause: 'pause:3.10.1' },
  },
  {
    minor: '1.20',
    audience: 'lab',
    kubeadmApi: 'v1beta2',
    containerdConfig: 2,
    criSocket: '/run/containerd/containerd.sock',
    // Version 2 from 1.19 on (its release notes; kind's known issues name the same floor).
    cgroupModes: [1, 2],
    images: { registry: 'k8s.gcr.io', coredns: 'coredns:1.7.0', etcd: 'etcd:3.4.13-0', pause: 'pause:3.2' },
    // Made with the lab payload: provisioners/payload/probe.
    probe: { image: 'remuda.dev/lab/probe:1', args: [] },
    proxyMode: 'iptables',
    hasPodSecurity: false,
    hasAnonymousPaths: false,
    hasEtcdLearners: false,
    masterTaint: 'node-role.kubernetes.io/master',
  },
];

/** The minor of a version: `v1.20.2` → `1.20`. */
export const minorOf = (version: string): string =>
  version.replace(/^v/, '').split('.').slice(0, 2).join('.');

/** The version as Kubernetes writes it: `1.20.2` → `v1.20.2`. */
export const tagOf = (version: string): string => `v${version.replace(/^v/, '')}`;

/**
 * The table's row for a version, with or without `v`.
 * @throws UserProblem for a minor this release does not know
 */
export function minorFor(version: string): KubernetesMinor {
  const row = minors.find(({ minor }) => minor === minorOf(version));
  if (row !== undefined) return row;
  throw new UserProblem('KUBE-001', `Kubernetes ${version} is not a version this release of Remuda knows`, {
    value: version,
    place: { field: 'spec.kubernetes.version' },
    remedy: `Choose a version of ${minors.map(({ minor }) => minor).join(', ')}.`,
  });
}

/** Reference of the pause image of a minor: what containerd starts every sandbox from. */
export const pauseImage = ({ images }: KubernetesMinor): string => `${images.registry}/${images.pause}`;

/** Reference of the image of the final proof: part of every payload, for every machine. */
export const probeImage = (version: string): string => minorFor(version).probe.image;

/** Images kubeadm itself asks for, with those of a worker last. */
export function kubeadmImages(version: string): readonly string[] {
  const { images } = minorFor(version);
  const components = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];
  return [
    ...components.map((name) => `${images.registry}/${name}:${tagOf(version)}`),
    ...[images.etcd, images.coredns, images.pause].map((image) => `${images.registry}/${image}`),
  ];
}

/** Label of every master's Node, from 1.20 on. */
export const controlPlaneLabel = 'node-role.kubernetes.io/control-plane';
