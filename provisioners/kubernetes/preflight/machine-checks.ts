import { minorFor } from '../versions.ts';
import { everyRole, failed, passed, type HostCheck } from './check.ts';

const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;
const inGib = (bytes: number): string => `${(bytes / gibibyte).toFixed(1)} GiB`;

/** Sources: kubeadm's own preflight constants (cmd/kubeadm/app/constants: ControlPlaneNumCPU 2, ControlPlaneMem 1700 MB). */
const cpus: HostCheck = {
  id: 'HOST-CPU',
  scope: 'host',
  severity: 'bypassable',
  roles: everyRole,
  title: 'Enough processors',
  prevents:
    'kubeadm refuses a control plane on one CPU, and etcd misses heartbeats when the API server starves it',
  field: 'machine.cpus',
  evaluate({ facts, expected }) {
    const least = expected.role === 'worker' ? 1 : 2;
    if (facts.cpus >= least) return passed(`${facts.cpus} CPUs`);
    return failed(
      `${facts.cpus} CPU, and a ${expected.role} machine needs ${least}`,
      `give ${expected.name} at least ${least} CPUs`,
    );
  },
};

const memory: HostCheck = {
  id: 'HOST-MEMORY',
  scope: 'host',
  severity: 'bypassable',
  roles: everyRole,
  title: 'Enough memory',
  prevents: 'the kernel kills etcd or the API server under the first load',
  field: 'machine.memory',
  evaluate({ facts, expected }) {
    const least = (expected.role === 'worker' ? 700 : 1700) * mebibyte;
    if (facts.memory >= least) return passed(inGib(facts.memory));
    return failed(
      `${inGib(facts.memory)}, and a ${expected.role} machine needs ${inGib(least)}`,
      `give ${expected.name} at least ${inGib(least)} of memory`,
    );
  },
};

const disk: HostCheck = {
  id: 'HOST-DISK',
  scope: 'host',
  severity: 'bypassable',
  roles: everyRole,
  title: 'Room on disk',
  prevents: 'images cannot be unpacked, and the kubelet evicts pods from a full disk',
  evaluate({ facts, expected }) {
    const least = (expected.role === 'worker' ? 5 : 8) * gibibyte;
    const short = Object.entries(facts.freeDisk).filter(([, free]) => free < least);
    if (short.length === 0)
      return passed(
        Object.entries(facts.freeDisk)
          .map(([path, free]) => `${path} ${inGib(free)}`)
          .join(', '),
      );
    return failed(
      short.map(([path, free]) => `only ${inGib(free)} free at ${path}`).join(', '),
      `free or add space: ${inGib(least)} are needed where containers, the kubelet and etcd keep their data`,
    );
  },
};

/** Source: etcd's hardware guide, "wal_fsync_duration_seconds p99 should be less than 10 ms". */
const diskLatency: HostCheck = {
  id: 'HOST-DISK-LATENCY',
  scope: 'host',
  severity: 'bypassable',
  roles: ['control-plane', 'etcd'],
  title: 'A disk quick enough for etcd',
  prevents: 'etcd loses its leader whenever the disk is busy, and the API stops answering',
  evaluate({ disk: measured, expected }) {
    if (measured === undefined)
      return failed('not measured', `look at the log of ${expected.name}, and run the check again`);
    const saw = `99 of 100 writes were on disk within ${measured.fsyncP99.toFixed(1)} ms (${measured.samples} writes)`;
    if (measured.fsyncP99 <= 10) return passed(saw);
    return failed(
      `${saw}; etcd asks for 10 ms`,
      'put the machine on a faster disk, or keep its neighbours from that disk',
    );
  },
};

const kernel: HostCheck = {
  id: 'HOST-KERNEL',
  scope: 'host',
  severity: 'bypassable',
  roles: everyRole,
  title: 'A kernel that Kubernetes supports',
  prevents: 'containers fail in ways that name neither the kernel nor the cause',
  evaluate({ facts }) {
    const [major = 0, minor = 0] = facts.kernel.split('.').map(Number);
    // 4.19 is the floor kubeadm's SystemVerification reports from 1.32 on; older releases ran on 3.10.
    if (major > 4 || (major === 4 && minor >= 19)) return passed(`Linux ${facts.kernel}`);
    return failed(
      `Linux ${facts.kernel} is older than 4.19`,
      'install a newer kernel from the distribution and reboot',
    );
  },
};

