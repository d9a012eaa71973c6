import { createHash } from 'node:crypto';
import {
  type EtcdDataState,
  type EtcdDataStatus,
  type RestoredData,
  restoreKeySchema,
  type RestoreSource,
} from '../../../provisioners/contract/etcd-data.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import { Blocked, Transient } from '../../../provisioners/contract/problem.ts';
import { changing, connect, connectToChange, reading } from './call.ts';
import { paths, type ModelCluster } from './cluster.ts';
import { ModelEtcd } from './etcd.ts';
import type { Fleet } from './fleet.ts';
import type { StoredObject } from './kubernetes.ts';
import type { ModelMachine } from './machine.ts';

interface OfRestore {
  readonly machine: MachineRef;
  readonly restore: string;
}

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** Where a restore keeps its files on a machine of the model. */
const filesOf = (restore: string) => {
  const folder = `/var/lib/remuda/restore/${restoreKeySchema.parse(restore)}`;
  return {
    snapshot: `${folder}/snapshot.db`,
    aside: `${folder}/etcd/member`,
    isSetAside: `${folder}/aside`,
    restored: `${folder}/restored`,
  };
};

const write = (machine: ModelMachine, path: string, content: string): void => {
  machine.files.set(path, { content, mode: 0o600 });
};

/** Data that an earlier restore set aside before it came to nothing. */
const unfinishedAside = (machine: ModelMachine): string | undefined =>
  [...machine.files.keys()].find(
    (path) =>
      /^\/var\/lib\/remuda\/restore\/[^/]+\/etcd\/member$/.test(path) &&
      !machine.files.has(path.replace('etcd/member', 'restored')),
  );

/** The objects in a snapshot of the model: text in sectors, and its SHA-256 (backup-calls.ts). */
function objectsIn(content: string, machine: ModelMachine): StoredObject[] {
  const bytes = Buffer.from(content, 'base64');
  const digest = createHash('sha256').update(bytes.subarray(0, -32)).digest();
  if (!digest.equals(bytes.subarray(-32)))
    throw new Transient('UNIT-001', `Error: expected sha256, got another on ${machine.name}`);
  return JSON.parse(bytes.subarray(0, -32).toString('utf8').trim()) as StoredObject[];
}

function statusOf(objects: readonly StoredObject[]): EtcdDataStatus {
  const revision = Math.max(0, ...objects.map(({ metadata }) => Number(metadata['resourceVersion'] ?? 0)));
  return { revision, keys: objects.length, bytes: JSON.stringify(objects).length };
}

function stateOf(machine: ModelMachine, restore: string): EtcdDataState {
  const files = filesOf(restore);
  const snapshot = machine.files.get(files.snapshot)?.content;
  const restored = machine.files.get(files.restored)?.content;
  return {
    hasData: machine.files.has(paths.etcdData),
    dataBytes: machine.files.has(paths.etcdData) ? 4096 : 0,
    freeBytes: machine.diskFull ? 0 : 60 * 1024 ** 3,
    isSetAside: machine.files.has(files.isSetAside),
    hasAside: machine.files.has(files.aside),
    ...(snapshot === undefined ? {} : { snapshot: sha256(Buffer.from(snapshot, 'base64')) }),
    ...(restored === undefined ? {} : { restored: JSON.parse(restored) as RestoredData }),
  };
}

/** What must not be: somebody still serves what is being replaced. */
function accuseOfTwo(fleet: Fleet, cluster: ModelCluster, machine: ModelMachine): void {
  fleet.refresh(cluster, undefined);
  const running = cluster.etcd.members.filter((member) => member.running).map((member) => member.machine);
  if (running.length > 0)
    fleet.violate(
      'two-etcd-clusters',
      `restored on ${machine.name} while etcd runs on ${running.join(', ')}`,
    );
}

/** EtcdDataPort's primitives. */
export const etcdDataCalls = {
  'etcdData.look': reading(60, (fleet, { machine, restore }: OfRestore) =>
    stateOf(connect(fleet, machine), restore),
  ),
  'etcdData.place': changing(500, (fleet, given: OfRestore & { readonly content: string }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    fleet.needSpace(machine);
    write(machine, filesOf(given.restore).snapshot, given.content);
    fleet.changed('etcdData.place', machine.name, by);
    return null;
  }),
  'etcdData.status': reading(300, (fleet, { machine: reference, restore }: OfRestore) => {
    const machine = connect(fleet, reference);
    return statusOf(objectsIn(machine.files.get(filesOf(restore).snapshot)?.content ?? '', machine));
  }),
  'etcdData.setAside': changing(300, (fleet, given: OfRestore, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    const files = filesOf(given.restore);
    const cluster = fleet.clusterOf(machine);
    fleet.refresh(cluster, undefined);
    if (machine.files.has(files.isSetAside)) return null;
    if (cluster.etcd.byMachine(machine.name)?.running === true)
      throw new Blocked('RESTORE-002', `etcd still runs on ${machine.name}: its data is not touched`, {
        machine: machine.name,
        remedy: 'See why it does not end.',
      });
    const data = machine.files.get(paths.etcdData);
    const earlier = data === undefined ? unfinishedAside(machine) : undefined;
    const former = data ?? (earlier === undefined ? undefined : machine.files.get(earlier));
    if (earlier !== undefined) machine.files.delete(earlier);
    if (former !== undefined) machine.files.set(files.aside, former);
    machine.files.delete(paths.etcdData);
    write(machine, files.isSetAside, '');
    fleet.changed('etcdData.setAside', machine.name, by);
    return null;
  }),
  'etcdData.restore': changing(
    800,
    (fleet, given: OfRestore & { readonly source: RestoreSource; readonly name: string }, by) => {
      const machine = connectToChange(fleet, given.machine, by);
      const files = filesOf(given.restore);
      if (machine.files.has(files.restored)) return null;
      if (!machine.files.has(files.isSetAside))
        throw new Blocked('RESTORE-001', `etcd's data on ${machine.name} was not set aside before`, {
          machine: machine.name,
          remedy: 'Plan again.',
        });
      const cluster = fleet.clusterOf(machine);
      accuseOfTwo(fleet, cluster, machine);
      if (given.source === 'aside' && !machine.files.has(files.aside))
        throw new Transient('UNIT-001', 'Error: stat db: no such file or directory');
      const current = [...cluster.objects.objects.values()];
      const snapshot = machine.files.get(files.snapshot)?.content ?? '';
      const objects = given.source === 'aside' ? current : objectsIn(snapshot, machine);
      cluster.formerEtcds.push(cluster.etcd);
      cluster.etcd = new ModelEtcd(cluster.etcd.everAdded);
      cluster.etcd.leader = undefined;
      const member = cluster.etcd.bootstrap(machine.name, machine.address);
      write(machine, paths.etcdData, member.id);
      cluster.objects.replaceAll(objects);
      const at = new Date(fleet.now).toISOString();
      const restored: RestoredData = { at, isBumped: false, ...statusOf(objects) };
      write(machine, files.restored, JSON.stringify(restored));
      fleet.births.push(`etcd restored ${machine.name}`);
      fleet.changed('etcdData.restore', machine.name, by);
      return null;
    },
  ),
};
