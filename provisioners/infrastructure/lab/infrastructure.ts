import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterIdentity } from '../../contract/machine.ts';
import { Blocked, UserProblem } from '../../contract/problem.ts';
import type { InfrastructureProvider, NodeNetwork } from '../../contract/provider.ts';
import type { CgroupHierarchies } from './cgroups.ts';
import { claimSubnet, listClaims, releaseSubnet, takenSubnets, withBoxLock } from './claim.ts';
import { withLock } from './lock.ts';
import { makeNetwork, missingOfNetwork } from './network.ts';
import { placesOf, placesOfFolder, type LabPlaces } from './places.ts';
import { labRecordSchema, readRecord, writeRecord, type LabRecord } from './record.ts';
import { requireOwn } from './released.ts';
import { buildRootImage, locateRootImage, type OnProgress } from './root-image.ts';
import { chooseNetwork, formatSubnet, overlap, requestedNetwork, type LabNetwork } from './subnet.ts';
import { removeTraces, tidyBox } from './traces.ts';

/** Folders a provider works in, and its voice. */
export interface LabSettings {
  /** Records and disks of labs. */
  readonly labDirectory: string;
  /** Root images. */
  readonly cacheDirectory: string;
  readonly groups: CgroupHierarchies;
  readonly onProgress: OnProgress;
}

/** The lab's record, or undefined when there is no such lab. */
export const readLab = (lab: LabPlaces): Promise<LabRecord | undefined> =>
  readRecord(lab.record, labRecordSchema);

/** Records of all labs in the state folder; a torn record is left out (its lab is still found by label). */
export async function listLabs({ labDirectory }: Pick<LabSettings, 'labDirectory'>): Promise<LabRecord[]> {
  const folders = (await readdir(labDirectory).catch(() => [])).sort();
  const read = folders.map((name) =>
    readLab(placesOfFolder(join(labDirectory, name))).catch(() => undefined),
  );
  return (await Promise.all(read)).filter((record) => record !== undefined);
}

/** Names of the folders below `machines`. */
export const machineFolders = (lab: LabPlaces): Promise<string[]> => readdir(lab.machines).catch(() => []);

/** A lab's ground: root image, bridge, the box's card in it, and the route that keeps its packets on the box. */
export class LabInfrastructure implements InfrastructureProvider {
  readonly #settings: LabSettings;

  constructor(settings: LabSettings) {
    this.#settings = settings;
  }

  async observe(
    cluster: ClusterIdentity,
    network: NodeNetwork | undefined,
  ): Promise<{ state: 'absent' | 'present' | 'partial'; detail: string }> {
    const lab = placesOf(this.#settings.labDirectory, cluster);
    const record = await readLab(lab);
    if (!record) return { state: 'absent', detail: `no lab at ${lab.folder}` };
    const image = await locateRootImage(this.#settings.cacheDirectory);
    const missing = await missingOfNetwork(lab, record);
    if (!image.isBuilt) missing.push('the root image');
    if (record.state !== 'present') missing.push(`the end of ${record.state}`);
    if (network && formatSubnet(requestedNetwork(network).subnet) !== record.subnet)
      missing.push(`the subnet of nodeNetwork (the lab has ${record.subnet})`);
    if (missing.length > 0) return { state: 'partial', detail: `missing: ${missing.join(', ')}` };
    return { state: 'present', detail: `bridge on ${record.subnet}, the box is ${record.gateway}` };
  }

  async prepare(
    cluster: ClusterIdentity,
    network: NodeNetwork | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { labDirectory, cacheDirectory, onProgress } = this.#settings;
    const lab = placesOf(labDirectory, cluster);
    await buildRootImage(cacheDirectory, onProgress, signal);
    await withLock(lab.lock, signal, async () => {
      const known = await readLab(lab);
      requireOwn(known);
      const record = await this.#settle(lab, cluster, network, known);
      await makeNetwork(lab, record);
      await mkdir(lab.machines, { recursive: true });
      await mkdir(lab.addresses, { recursive: true });
      if (record.state !== 'present') await writeRecord(lab.record, { ...record, state: 'present' });
    });
  }

  /** Finds or chooses the lab's subnet, claims it, and writes the record: all before anything is made. */
  async #settle(
    lab: LabPlaces,
    cluster: ClusterIdentity,
    network: NodeNetwork | undefined,
    known: LabRecord | undefined,
  ): Promise<LabRecord> {
    return withBoxLock(undefined, async () => {
      const wanted = network && requestedNetwork(network);
      if (known && wanted && formatSubnet(wanted.subnet) !== known.subnet)
        throw new UserProblem('LAB-014', `the lab of ${cluster.name} already stands in ${known.subnet}`, {
          place: { field: 'spec.nodeNetwork' },
          value: formatSubnet(wanted.subnet),
          remedy: 'A lab keeps its subnet; delete the cluster to move it.',
        });
      const taken = await takenSubnets(lab);
      const chosen: LabNetwork = known
        ? { ...chosenOf(known) }
        : (wanted ?? chooseNetwork(taken, Number.parseInt(lab.id, 16)));
      const subnet = formatSubnet(chosen.subnet);
      const rival = await claimSubnet(lab, subnet);
      if (rival || (!known && taken.some((other) => overlap(other, chosen.subnet)))) {
        if (!rival) await releaseSubnet(lab.id, subnet);
        throw new UserProblem(
          'LAB-015',
          `${subnet} is used already: ${rival ? `by the lab in ${rival.folder}` : 'this box has a route into it'}`,
          {
            place: { field: 'spec.nodeNetwork' },
            value: subnet,
            remedy: 'Name a free network, or leave nodeNetwork out: the lab then chooses one.',
          },
        );
      }
      // A run that died before its record was written may have claimed another one.
      for (const claim of await listClaims())
        if (claim.id === lab.id && claim.subnet !== subnet) await releaseSubnet(lab.id, claim.subnet);
      const { gateway, ranges } = chosen;
      const record: LabRecord = known ?? {
        version: 1,
        id: lab.id,
        cluster,
        state: 'creating',
        subnet,
        gateway,
        ranges: [...ranges],
      };
      await writeRecord(lab.record, record);
      return record;
    });
  }

  async remove(cluster: ClusterIdentity, signal: AbortSignal): Promise<void> {
    const lab = placesOf(this.#settings.labDirectory, cluster);
    await removeLab(lab, this.#settings, signal);
  }
}

const chosenOf = (record: LabRecord): LabNetwork =>
  requestedNetwork({
    ranges: [...record.ranges],
    prefix: Number(record.subnet.split('/')[1]),
    gateway: record.gateway,
    dns: [],
    ntp: [],
  });

/**
 * Removes a lab that has no machines any more; missing counts as done.
 * @throws Blocked when machines are left: a network is never pulled away under them.
 */
async function removeLab(lab: LabPlaces, settings: LabSettings, signal: AbortSignal): Promise<void> {
  const machines = await machineFolders(lab);
  if (machines.length > 0)
    throw new Blocked('LAB-016', `the lab in ${lab.folder} still has machines: ${machines.join(', ')}`, {
      remedy: 'Destroy the machines first; the network goes after them.',
    });
  await withLock(lab.lock, signal, async () => {
    const record = await readLab(lab);
    requireOwn(record);
    if (record) await writeRecord(lab.record, { ...record, state: 'removing' });
    await removeTraces(lab, settings.groups);
  });
  await tidyBox(settings);
}