const kernelFeatures: HostCheck = {
  id: 'HOST-KERNEL-FEATURES',
  scope: 'host',
  severity: 'strict',
  roles: everyRole,
  title: 'Overlay file system and bridge filtering',
  prevents: 'containerd cannot unpack an image, or Services answer from some pods and not from others',
  evaluate({ facts }) {
    const lacking = [
      facts.kernelFeatures.overlay ? [] : ['overlay'],
      facts.kernelFeatures.brNetfilter ? [] : ['br_netfilter'],
    ].flat();
    if (lacking.length === 0) return passed('overlay and br_netfilter are there');
    return failed(
      `the kernel lacks ${lacking.join(' and ')}`,
      `install the kernel's modules and run: modprobe ${lacking.join(' ')}`,
    );
  },
};

/** Which versions a kubelet takes stands in the version table (`cgroupModes`, with its sources). */
const controlGroups: HostCheck = {
  id: 'HOST-CGROUPS',
  scope: 'host',
  severity: 'strict',
  roles: everyRole,
  title: 'Control groups the kubelet accepts',
  prevents: 'the kubelet starts and stops in a loop; kubeadm only says that the API server did not come up',
  evaluate({ facts, expected }) {
    const { cgroupModes } = minorFor(expected.minor);
    if (!cgroupModes.includes(facts.cgroupVersion))
      return failed(
        `control groups version ${facts.cgroupVersion}, which Kubernetes ${expected.minor} refuses`,
        `use an image with control groups version ${cgroupModes.join(' or ')} (version 2: boot with systemd.unified_cgroup_hierarchy=1)`,
      );
    const wanted = ['cpu', 'cpuset', 'memory', 'pids'];
    const lacking = wanted.filter((controller) => !facts.cgroupControllers.includes(controller));
    if (lacking.length > 0)
      return failed(
        `controllers missing: ${lacking.join(', ')}`,
        'enable them on the kernel command line and reboot',
      );
    return passed(`version ${facts.cgroupVersion}, with ${wanted.join(', ')}`);
  },
};

const swap: HostCheck = {
  id: 'HOST-SWAP',
  scope: 'host',
  severity: 'bypassable',
  roles: everyRole,
  title: 'No swap',
  prevents: 'the kubelet does not start, or pods are paged out and answer in seconds instead of milliseconds',
  evaluate({ facts }) {
    if (facts.swap === 0) return passed('no swap');
    // The kubelet is told the same (failSwapOn): in the lab all hosts see the swap of the box, which stays as it is.
    if (facts.declared.ignorePreflightErrors?.includes('Swap') === true)
      return passed(`${inGib(facts.swap)}, which the machine's image declares not to be its own`);
    return failed(
      `${inGib(facts.swap)} of swap are on`,
      'run swapoff -a, and take the swap line out of /etc/fstab so that it stays off',
    );
  },
};

const operatingSystem: HostCheck = {
  id: 'HOST-OS',
  scope: 'host',
  severity: 'bypassable',
  roles: everyRole,
  title: 'An operating system Remuda is tested on',
  prevents: 'files and units that stand elsewhere than Remuda expects',
  evaluate({ facts }) {
    const { id, version } = facts.operatingSystem;
    const tested: Readonly<Record<string, readonly string[]>> = {
      debian: ['12', '13'],
      ubuntu: ['22.04', '24.04'],
    };
    if (tested[id]?.includes(version)) return passed(`${id} ${version}`);
    return failed(`${id} ${version}`, 'use Debian 12 or 13, or Ubuntu 22.04 or 24.04');
  },
};

const tools: HostCheck = {
  id: 'HOST-TOOLS',
  scope: 'host',
  severity: 'strict',
  roles: everyRole,
  title: 'The programs that Kubernetes and Remuda call',
  prevents: 'kube-proxy and kubectl port-forward fail long after the installation said it was done',
  evaluate({ facts, expected }) {
    const wanted = ['conntrack', 'curl', 'ip', 'iptables', 'mount', 'socat', 'flock', ...toLookWith];
    if (expected.virtualAddress !== undefined && expected.role === 'control-plane')
      wanted.push('haproxy', 'keepalived');
    const lacking = wanted.filter((tool) => facts.tools[tool] !== true);
    if (lacking.length === 0) return passed('all there');
    return failed(
      `missing: ${lacking.join(', ')}`,
      `install them on ${expected.name} (Debian: apt install ${[...new Set(lacking.map(packageOf))].join(' ')})`,
    );
  },
};

/** By which the other checks look, and steps work: without them a check would blame the network or the disk. */
const toLookWith = ['ping', 'perl', 'ss', 'systemd-run', 'tar'];
const packages: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  ss: 'iproute2',
  flock: 'util-linux',
  ping: 'iputils-ping',
  'systemd-run': 'systemd',
};
const packageOf = (tool: string): string => packages[tool] ?? tool;

/** Checks of what a machine is made of. */
export const machineChecks: readonly HostCheck[] = [
  cpus,
  memory,
  disk,
  diskLatency,
  kernel,
  kernelFeatures,
  controlGroups,
  swap,
  operatingSystem,
  tools,
];
