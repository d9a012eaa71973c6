import { posix } from 'node:path';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { DiskLatency, HostFacts, Reach } from '../../../provisioners/contract/preflight.ts';
import type { FileContent } from '../../../provisioners/contract/ports/file.ts';
import type { HostSettings } from '../../../provisioners/contract/ports/host.ts';
import type { ServiceState } from '../../../provisioners/contract/ports/service.ts';
import { ownHostKeyPath } from '../../../provisioners/contract/ports/host.ts';
import { Blocked, UserProblem } from '../../../provisioners/contract/problem.ts';
import { changing, connect, connectToChange, reading } from './call.ts';
import { certificatesOn, startKubelet } from './certificates.ts';
import { leader } from './distrust.ts';
import { blocksIn, clusterSigner } from './trust.ts';
import { paths, type ModelCluster } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { kubeletStarted, outlivesRestart } from './in-place.ts';
import { registerAgain } from './registration.ts';
import { virtualAddressOf } from './virtual-address.ts';
import { written, hostKey, isUp, type ModelMachine } from './machine.ts';

interface OnMachine {
  readonly machine: MachineRef;
}

interface Grant {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly locksOut: boolean;
}

/** The model's keys: `model X private` is the private half of `model X`. */
const publicHalfOf = (privateKey: string): string =>
  `ssh-ed25519 ${Buffer.from(privateKey.replace(/ private$/, '')).toString('base64')}`;

const gibibyte = 1024 ** 3;

