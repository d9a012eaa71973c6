import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { MachineDeclaration } from '../../contract/preflight.ts';
import { Transient } from '../../contract/problem.ts';
import { machineGroups, makeGroups, processesIn, removeGroups, type CgroupHierarchies } from './cgroups.ts';
import { withBoxLock } from './claim.ts';
import { run, toolEnvironment, waitUntil } from './command.ts';
import { aliasOf } from './network.ts';
import type { LabPlaces, MachinePlaces } from './places.ts';
import { identify, type ProcessIdentity } from './process.ts';
import { readOptional, writeDurably, type LabRecord, type MachineRecord } from './record.ts';
import type { SshKeyPair } from '../../contract/ssh-key.ts';
import { parseAddress, parseSubnet } from './subnet.ts';

/** Everything that says which host is meant and on what ground it stands. */
export interface Host {
  readonly lab: LabPlaces;
  readonly labRecord: LabRecord;
  readonly places: MachinePlaces;
  readonly record: MachineRecord;
  readonly groups: CgroupHierarchies;
}

/** Folders of the box's own file system under a host's root: no overlay on an overlay (containerd), real fsync (etcd). */
const ownDisks = ['containerd', 'kubelet', 'etcd'];

/** Name of the host's port at the bridge: its offset in the subnet, so unique in the lab and short (IFNAMSIZ). */
export const portOf = (labRecord: LabRecord, address: string): string =>
  `m${parseAddress(address) - parseSubnet(labRecord.subnet).first}`;

/** Locally administered address made of the IPv4 address: the same after every boot. */
const macOf = (address: string): string =>
  ['02', '72', ...address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'))].join(':');

/**
 * What the image declares about its ground in /etc/remuda/machine.json, read by the agent into HostFacts.declared and
 * from there by the Kubernetes steps. All of it follows from one kernel being shared by box and hosts:
 * - cgroupDriver: with cgroup v1 a host's systemd does not own the controllers, so the kubelet uses them itself;
 * - restrictOomScoreAdj: no CAP_SYS_RESOURCE, containerd must not lower scores below its own;
 * - conntrackUntouched: the table's size is the box's, kube-proxy must leave it (maxPerCore 0, min 0);
 * - ignorePreflightErrors: kubeadm looks for a kernel configuration that is not there and counts the box's swap.
 */
const declarationFor = (groups: CgroupHierarchies): MachineDeclaration => ({
  cgroupDriver: groups.version === 1 ? 'cgroupfs' : 'systemd',
  restrictOomScoreAdj: true,
  conntrackUntouched: true,
  ignorePreflightErrors: ['SystemVerification', 'Swap'],
});

/** Files a machine is born with, by path in its root: content and mode. */
function birthFiles(host: Host, hostKey: SshKeyPair, authorizedKey: string): [string, string, number][] {
  const { record, labRecord } = host;
  const machineId = createHash('sha256').update(`${host.lab.id} ${record.token}`).digest('hex').slice(0, 32);
  const identity = { lab: labRecord.cluster.name, name: record.name, token: record.token };
  return [
    ['etc/hostname', `${record.name}\n`, 0o644],
    ['etc/machine-id', `${machineId}\n`, 0o444],
    [
      'etc/hosts',
      `127.0.0.1 localhost\n::1 localhost ip6-localhost\n${record.address} ${record.name}\n`,
      0o644,
    ],
    ['etc/resolv.conf', '# The lab has no name server.\n', 0o644],
    ['etc/ssh/ssh_host_ed25519_key', hostKey.private, 0o600],
    ['etc/ssh/ssh_host_ed25519_key.pub', `${hostKey.public}\n`, 0o644],
    ['root/.ssh/authorized_keys', `${authorizedKey.trim()}\n`, 0o600],
    ['etc/remuda/machine.json', `${JSON.stringify(declarationFor(host.groups), undefined, 2)}\n`, 0o644],
    ['etc/remuda/lab.json', `${JSON.stringify(identity, undefined, 2)}\n`, 0o644],
  ];
}

/** Makes the machine's disk anew: an empty layer over the image with what this machine alone has. */
export async function makeDisk(host: Host, hostKey: SshKeyPair, authorizedKey: string): Promise<void> {
  const { folder, upper } = host.places;
  for (const part of ['upper', 'work', 'disk', 'root'])
    await run('rm', ['-rf', '--one-file-system', join(folder, part)]);
  for (const part of ['upper', 'work', 'root', ...ownDisks.map((disk) => join('disk', disk))])
    await mkdir(join(folder, part), { recursive: true });
  // Folders of the upper layer hide the modes of the image's, so they are made as there.
  await mkdir(join(upper, 'root'), { mode: 0o700 });
  await mkdir(join(upper, 'root/.ssh'), { mode: 0o700 });
  await Promise.all(
    birthFiles(host, hostKey, authorizedKey).map(([path, text, mode]) =>
      writeDurably(join(upper, path), text, mode),
    ),
  );
}

/** Starts the supervisor of a host, in a session of its own: it outlives us. Already running is success. */
export async function startHost(host: Host): Promise<ProcessIdentity | undefined> {
  const { lab, labRecord, places, record, groups } = host;
  const entry = await withBoxLock(undefined, () => makeGroups(groups, lab.id, record.name, record.shape));
  const console = await open(places.console, 'a', 0o600);
  try {
    const script = join(import.meta.dirname, 'supervise.sh');
    const [program = '/bin/sh', ...args] = [...entry.prefix, '/bin/sh', script];
    const child = spawn(program, args, {
      cwd: '/',
      detached: true,
      stdio: ['ignore', console.fd, console.fd],
      env: {
        ...toolEnvironment,
        LAB_MACHINE: places.folder,
        LAB_ROOT: record.root,
        LAB_NAME: record.name,
        LAB_LABEL: aliasOf(lab, record.name),
        LAB_CGROUPS: entry.join.join('\n'),
        LAB_UNIFIED: groups.version === 1 ? '' : (groups.mounts[0] ?? ''),
        LAB_BRIDGE: lab.bridge,
        LAB_PORT: portOf(labRecord, record.address),
        LAB_MAC: macOf(record.address),
        LAB_ADDRESS: `${record.address}/${parseSubnet(labRecord.subnet).prefix}`,
        LAB_GATEWAY: labRecord.gateway,
      },
    });
    child.unref();
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    return child.pid === undefined ? undefined : await identify(child.pid);
  } finally {
    await console.close();
  }
}

/** All processes of a host, its supervisor included. */
export const processesOf = (host: Pick<Host, 'groups' | 'lab'>, name: string): Promise<number[]> =>
  processesIn(machineGroups(host.groups, host.lab.id, name));

/** The host's own init: process 1 of a process namespace below the box's (NSpid in proc(5) has two columns then). */
async function findInits(pids: readonly number[]): Promise<number[]> {
  const inits = [];
  for (const pid of pids) {
    const status = (await readOptional(`/proc/${pid}/status`).catch(() => undefined)) ?? '';
    const numbers = /^NSpid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
    // A container's first process in the host has three columns.
    if (numbers.length === 2 && numbers[1] === '1') inits.push(pid);
  }
  return inits;
}

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself: the very thing we want.
  }
};

