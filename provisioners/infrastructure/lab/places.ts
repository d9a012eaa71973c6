import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ClusterIdentity } from '../../contract/machine.ts';

/** Claims of subnets and locks; goes with a reboot of the box, as everything else of a running lab does. */
export const runFolder = '/run/remuda-lab';

/** Where a lab keeps what. One lab is one cluster. */
export interface LabPlaces {
  /** Eight hexadecimal digits; the label of everything the lab makes on the box. */
  readonly id: string;
  readonly folder: string;
  readonly record: string;
  /** Network namespace of the lab's bridge, as a file (nsfs mount). */
  readonly bridge: string;
  readonly machines: string;
  readonly addresses: string;
  /** Network card of the box in the lab (at most 15 characters, IFNAMSIZ). */
  readonly card: string;
  readonly lock: string;
}

/** Where a machine keeps what. */
export interface MachinePlaces {
  readonly folder: string;
  readonly record: string;
  /** Upper layer of the root file system. */
  readonly upper: string;
  readonly console: string;
  /** Present while the network cable is pulled. */
  readonly unplugged: string;
  readonly lock: string;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The folder's name carries the cluster's name for people and a part of its uid, so that namesakes do not meet. */
const labFolderName = (cluster: ClusterIdentity): string =>
  `${cluster.name}-${digest(cluster.uid).slice(0, 8)}`;

/** Places of a lab in its folder. The id also depends on the folder: equal names in two state folders do not meet. */
export function placesOfFolder(folder: string): LabPlaces {
  const id = digest(folder).slice(0, 8);
  return {
    id,
    folder,
    record: join(folder, 'lab.json'),
    bridge: join(folder, 'bridge.netns'),
    machines: join(folder, 'machines'),
    addresses: join(folder, 'addresses'),
    card: `rmd${id}`,
    lock: join(runFolder, `${id}.lock`),
  };
}

/** Places of a cluster's lab. */
export const placesOf = (labDirectory: string, cluster: ClusterIdentity): LabPlaces =>
  placesOfFolder(join(labDirectory, labFolderName(cluster)));

/** Places of a machine. */
export function placesOfMachine(lab: LabPlaces, name: string): MachinePlaces {
  const folder = join(lab.machines, name);
  return {
    folder,
    record: join(folder, 'machine.json'),
    upper: join(folder, 'upper'),
    console: join(folder, 'console.log'),
    unplugged: join(folder, 'unplugged'),
    lock: join(lab.folder, 'locks', name),
  };
}