function factsOf(fleet: Fleet, machine: ModelMachine): HostFacts {
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
function holderOf(fleet: Fleet, cluster: ModelCluster, address: string): ModelMachine | undefined {
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

function differences(machine: ModelMachine, settings: HostSettings): string[] {
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

/** HostPort's primitives. */
export const hostCalls = {
  'host.reach': reading(20, (fleet, { machine }: OnMachine) => {
    connect(fleet, machine);
    return null;
  }),
  'host.facts': reading(100, (fleet, { machine }: OnMachine) => factsOf(fleet, connect(fleet, machine))),
  'host.probe': reading(
    200,
    (fleet, given: OnMachine & { readonly addresses: readonly string[] }): Reach[] => {
      const from = connect(fleet, given.machine);
      return given.addresses.map((to) => {
        const target = fleet.byAddress.get(to);
        const isNeighbour =
          target !== undefined &&
          isUp(target, fleet.now) &&
          fleet.clusterOf(target) === fleet.clusterOf(from);
        const isReachable = isNeighbour || holderOf(fleet, fleet.clusterOf(from), to) !== undefined;
        return { to, reachable: isReachable, mtu: isReachable ? 1500 : 0 };
      });
    },
  ),
  'host.measureDisk': reading(2000, (fleet, given: OnMachine & { readonly path: string }): DiskLatency => {
    const machine = connect(fleet, given.machine);
    return { fsyncP99: 2 * machine.slowness, samples: 100 };
  }),
  'host.generateHostKey': changing(150, (fleet, given: OnMachine, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    fleet.needSpace(machine);
    machine.ownHostKey ??= hostKey(`own ${machine.name} ${machine.incarnation}`);
    machine.files.set(`${ownHostKeyPath}.pub`, { content: `${machine.ownHostKey} remuda\n`, mode: 0o644 });
    fleet.changed('host.generateHostKey', machine.name, by);
    return machine.ownHostKey;
  }),
  'host.replaceHostKey': changing(200, (fleet, given: OnMachine & { readonly publicKey: string }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    if (machine.ownHostKey !== given.publicKey)
      throw new UserProblem('HOST-003', `${machine.name} has no such host key`, {
        remedy: 'Generate the key first.',
      });
    machine.shownHostKey = given.publicKey;
    fleet.changed('host.replaceHostKey', machine.name, by);
    return null;
  }),
  'host.hostKeyAt': reading(
    20,
    (fleet, given: { readonly address: string }): string =>
      fleet.reach({ name: given.address, address: given.address }).shownHostKey,
  ),
  'host.admits': reading(20, (fleet, given: OnMachine & { readonly publicKey: string }): boolean =>
    connect(fleet, given.machine).authorizedKeys.has(given.publicKey),
  ),
  'host.admit': changing(60, (fleet, given: OnMachine & { readonly grant: Grant }, by) => {
    const machine = connect(fleet, given.machine);
    const { privateKey, publicKey, locksOut } = given.grant;
    if (!machine.authorizedKeys.has(publicHalfOf(privateKey)))
      throw new Blocked('SSH-003', `${machine.name} does not let that key log in.`, {
        machine: machine.name,
        remedy: 'Give another key.',
      });
    if (locksOut) machine.authorizedKeys.clear();
    machine.authorizedKeys.add(publicKey);
    machine.epoch = by.epoch;
    fleet.changed('host.admit', machine.name, by);
    return null;
  }),
  'host.configure': changing(
    300,
    (fleet, given: OnMachine & { readonly settings: HostSettings }, by): string[] => {
      const machine = connectToChange(fleet, given.machine, by);
      fleet.needSpace(machine);
      const changes = differences(machine, given.settings);
      machine.hostname = given.settings.hostname;
      machine.modules = [...new Set([...machine.modules, ...given.settings.modules])].sort();
      machine.sysctls = { ...machine.sysctls, ...given.settings.sysctls };
      machine.hosts = { ...given.settings.hosts };
      fleet.changed('host.configure', machine.name, by);
      return changes;
    },
  ),
  'host.inspect': reading(80, (fleet, given: OnMachine & { readonly settings: HostSettings }): string[] =>
    differences(connect(fleet, given.machine), given.settings),
  ),
  'host.certificates': reading(
    80,
    (fleet, { machine, authorities }: OnMachine & { readonly authorities?: readonly string[] }) =>
      certificatesOn(connect(fleet, machine), authorities),
  ),
};

/** Folders that Kubernetes and Remuda own: nothing outside is ever removed. */
const ownedFolders = [
  '/etc/kubernetes',
  '/etc/cni',
  '/etc/remuda',
  '/etc/haproxy',
  '/etc/keepalived',
  '/etc/containerd',
  '/var/lib/etcd',
  '/var/lib/kubelet',
  '/var/lib/cni',
  '/var/log/kubernetes',
  '/var/lib/remuda',
  '/run/remuda',
  '/opt/cni',
  '/opt/remuda',
  '/etc/systemd/system',
];

const isUnder = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** FilePort's primitives. */
export const fileCalls = {
  'file.differ': reading(60, (fleet, given: OnMachine & { readonly files: readonly FileContent[] }) => {
    const machine = connect(fleet, given.machine);
    return given.files.flatMap(({ path, content, mode }) => {
      const found = machine.files.get(path);
      if (found === undefined) return [{ path, why: 'is not there' }];
      if (found.content !== content) return [{ path, why: 'has other content' }];
      return found.mode === mode ? [] : [{ path, why: `has mode ${found.mode.toString(8)}` }];
    });
  }),
  'file.write': changing(80, (fleet, given: OnMachine & { readonly files: readonly FileContent[] }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    fleet.needSpace(machine);
    for (const { path, content, mode } of given.files) {
      const from = machine.files.get(path)?.content ?? '';
      machine.files.set(path, written(machine.files.get(path), content, mode, fleet.now));
      if (path === '/etc/kubernetes/pki/ca.crt' && blocksIn(content).length > 1)
        fleet.clusterOf(machine).isRotating = true;
      // The kubelet starts a static pod anew whose manifest is another.
      const pod = /^\/etc\/kubernetes\/manifests\/(.+)\.yaml$/.exec(path)?.[1];
      if (pod !== undefined && content !== from) machine.restarted.set(pod, fleet.now);
      if (pod !== undefined) fleet.watchStart(machine);
    }
    fleet.changed('file.write', `${machine.name}:${given.files.map(({ path }) => path).join(',')}`, by);
    return null;
  }),
  'file.read': reading(40, (fleet, given: OnMachine & { readonly path: string }): string | null => {
    return connect(fleet, given.machine).files.get(given.path)?.content ?? null;
  }),
  'file.exist': reading(40, (fleet, given: OnMachine & { readonly paths: readonly string[] }): string[] => {
    const machine = connect(fleet, given.machine);
    const there = [...machine.files.keys()];
    return given.paths.filter((path) => there.some((file) => isUnder(file, path)));
  }),
  'file.remove': changing(60, (fleet, given: OnMachine & { readonly paths: readonly string[] }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    for (const path of given.paths) {
      if (posix.normalize(path) !== path || !ownedFolders.some((folder) => isUnder(path, folder)))
        throw new Error(`${path} is not Remuda's to remove; only what Kubernetes and Remuda own may be`);
      for (const file of machine.files.keys()) if (isUnder(file, path)) machine.files.delete(file);
    }
    fleet.changed('file.remove', `${machine.name}:${given.paths.join(',')}`, by);
    return null;
  }),
};

/** Units that an image brings; others come with a unit file. */
const unitsOfImage = new Set(['haproxy', 'keepalived', 'ssh', 'sshd', 'chrony']);

const isKnownUnit = (machine: ModelMachine, unit: string): boolean =>
  machine.services.has(shortName(unit)) ||
  unitsOfImage.has(shortName(unit)) ||
  machine.files.has(`/etc/systemd/system/${shortName(unit)}.service`);

function stateOf(machine: ModelMachine, unit: string): ServiceState {
  const service = machine.services.get(shortName(unit));
  if (!isKnownUnit(machine, unit)) return { unit, active: false, enabled: false, detail: 'not-found' };
  const isLooping =
    shortName(unit) === 'kubelet' && service?.active === true && !machine.files.has(paths.kubeletConfig);
  const isActive = service?.active === true && !isLooping;
  return {
    unit,
    active: isActive,
    enabled: service?.enabled ?? false,
    detail: detailOf(isActive, isLooping),
    ...(service?.active === true ? { since: new Date(service.since).toISOString() } : {}),
  };
}

function detailOf(isActive: boolean, isLooping: boolean): string {
  if (isLooping) return 'activating (auto-restart)';
  return isActive ? 'active (running)' : 'inactive (dead)';
}

const shortName = (unit: string): string => unit.replace(/\.service$/, '');

function startService(fleet: Fleet, machine: ModelMachine, unit: string): void {
  const name = shortName(unit);
  const cluster = fleet.clusterOf(machine);
  const isRestart = machine.services.get(name)?.active === true;
  const goesOn = isRestart && outlivesRestart(cluster, machine, fleet.now);
  const isApiReady = [...cluster.machines.values()].some((one) => cluster.isApiReady(one, fleet.now));
  const master = leader(cluster, fleet.now);
  const signer = master === undefined ? undefined : clusterSigner(master);
  const isActive = name !== 'kubelet' || startKubelet(machine, isApiReady, fleet.now, signer) === 'runs';
  machine.services.set(name, { active: isActive, enabled: true, since: fleet.now });
  if (!isActive) return;
  if (name !== 'kubelet' && name !== 'containerd') return;
  if (name === 'kubelet') machine.isPodRejected = false;
  machine.downSince = undefined;
  if (name === 'kubelet') {
    machine.isRegistering = true;
    registerAgain(cluster, machine, fleet.now);
  }
  if (name === 'kubelet') kubeletStarted(fleet, machine);
  if (goesOn) return;
  machine.staticPodsSince = name === 'kubelet' ? fleet.now : Math.max(machine.staticPodsSince, fleet.now);
  fleet.watchStart(machine);
}

/** ServicePort's primitives. */
export const serviceCalls = {
  'service.state': reading(40, (fleet, given: OnMachine & { readonly units: readonly string[] }) => {
    const machine = connect(fleet, given.machine);
    return given.units.map((unit) => stateOf(machine, unit));
  }),
  'service.start': changing(150, (fleet, given: OnMachine & { readonly unit: string }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    const service = machine.services.get(shortName(given.unit));
    if (service?.active === true) service.enabled = true;
    else startService(fleet, machine, given.unit);
    fleet.changed('service.start', `${machine.name}:${given.unit}`, by);
    return null;
  }),
  'service.restart': changing(250, (fleet, given: OnMachine & { readonly unit: string }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    startService(fleet, machine, given.unit);
    fleet.changed('service.restart', `${machine.name}:${given.unit}`, by);
    return null;
  }),
  'service.reload': changing(120, (fleet, given: OnMachine & { readonly unit: string }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    if (machine.services.get(shortName(given.unit))?.active !== true)
      startService(fleet, machine, given.unit);
    fleet.changed('service.reload', `${machine.name}:${given.unit}`, by);
    return null;
  }),
  'service.stop': changing(150, (fleet, given: OnMachine & { readonly unit: string }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    if (!isKnownUnit(machine, given.unit)) return null;
    machine.services.set(shortName(given.unit), { active: false, enabled: false, since: fleet.now });
    if (shortName(given.unit) === 'kubelet') machine.downSince = fleet.now;
    fleet.changed('service.stop', `${machine.name}:${given.unit}`, by);
    return null;
  }),
  'service.journal': reading(
    60,
    (fleet, given: OnMachine & { readonly unit: string; readonly lines: number }): string[] => {
      const machine = connect(fleet, given.machine);
      if (shortName(given.unit) === 'kubelet' && machine.isPodRejected)
        return [
          `kubelet: "Failed to admit pod etcd-${machine.name}_kube-system: no set of running pods found to reclaim resources: ephemeral-storage"`,
        ].slice(-given.lines);
      return [`${given.unit}: nothing of note`].slice(-given.lines);
    },
  ),
};
