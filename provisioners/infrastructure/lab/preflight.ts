import { existsSync } from 'node:fs';
import { readFile, readdir, readlink, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Finding } from '../../contract/preflight.ts';
import { Problem } from '../../contract/problem.ts';
import type { CapacityRequest } from '../../contract/provider.ts';
import { listClaims, takenSubnets } from './claim.ts';
import { succeeds } from './command.ts';
import { canFilterBridges, canLoad } from './kernel-modules.ts';
import { machineFolders, readLab, type LabSettings } from './infrastructure.ts';
import { placesOf } from './places.ts';
import { locateRootImage, requiredPackages } from './root-image.ts';
import { formatSubnet, overlap, requestedNetwork } from './subnet.ts';

/** Disk of a lab host with Kubernetes on it, bytes (measured: 1.1 GB), and of the root image. */
const diskOfHost = 1.2e9;
const diskOfImage = 0.4e9;
/** Measured with Kubernetes 1.20: systemd 2, dbus, logind, containerd, kube-proxy 1 each, kubelet 5. */
const inotifyOfHost = 11;
/** f_type of overlayfs (statfs(2)). */
const overlayMagic = 0x794c7630;
/** Programs of {@link requiredPackages}. */
const programs = ['systemd-nspawn', 'mmdebstrap', 'ip', 'unshare', 'nsenter', 'flock', 'setpriv', 'mount'];

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

type Check = Omit<Finding, 'outcome' | 'subject'> & { readonly holds: boolean };

const finding = ({ holds, remedy, ...rest }: Check): Finding => ({
  ...rest,
  subject: 'cluster',
  outcome: holds ? 'passed' : 'failed',
  ...(holds || remedy === undefined ? {} : { remedy }),
});

async function checkTools(): Promise<Check> {
  const missing = [];
  for (const program of programs)
    if (!(await succeeds('/bin/sh', ['-c', 'command -v "$1"', 'sh', program]))) missing.push(program);
  return {
    check: 'LAB-TOOLS',
    severity: 'strict',
    holds: missing.length === 0 && process.getuid?.() === 0,
    saw:
      process.getuid?.() === 0
        ? `missing programs: ${missing.join(', ') || 'none'}`
        : 'the agent does not run as root',
    remedy: `As root: apt-get install --no-install-recommends ${requiredPackages().join(' ')}`,
  };
}

async function checkKernel(settings: LabSettings): Promise<Check> {
  // A module that is not loaded yet is loaded by the first mount of its kind.
  const hasOverlay =
    /\boverlay$/m.test(await readFile('/proc/filesystems', 'utf8')) || (await canLoad('overlay'));
  const hasBridgeFilter = await canFilterBridges();
  const trial = 'ip link add br0 type bridge && ip link add veth0 type veth peer name veth1';
  // In a network namespace that is gone again when the trial ends.
  const hasNetwork = await succeeds('unshare', ['--net', '--mount', '/bin/sh', '-c', trial]);
  return {
    check: 'LAB-KERNEL',
    severity: 'strict',
    holds: hasOverlay && hasNetwork && hasBridgeFilter,
    saw: `cgroup v${settings.groups.version}; overlay ${hasOverlay ? 'yes' : 'no'}; namespaces, bridge and veth ${hasNetwork ? 'yes' : 'no'}; bridge filtering ${hasBridgeFilter ? 'yes' : 'no'}`,
    remedy:
      'Load the modules overlay, bridge, veth and br_netfilter (modprobe), or take a box whose kernel has them.',
  };
}

const nearest = (path: string): string => (existsSync(path) ? path : nearest(dirname(path)));

async function checkDisk(settings: LabSettings, newMachines: number): Promise<Check> {
  const image = await locateRootImage(settings.cacheDirectory);
  const disk = await statfs(nearest(settings.labDirectory));
  const free = disk.bavail * disk.bsize;
  const needed = newMachines * diskOfHost + (image.isBuilt ? 0 : diskOfImage);
  const isOverlay = disk.type === overlayMagic;
  return {
    check: 'LAB-DISK',
    severity: isOverlay ? 'strict' : 'bypassable',
    holds: free >= needed && !isOverlay,
    saw: isOverlay
      ? `${settings.labDirectory} lies on an overlay, on which no second one can be mounted`
      : `${mebibytes(free)} free for ${newMachines} new machines that need about ${mebibytes(needed)}`,
    remedy: 'Point REMUDA_LAB_DIR to a folder on ext4, xfs or btrfs with more space.',
  };
}

