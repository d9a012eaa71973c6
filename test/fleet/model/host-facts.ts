import type { HostFacts } from '../../../provisioners/contract/preflight.ts';
import type { HostSettings } from '../../../provisioners/contract/ports/host.ts';
import type { ModelCluster } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { virtualAddressOf } from './virtual-address.ts';
import { isUnder, type ModelMachine } from './machine.ts';

const gibibyte = 1024 ** 3;

/** What a machine says of itself to whoever looks before anything is made. */
export function factsOf(fleet: Fleet, machine: ModelMachine): HostFacts {
  return {
    hostname: machine.hostname,
    machineId: machine.id.padEnd(32, '0'),
    productUuid: machine.id,
    operatingSystem: { id: 'debian', version: '12' },
    architecture: 'x86_64',
    cpus: machine.shape.cpus,
    memory: machine.shape.memory,
    swap: 0,
    kernel: '6.1.0',
    cgroupVersion: fleet.cgroupVersion,
    cgroupControllers: [
      'cpu',
      'cpuacct',
      'cpuset',
      'memory',
      'pids',
      'devices',
      'freezer',
      'blkio',
      'net_cls',
      'net_prio',
      'perf_event',
      'hugetlb',
    ],
    kernelFeatures: { overlay: true, brNetfilter: true, ipForward: true },
    freeDisk: Object.fromEntries(
      [
        '/',
        '/var',
        '/var/lib',
        '/var/lib/etcd',
        '/var/lib/containerd',
        '/var/lib/kubelet',
        '/etc',
        '/usr',
        '/tmp',
      ].map((path) => [path, machine.diskFull ? 0 : 60 * gibibyte]),
    ),
    clock: fleet.now / 1000 + machine.clockOffset,
    clockUncertainty: 0.005,
    listeningPorts: [{ port: 22, process: 'sshd' }],
    addresses: addressesOf(fleet, machine),
    routes: [],
    tools: Object.fromEntries(
      [
        'conntrack',
        'ethtool',
        'iptables',
        'ip',
        'mount',
        'socat',
        'tc',
        'nsenter',
        'ebtables',
        'haproxy',
        'keepalived',
        'curl',
        'tar',
        'sha256sum',
        'systemd-run',
        'modprobe',
        'sysctl',
        'openssl',
        'pgrep',
        'find',
        'touch',
        'containerd',
        'runc',
        'swapoff',
        'chronyc',
        'perl',
        'ping',
        'ss',
        'flock',
      ].map((tool) => [tool, true]),
    ),
    leftovers: ['/etc/kubernetes/manifests', '/var/lib/etcd/member', '/var/lib/kubelet/config.yaml'].filter(
      (path) => [...machine.files.keys()].some((file) => isUnder(file, path)),
    ),
    ...ownedBy(machine),
    declared: {},
  };
}

/** Who holds a virtual address: a machine whose API server is ready if there is one, else the first that could. */
export function holderOf(fleet: Fleet, cluster: ModelCluster, address: string): ModelMachine | undefined {
  const able = [...cluster.machines.values()].filter(
    (machine) => virtualAddressOf(machine, fleet.now) === address,
  );
  return able.find((machine) => cluster.isApiReady(machine, fleet.now)) ?? able[0];
}

function addressesOf(fleet: Fleet, machine: ModelMachine): HostFacts['addresses'] {
  const cluster = fleet.clusterOf(machine);
  const prefix = cluster.network?.prefix ?? 24;
  const virtual = virtualAddressOf(machine, fleet.now);
  const held = virtual !== undefined && holderOf(fleet, cluster, virtual) === machine ? [virtual] : [];
  return [
    { interface: 'lo', cidr: '127.0.0.1/8', mtu: 65536 },
    ...[machine.address, ...held].map((address) => ({
      interface: 'eth0',
      cidr: `${address}/${prefix}`,
      mtu: 1500,
    })),
  ];
}

/** Uid of the cluster the machine was prepared for, from the mark that machine.configure leaves. */
function ownedBy(machine: ModelMachine): { readonly ownedBy?: string } {
  const mark = machine.files.get('/var/lib/remuda/cluster')?.content.trim();
  return mark === undefined ? {} : { ownedBy: mark };
}

/** What of a machine is otherwise than its settings say, one phrase each. */
export function differences(machine: ModelMachine, settings: HostSettings): string[] {
  const wrong: string[] = [];
  if (machine.hostname !== settings.hostname)
    wrong.push(`hostname is ${machine.hostname}, not ${settings.hostname}`);
  for (const module of settings.modules)
    if (!machine.modules.includes(module)) wrong.push(`module ${module} is not loaded`);
  for (const [key, value] of Object.entries(settings.sysctls))
    if (machine.sysctls[key] !== value)
      wrong.push(`sysctl ${key} is ${machine.sysctls[key] ?? 'unset'}, not ${value}`);
  if (JSON.stringify(machine.hosts) !== JSON.stringify(settings.hosts))
    wrong.push('/etc/hosts lacks our block');
  return wrong;
}
