import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MachineShape } from '../../contract/machine.ts';
import { waitUntil } from './command.ts';

/** The box's control groups. */
export interface CgroupHierarchies {
  readonly version: 1 | 2;
  /** Mount points in which every lab host gets a folder of its own: one with v2, one a controller with v1. */
  readonly mounts: readonly string[];
  /** With v2 under systemd the folders belong to systemd, which is asked for a delegated scope. */
  readonly isSystemds: boolean;
}

const top = 'remuda-lab';

/** Finds out how this box groups processes. @throws Error when it does not at all. */
export async function detectCgroups(): Promise<CgroupHierarchies> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const mounts = lines.flatMap((line) => {
    const fields = line.split(' ');
    const type = fields[fields.indexOf('-') + 1];
    const mount = fields[4];
    return mount !== undefined && (type === 'cgroup' || type === 'cgroup2') ? [{ type, mount }] : [];
  });
  if (mounts.length === 0) throw new Error('no cgroup file system is mounted on this box');
  // A box with any v1 controller is a v1 box: its cgroup2 mount ("unified") then has no controllers.
  const version = mounts.some(({ type }) => type === 'cgroup') ? 1 : 2;
  return {
    version,
    mounts: mounts.map(({ mount }) => mount),
    isSystemds: version === 2 && existsSync('/run/systemd/system'),
  };
}

const hex = /^[0-9a-f]{8}$/;

/** systemd's unit for a host, v2 only. Dashes of a slice's name are its path (systemd.slice(5)). */
const sliceOf = (lab: string): string => `remuda-lab-${lab}.slice`;
const scopeOf = (lab: string, machine: string): string => `remuda-lab-${lab}-${machine}.scope`;

/** Folders of all of a lab's control groups, whether or not they exist. */
export const labGroups = (groups: CgroupHierarchies, lab: string): string[] =>
  groups.mounts.map((mount) =>
    groups.isSystemds ? join(mount, 'remuda.slice', 'remuda-lab.slice', sliceOf(lab)) : join(mount, top, lab),
  );

/** Folders of a machine's control groups, whether or not they exist. */
export const machineGroups = (groups: CgroupHierarchies, lab: string, machine: string): string[] =>
  labGroups(groups, lab).map((folder) => join(folder, groups.isSystemds ? scopeOf(lab, machine) : machine));

/** Ids of the labs that have control groups on this box, whoever made them. */
export async function labsWithGroups(groups: CgroupHierarchies): Promise<string[]> {
  const found = new Set<string>();
  for (const mount of groups.mounts) {
    const folder = groups.isSystemds ? join(mount, 'remuda.slice', 'remuda-lab.slice') : join(mount, top);
    for (const name of await readdir(folder).catch(() => [])) {
      const id = name.replace(/^remuda-lab-/, '').replace(/\.slice$/, '');
      if (hex.test(id)) found.add(id);
    }
  }
  return [...found];
}

/** Kernel values for a machine: memory is a limit, processors a weight (the box may have fewer than are asked for). */
const limitsOf = (version: 1 | 2, shape: MachineShape): [string, string][] =>
  version === 1
    ? [
        ['memory.limit_in_bytes', String(shape.memory)],
        ['cpu.shares', String(1024 * shape.cpus)],
      ]
    : [
        ['memory.max', String(shape.memory)],
        ['cpu.weight', String(Math.min(10_000, 100 * shape.cpus))],
      ];

/** A v1 cpuset starts empty and takes no process until it has processors and memory nodes (cpuset(7)). */
async function seedCpuset(folder: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems'])
    await writeFile(join(folder, file), await readFile(join(folder, '..', file), 'utf8'));
  await writeFile(join(folder, 'cgroup.clone_children'), '1');
}

/** v2 controllers a host's systemd and kubelet need. */
const delegated = new Set(['cpu', 'cpuset', 'io', 'memory', 'pids']);

async function makeGroup(mount: string, path: readonly string[], version: 1 | 2): Promise<string> {
  let folder = mount;
  for (const name of path) {
    if (version === 2) {
      const available = (await readFile(join(folder, 'cgroup.controllers'), 'utf8')).split(/\s+/);
      const wanted = available.filter((controller) => delegated.has(controller));
      await writeFile(
        join(folder, 'cgroup.subtree_control'),
        wanted.map((controller) => `+${controller}`).join(' '),
      );
    }
    folder = join(folder, name);
    await mkdir(folder, { recursive: true });
    if (version === 1 && existsSync(join(folder, 'cpuset.cpus'))) await seedCpuset(folder);
  }
  return folder;
}

/** How the supervisor of a machine gets into the machine's control groups. */
export interface GroupEntry {
  /** Folders whose cgroup.procs it writes itself into. */
  readonly join: readonly string[];
  /** Words to put before its command line. */
  readonly prefix: readonly string[];
}

/** Makes the control groups of a machine with its limits; may be repeated. */
export async function makeGroups(
  groups: CgroupHierarchies,
  lab: string,
  machine: string,
  shape: MachineShape,
): Promise<GroupEntry> {
  const limits = limitsOf(groups.version, shape);
  if (groups.isSystemds) {
    const properties = ['Delegate=yes', `MemoryMax=${shape.memory}`, `CPUWeight=${100 * shape.cpus}`];
    const options = properties.map((property) => `--property=${property}`);
    const unit = [`--slice=${sliceOf(lab)}`, `--unit=${scopeOf(lab, machine)}`];
    return {
      join: [],
      prefix: ['systemd-run', '--scope', '--quiet', '--collect', ...unit, ...options, '--'],
    };
  }
  const folders = [];
  for (const mount of groups.mounts) {
    const unified = existsSync(join(mount, 'cgroup.controllers'));
    const folder = await makeGroup(mount, [top, lab, machine], unified ? 2 : 1);
    for (const [file, value] of limits) {
      const path = join(folder, file);
      if (existsSync(path)) await writeFile(path, value);
    }
    folders.push(folder);
  }
  return { join: folders, prefix: [] };
}

async function subfolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => subfolders(join(folder, entry.name))),
  );
  return [...below.flat(), folder];
}

/** All processes in these control groups and below. A member cannot leave: it sees nothing above its own group. */
export async function processesIn(folders: readonly string[]): Promise<number[]> {
  const found = new Set<number>();
  for (const folder of folders)
    for (const group of await subfolders(folder)) {
      const text = await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => '');
      for (const line of text.split('\n')) if (Number(line) > 0) found.add(Number(line));
    }
  return [...found];
}

/** Removes control groups with everything below; missing counts as done. They must be empty of processes. */
export async function removeGroups(folders: readonly string[]): Promise<void> {
  const isGone = async (): Promise<boolean> => {
    for (const folder of folders)
      for (const group of await subfolders(folder)) await rmdir(group).catch(() => undefined);
    return folders.every((folder) => !existsSync(folder));
  };
  // The kernel frees a group some moments after its last process: EBUSY until then.
  await waitUntil(`the removal of ${folders[0]}`, isGone, { limit: 10_000 });
}

/** Removes the folder above all labs' control groups when no lab is left in it. */
export async function removeTopGroup(groups: CgroupHierarchies): Promise<void> {
  if (groups.isSystemds) return;
  for (const mount of groups.mounts) await rmdir(join(mount, top)).catch(() => undefined);
}
