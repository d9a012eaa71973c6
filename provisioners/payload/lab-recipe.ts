import type { FileRole, PayloadImage } from './manifest.ts';
import type { ProcessConfig } from './oci.ts';

/** How an image is put together: Debian's files, compiled ones, and a folder of this repository. */
export interface ImageRecipe {
  readonly reference: string;
  readonly for: PayloadImage['for'];
  /** For people: what it is made of, and what it stands in for. */
  readonly origin: string;
  /** Debian packages that bring `binaries` and `folders`. */
  readonly packages: readonly string[];
  /** Files of the Debian root; libraries and interpreters follow by themselves. */
  readonly binaries: readonly string[];
  /** Whole folders of the Debian root (plug-ins that no header names); `TRIPLET` stands for the machine type. */
  readonly folders: readonly string[];
  /** Links to make: path → target. Debian makes these in maintainer scripts, which are never run here. */
  readonly links: Readonly<Record<string, string>>;
  /** Compiled binaries: name → path in the image. */
  readonly compiled: Readonly<Record<string, string>>;
  /** Folder of this repository copied over `/`; `*` stands for one path segment. The image is left out without it. */
  readonly tree?: string;
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

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin';

const under = (folder: string, names: string): readonly string[] =>
  names.split(/\s+/).map((name) => `${folder}/${name}`);

/** What a bash script expects to find. */
const SCRIPT_PACKAGES = ['bash', 'coreutils', 'grep', 'sed', 'mawk', 'util-linux', 'procps', 'jq', 'curl'];
const SCRIPT_TOOLS = [
  ...under(
    '/usr/bin',
    'basename cat chmod cp cut date dirname env head id install ln ls mkdir mktemp mv readlink rm seq sha256sum sleep sort stat sync tail tee timeout touch tr true uname uniq wc',
  ),
  ...under('/usr/bin', 'bash grep sed mawk jq curl flock nsenter pgrep pkill ps'),
  '/usr/sbin/sysctl',
];
const SCRIPT_LINKS = { '/usr/bin/sh': 'bash', '/usr/bin/awk': 'mawk' };

/** nf_tables is what Debian's hosts use by default; image and host must not write two different rule sets. */
const IPTABLES_NAMES = ['iptables', 'ip6tables'].flatMap((name) => [name, `${name}-save`, `${name}-restore`]);
const IPTABLES_LINKS = Object.fromEntries(
  IPTABLES_NAMES.map((name) => [`/usr/sbin/${name}`, 'xtables-nft-multi']),
);
const IPTABLES_PLUGINS = ['/usr/lib/TRIPLET/xtables'];

const NOTHING = { packages: [], binaries: [], folders: [], links: {}, compiled: {} };

const run = (...entrypoint: readonly string[]): ProcessConfig => ({
  entrypoint,
  command: [],
  environment: [PATH],
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

/** Every image of a lab payload. References are kubeadm's own for 1.20, so that it needs no other repository. */
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
        ...under('/usr/sbin', 'xtables-nft-multi xtables-legacy-multi ipset conntrack'),
        ...under('/usr/bin', 'bash cat ls nsenter ip'),
      ],
      folders: IPTABLES_PLUGINS,
      links: { ...IPTABLES_LINKS, '/usr/bin/sh': 'bash' },
    },
    {
      ...NOTHING,
      reference: 'k8s.gcr.io/etcd:3.4.13-0',
      for: 'control-plane',
      origin: "Debian's etcd 3.4.23 under the tag that kubeadm 1.20 asks for",
      packages: ['etcd-server', 'etcd-client'],
      binaries: ['/usr/bin/etcd', '/usr/bin/etcdctl'],
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
    ...addonImages(),
  ];
}

/** Images of the lab's add-ons and of the final proof; their scripts live with whoever owns the add-on. */
function addonImages(): readonly ImageRecipe[] {
  return [
    {
      ...NOTHING,
      reference: 'remuda.dev/lab/routed-bridge:1',
      for: 'addon:routed-bridge',
      origin: "the routed-bridge network's script on Debian's tools",
      packages: [...SCRIPT_PACKAGES, 'iproute2', 'iptables'],
      binaries: [
        ...SCRIPT_TOOLS,
        ...under('/usr/bin', 'ip'),
        ...under('/usr/sbin', 'bridge xtables-nft-multi'),
      ],
      folders: IPTABLES_PLUGINS,
      links: { ...SCRIPT_LINKS, ...IPTABLES_LINKS },
      tree: 'provisioners/addons/*/routed-bridge/image',
      process: run(),
    },
    {
      ...NOTHING,
      reference: 'remuda.dev/lab/cluster-dns:1',
      for: 'addon:cluster-dns',
      origin: "a stand-in for CoreDNS: Debian's dnsmasq fed from the API by a script",
      packages: [...SCRIPT_PACKAGES, 'dnsmasq-base', 'iproute2'],
      binaries: [...SCRIPT_TOOLS, '/usr/sbin/dnsmasq', '/usr/bin/ip'],
      links: SCRIPT_LINKS,
      tree: 'provisioners/addons/*/cluster-dns/image',
      process: run(),
    },
    {
      ...NOTHING,
      reference: 'remuda.dev/lab/probe:1',
      for: 'all',
      origin: "Debian's busybox answering HTTP with the pod's name, for the final proof",
      packages: ['busybox-static'],
      binaries: ['/usr/bin/busybox'],
      links: Object.fromEntries(
        under('/usr/bin', 'sh httpd wget nc hostname mkdir cat ls sleep nslookup').map((path) => [
          path,
          'busybox',
        ]),
      ),
      tree: 'provisioners/payload/images/probe',
      process: run('/usr/local/bin/probe'),
    },
  ];
}

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

/** Debian packages that the whole lab payload is cut from. */
export function labPackages(version: string): readonly string[] {
  const ofImages = labImages(version).flatMap((image) => image.packages);
  const ofFiles = LAB_FILES.flatMap((file) => ('package' in file.from ? [file.from.package] : []));
  return [...new Set([...ofImages, ...ofFiles, 'libseccomp2'])].sort();
}