/** How many inotify instances root's processes hold; all lab hosts count as root's (inotify(7), max_user_instances). */
async function inotifyInUse(): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const counts = await Promise.all(
    pids.map(async (pid) => {
      const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
      const targets = await Promise.all(
        files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')),
      );
      return targets.filter((target) => target.includes('inotify')).length;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function checkInotify(newMachines: number): Promise<Check> {
  const limit = Number(await readFile('/proc/sys/fs/inotify/max_user_instances', 'utf8'));
  const inUse = await inotifyInUse();
  const needed = newMachines * inotifyOfHost;
  return {
    check: 'LAB-INOTIFY',
    severity: 'bypassable',
    holds: newMachines === 0 || inUse + needed <= limit,
    saw: `${inUse} of root's ${limit} inotify instances are in use; ${newMachines} new machines need about ${needed}`,
    remedy: `Remove other labs, or raise the box's limit yourself: sysctl fs.inotify.max_user_instances=${Math.max(512, 2 * (inUse + needed))}`,
  };
}

async function checkMemory(memory: number): Promise<Check> {
  const available =
    Number(/^MemAvailable:\s+(\d+)/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1]) * 1024;
  return {
    check: 'LAB-MEMORY',
    severity: 'bypassable',
    holds: memory <= available,
    saw: `the new machines may take ${mebibytes(memory)}; the box has ${mebibytes(available)} available`,
    field: 'spec.controlPlane.machine.memory',
    remedy:
      'Ask for less memory or for fewer machines; a lab master works with 1536 MiB, a worker with 512 MiB.',
  };
}

async function checkSubnet(settings: LabSettings, request: CapacityRequest): Promise<Check> {
  const check = { check: 'LAB-SUBNET', severity: 'strict' as const, field: 'spec.nodeNetwork' };
  const lab = placesOf(settings.labDirectory, request.cluster);
  const known = await readLab(lab).catch(() => undefined);
  if (known) return { ...check, holds: true, saw: `the lab stands in ${known.subnet}` };
  if (!request.nodeNetwork) return { ...check, holds: true, saw: 'the lab will choose a free network' };
  try {
    const { subnet } = requestedNetwork(request.nodeNetwork);
    const rival = (await takenSubnets(lab)).find((taken) => overlap(taken, subnet));
    const owner = rival && (await listClaims()).find((claim) => claim.subnet === formatSubnet(rival));
    if (!rival) return { ...check, holds: true, saw: `${formatSubnet(subnet)} is free on this box` };
    const whose = owner ? `the lab in ${owner.folder} has it` : 'this box has a route or address in it';
    return {
      ...check,
      holds: false,
      saw: `${formatSubnet(subnet)} meets ${formatSubnet(rival)}: ${whose}`,
      remedy: 'Name a free network, or leave nodeNetwork out.',
    };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return {
      ...check,
      holds: false,
      saw: error.report.summary,
      ...(error.report.remedy === undefined ? {} : { remedy: error.report.remedy }),
    };
  }
}

/** Whether this box can carry the machines asked for; machines that are there already count no more. Changes nothing. */
export async function checkBox(settings: LabSettings, request: CapacityRequest): Promise<Finding[]> {
  const present = new Set(await machineFolders(placesOf(settings.labDirectory, request.cluster)));
  const wanted = request.machines.filter((machine) => !present.has(machine.name));
  const memory = wanted.reduce((sum, machine) => sum + machine.memory, 0);
  const checks = await Promise.all([
    checkTools(),
    checkKernel(settings),
    checkDisk(settings, wanted.length),
    checkMemory(memory),
    checkInotify(wanted.length),
    checkSubnet(settings, request),
  ]);
  return checks.map(finding);
}
