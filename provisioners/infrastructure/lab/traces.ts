import { existsSync } from 'node:fs';
import { readFile, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LedgerEntry } from '../../contract/provider.ts';
import {
  labGroups,
  labsWithGroups,
  processesIn,
  removeGroups,
  removeTopGroup,
  type CgroupHierarchies,
} from './cgroups.ts';
import { listClaims, releaseSubnet, withBoxLock } from './claim.ts';
import { run, waitUntil } from './command.ts';
import { hasCard, listCards, listRoutes, removeNetwork } from './network.ts';
import { placesOfFolder, runFolder, type LabPlaces } from './places.ts';
import { labRecordSchema, readRecord } from './record.ts';

/** Everything of one lab that can be seen on the box, found by label and not by what a record says. */
interface Traces {
  readonly processes: readonly number[];
  readonly groups: readonly string[];
  readonly mounts: readonly string[];
  readonly cards: readonly string[];
  readonly subnets: readonly string[];
  readonly routes: readonly string[];
  readonly machines: readonly string[];
  readonly folders: readonly string[];
}

const mountsBelow = async (folder: string): Promise<string[]> =>
  (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .filter((mount) => mount.startsWith(`${folder}/`));

async function lookFor(lab: LabPlaces, groups: CgroupHierarchies): Promise<Traces> {
  const folders = labGroups(groups, lab.id).filter((folder) => existsSync(folder));
  const claims = (await listClaims()).filter((claim) => claim.id === lab.id).map((claim) => claim.subnet);
  const record = await readRecord(lab.record, labRecordSchema).catch(() => undefined);
  // A record only says which subnet it wanted: without the claim the subnet may be another lab's by now.
  const isOwn =
    record && !(await listClaims()).some((claim) => claim.subnet === record.subnet && claim.id !== lab.id);
  const subnets = [...new Set([...claims, ...(isOwn ? [record.subnet] : [])])];
  const routes = await listRoutes();
  return {
    processes: await processesIn(folders),
    groups: folders,
    mounts: await mountsBelow(lab.folder),
    cards: hasCard(lab.card) ? [lab.card] : [],
    subnets: claims,
    routes: subnets.filter((subnet) => routes.includes(subnet)),
    machines: await readdir(lab.machines).catch(() => []),
    folders: existsSync(lab.folder) ? [lab.folder] : [],
  };
}

/** The ledger of a lab: one entry for each thing of it that exists on the box. */
export async function listTraces(
  lab: LabPlaces,
  groups: CgroupHierarchies,
  cluster?: string,
): Promise<LedgerEntry[]> {
  const traces = await lookFor(lab, groups);
  const entries = (type: string, ids: readonly (string | number)[], name = lab.folder): LedgerEntry[] =>
    ids.map((id) => ({ type, id: String(id), name, ...(cluster === undefined ? {} : { cluster }) }));
  return [
    ...traces.machines.flatMap((name) => entries('machine', [join(lab.machines, name)], name)),
    ...entries('process', traces.processes),
    ...entries('control group', traces.groups),
    ...entries('mount', traces.mounts),
    ...entries('network card', traces.cards),
    ...entries('route', traces.routes),
    ...entries('subnet', traces.subnets),
    ...entries('folder', traces.folders),
  ];
}

/**
 * Removes everything of a lab from the box, by label, also when its records are torn or gone; missing counts as done.
 * Processes first, the route just before the claim, the folder last.
 */
export async function removeTraces(lab: LabPlaces, groups: CgroupHierarchies): Promise<void> {
  const folders = labGroups(groups, lab.id);
  const areDead = async (): Promise<boolean> => {
    const pids = await processesIn(folders);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself between looking and killing.
      }
    }
    return pids.length === 0;
  };
  await waitUntil(`the end of the processes of ${lab.folder}`, areDead, { limit: 20_000 });
  await removeGroups(folders);
  const { routes, subnets } = await lookFor(lab, groups);
  await removeNetwork(lab.card, lab.bridge, routes);
  for (const mount of (await mountsBelow(lab.folder)).reverse()) await run('umount', [mount]);
  for (const subnet of subnets) await releaseSubnet(lab.id, subnet);
  if (existsSync(lab.folder)) await removeFolder(lab.folder, 'lab.json');
  await rm(lab.lock, { force: true });
}

/** Removes a folder, its record last, so that a removal that is cut off can be found and finished. */
export async function removeFolder(folder: string, record: string): Promise<void> {
  const rest = (await readdir(folder)).filter((part) => part !== record).map((part) => join(folder, part));
  if (rest.length > 0) await run('rm', ['-rf', '--one-file-system', ...rest], { timeout: 600_000 });
  await rm(folder, { recursive: true, force: true });
}

/** Removes what all labs of the box have in common, once there is none. */
export async function tidyBox({
  groups,
  labDirectory,
}: {
  groups: CgroupHierarchies;
  labDirectory: string;
}): Promise<void> {
  await rmdir(labDirectory).catch(() => undefined);
  await withBoxLock(undefined, async () => {
    await removeTopGroup(groups);
    const rest = (await readdir(runFolder)).filter((name) => name !== 'box.lock');
    if (rest.length > 0) return;
    await rm(join(runFolder, 'box.lock'), { force: true });
    await rmdir(runFolder).catch(() => undefined);
  });
}

/**
 * Labs of which something is on the box but no record any more (their folder was removed by hand, or a removal died
 * just before its end). Labs of other state folders that have their records are none of these.
 */
export async function findStrays(groups: CgroupHierarchies): Promise<LabPlaces[]> {
  const folderOf = new Map<string, string | undefined>();
  for (const id of await labsWithGroups(groups)) folderOf.set(id, undefined);
  for (const { card, folder } of await listCards()) folderOf.set(card.slice('rmd'.length), folder);
  for (const claim of await listClaims()) folderOf.set(claim.id, claim.folder);
  return [...folderOf].flatMap(([id, folder]) => {
    if (folder !== undefined && existsSync(join(folder, 'lab.json'))) return [];
    // Nobody knows the folder any more: a path that cannot exist stands for it, so that nothing there is touched.
    return [
      {
        ...placesOfFolder(folder ?? `/proc/remuda-lab-${id}`),
        id,
        card: `rmd${id}`,
        lock: join(runFolder, `${id}.lock`),
      },
    ];
  });
}
