import { join } from 'node:path';
import type { FileRole, PayloadImage } from './manifest.ts';
import type { ProcessConfig } from './oci.ts';

/** How an image is put together: Debian's files, compiled ones, and files of this repository. */
export interface ImageRecipe {
  readonly reference: string;
  readonly for: PayloadImage['for'];
  /** For people: what it is made of, and what it stands in for. */
  readonly origin: string;
  /** Debian packages that bring `binaries`. */
  readonly packages: readonly string[];
  /** Programs of the Debian root, by name or path; libraries and plug-ins follow by themselves. */
  readonly binaries: readonly string[];
  /** Compiled binaries: name → path in the image. */
  readonly compiled: Readonly<Record<string, string>>;
  /** Files of this repository: absolute path → path in the image. */
  readonly files: Readonly<Record<string, string>>;
  /** Links to make: path → target. */
  readonly links: Readonly<Record<string, string>>;
  readonly process: ProcessConfig;
}

/** A payload file cut from the Debian root, or compiled, or of this repository. */
export interface FileRecipe {
  readonly role: FileRole;
  readonly from:
    | { readonly compiled: string }
    | { readonly package: string; readonly path: string }
    | { readonly repository: string };
  readonly install: string;
  readonly for: 'all' | 'control-plane';
}

const NOTHING = { packages: [], binaries: [], links: {}, compiled: {}, files: {} };

/** The process of an image; without words the pod has to say what to run. */
export const run = (...entrypoint: readonly string[]): ProcessConfig => ({
  entrypoint,
  command: [],
  environment: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'],
});

/** An image that holds one static binary. */
function compiledImage(name: string, version: string): ImageRecipe {
  return {
    ...NOTHING,
    reference: `k8s.gcr.io/${name}:${version}`,
    for: 'control-plane',
    origin: `${name}, compiled with this payload`,
    compiled: { [name]: `/usr/local/bin/${name}` },
    process: run(),
  };
}

/**
 * Kubernetes' own images and the probe. References are kubeadm's own for 1.20, so that it needs no other repository.
 * Add-ons bring theirs in recipe files (see addon-recipe.ts).
 */
export function labImages(version: string): readonly ImageRecipe[] {
  return [
    ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((name) =>
      compiledImage(name, version),
    ),
    {
      ...compiledImage('kube-proxy', version),
      for: 'all',
      origin: "kube-proxy, compiled with this payload, and Debian's iptables, ipset and conntrack",
      packages: ['iptables', 'ipset', 'conntrack', 'iproute2', 'bash', 'coreutils', 'util-linux'],
      binaries: [
        'ipset',
        'conntrack',
        'bash',
        'sh',
        'cat',
        'ls',
        'nsenter',
        'ip',
        'xtables-legacy-multi',
        ...IPTABLES,
      ],
    },
    {
      ...NOTHING,
      reference: 'k8s.gcr.io/etcd:3.4.13-0',
      for: 'control-plane',
      origin: "Debian's etcd 3.4.23 under the tag that kubeadm 1.20 asks for",
      packages: ['etcd-server', 'etcd-client'],
      binaries: ['etcd', 'etcdctl'],
      process: run(),
    },
    {
      ...NOTHING,
      reference: 'k8s.gcr.io/pause:3.2',
      for: 'all',
      origin: 'pause.c of the same source, compiled with this payload',
      compiled: { pause: '/pause' },
      process: run('/pause'),
    },
    {
      ...NOTHING,
      reference: 'k8s.gcr.io/coredns:1.7.0',
      for: 'control-plane',
      origin:
        'PLACEHOLDER: the pause binary. kubeadm 1.20 insists on the name before init; CoreDNS is not in Debian',
      compiled: { pause: '/coredns' },
      process: run('/coredns'),
    },
    probeImage(),
  ];
}

function probeImage(): ImageRecipe {
  return {
    ...NOTHING,
    reference: 'remuda.dev/lab/probe:1',
    for: 'all',
    origin: "Debian's busybox answering HTTP with the pod's name, for the final proof",
    packages: ['busybox-static'],
    binaries: ['busybox'],
    links: Object.fromEntries(BUSYBOX_NAMES.map((name) => [`/usr/bin/${name}`, 'busybox'])),
    files: { [join(import.meta.dirname, 'probe')]: '/usr/local/bin/probe' },
    process: run('/usr/local/bin/probe'),
  };
}

const IPTABLES = ['iptables', 'ip6tables'].flatMap((name) => [name, `${name}-save`, `${name}-restore`]);

const BUSYBOX_NAMES = ['sh', 'httpd', 'wget', 'nc', 'hostname', 'mkdir', 'cat', 'ls', 'sleep', 'nslookup'];

/**
 * Every file of a lab payload. All land below /usr/local (and the CNI plug-ins in /opt/cni/bin, containerd's own
 * default), so that they never meet a file that dpkg owns.
 */
export const LAB_FILES: readonly FileRecipe[] = [
  { role: 'kubeadm', from: { compiled: 'kubeadm' }, install: '/usr/local/bin/kubeadm', for: 'all' },
  { role: 'kubelet', from: { compiled: 'kubelet' }, install: '/usr/local/bin/kubelet', for: 'all' },
  { role: 'kubectl', from: { compiled: 'kubectl' }, install: '/usr/local/bin/kubectl', for: 'control-plane' },
  ...(['containerd', 'containerd-shim-runc-v2', 'ctr'] as const).map((role) => ({
    role,
    from: { package: 'containerd', path: `/usr/bin/${role}` },
    install: `/usr/local/bin/${role}`,
    for: 'all' as const,
  })),
  {
    role: 'runc',
    from: { package: 'runc', path: '/usr/sbin/runc' },
    install: '/usr/local/sbin/runc',
    for: 'all',
  },
  {
    role: 'cni-plugins',
    from: { package: 'containernetworking-plugins', path: '/usr/lib/cni' },
    install: '/opt/cni/bin',
    for: 'all',
  },
  {
    role: 'crictl',
    from: { repository: 'provisioners/payload/crictl-shim' },
    install: '/usr/local/bin/crictl',
    for: 'all',
  },
  {
    role: 'etcdctl',
    from: { package: 'etcd-client', path: '/usr/bin/etcdctl' },
    install: '/usr/local/bin/etcdctl',
    for: 'control-plane',
  },
];

/** Libraries that every Debian machine with systemd has; a payload file may need these and no others. */
export const MACHINE_LIBRARIES: readonly RegExp[] = [
  /\/ld-linux/,
  /\/lib(c|m|dl|pthread|rt|resolv)\.so/,
  /\/libseccomp\.so/,
];

/** Debian packages that a lab payload is cut from. */
export function labPackages(images: readonly ImageRecipe[]): readonly string[] {
  const ofImages = images.flatMap((image) => image.packages);
  const ofFiles = LAB_FILES.flatMap((file) => ('package' in file.from ? [file.from.package] : []));
  return [...new Set([...ofImages, ...ofFiles, 'libseccomp2'])].sort();
}