/**
 * Pulls the plug: kill -9 of the host's init, with which the kernel ends everything in the host; then of whatever is
 * left in its control groups. Returns when no process is left.
 * @throws Transient naming the processes that do not die.
 */
export async function pullPlug(host: Pick<Host, 'groups' | 'lab'>, name: string): Promise<void> {
  // With its init dead nspawn clears up and ends, and so does the supervisor; who does not within 2 s is killed too.
  const patience = performance.now() + 2000;
  const isDead = async (): Promise<boolean> => {
    const pids = await processesOf(host, name);
    const inits = await findInits(pids);
    const mayEndAlone = performance.now() < patience && (await hasNspawn(pids));
    for (const pid of mayEndAlone ? inits : pids) kill(pid);
    return pids.length === 0;
  };
  try {
    await waitUntil(`the end of ${name}`, isDead, { limit: 20_000 });
  } catch (error) {
    const left = await processesOf(host, name);
    throw new Transient('LAB-030', `processes of ${name} do not die: ${left.join(', ')}`, {
      machine: name,
      remedy: `Look at them (ps -o pid,stat,wchan,cmd -p ${left.join(',')}); a process in state D waits for the box's disk.`,
      lastLines: [String(error)],
    });
  }
}

/** Whether nspawn is among them: it ends by itself once its init is dead. */
async function hasNspawn(pids: readonly number[]): Promise<boolean> {
  for (const pid of pids) {
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    if (name.trim() === 'systemd-nspawn') return true;
  }
  return false;
}

/** Ends a host and removes what is left of it on the box: control groups. Card and mounts went with its processes. */
export async function removeHost(host: Pick<Host, 'groups' | 'lab'>, name: string): Promise<void> {
  await pullPlug(host, name);
  await removeGroups(machineGroups(host.groups, host.lab.id, name));
}

/** Whether sshd greets at the address, within a second. */
function greets(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22, timeout: 1000 });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => end(data.toString().startsWith('SSH-')));
    for (const event of ['error', 'timeout', 'close']) socket.once(event, () => end(false));
  });
}

/** How a person looks into a host that nobody can log in to. */
async function wayIn(host: Host): Promise<string> {
  const [init] = await findInits(await processesOf(host, host.record.name));
  return init === undefined
    ? `It does not run; see ${host.places.console}, then create it again.`
    : `Look inside: nsenter --all --target ${init} journalctl --boot`;
}

/**
 * Waits until the host's sshd greets.
 * @throws Transient with the console's last lines when it does not within a minute, or when the host died.
 */
export async function awaitSshd(host: Host, signal?: AbortSignal): Promise<void> {
  const { record, places } = host;
  try {
    await waitUntil(`the greeting of ${record.name}'s sshd`, () => greets(record.address), {
      limit: 60_000,
      every: 50,
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    signal?.throwIfAborted();
    const text = existsSync(places.console) ? await readFile(places.console, 'utf8') : '';
    throw new Transient(
      'LAB-031',
      `${record.name} was started, but its sshd does not answer: ${String(error)}`,
      {
        machine: record.name,
        lastLines: text.trim().split('\n').slice(-10),
        remedy: await wayIn(host),
      },
    );
  }
}
