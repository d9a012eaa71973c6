import { createHash } from 'node:crypto';
import type { BackupManifest, BackupPlace, BackupRequest } from '../../../provisioners/contract/backup.ts';
import type { EtcdSnapshot } from '../../../provisioners/contract/ports/etcd.ts';
import { Blocked, Transient } from '../../../provisioners/contract/problem.ts';
import { changing, reading } from './call.ts';
import type { Fleet } from './fleet.ts';
import { etcdOf } from './etcd-calls.ts';
import type { Through } from './call.ts';

/** A backup as the model keeps it. */
export interface ModelBackup {
  /** Canonical text of the place: nothing is found under another. */
  readonly place: string;
  readonly key: string;
  readonly manifest: BackupManifest;
  /** Base64 of the snapshot. */
  readonly content: string;
}

const sha256 = (content: Buffer | string): Buffer => createHash('sha256').update(content).digest();
const placeOf = ({ cluster, destination }: BackupPlace): string => JSON.stringify([cluster.uid, destination]);

/** @throws Blocked while a fault keeps what backups lie on away */
function requirePlace({ faults, elapsed }: Fleet, { destination: { type } }: BackupPlace): void {
  const isAway = faults
    .of('backups-away')
    .some(({ place, from, to }) => place === type && from <= elapsed && elapsed < to);
  if (!isAway) return;
  throw new Blocked('BACKUP-001', `Nothing is mounted where the model keeps backups (${type}).`, {
    remedy: 'Mount it.',
  });
}

/** Whatever the model's API server holds, in a file of the form of etcd's: sectors of 512 bytes, then their SHA-256. */
function fileOf(text: string): Buffer {
  const length = Math.ceil(Buffer.byteLength(text) / 512) * 512;
  const sectors = Buffer.alloc(length, ' ');
  sectors.write(text);
  return Buffer.concat([sectors, sha256(sectors)]);
}

/** EtcdPort.snapshot and the primitives of BackupPort. */
export const backupCalls = {
  'etcd.snapshot': reading(200, (fleet, { access }: Through) => {
    const cluster = etcdOf(fleet, access);
    const voters = cluster.etcd.voters.filter(({ running }) => running);
    const [member] = voters.sort(
      (a, b) => Number(a.id === cluster.etcd.leader) - Number(b.id === cluster.etcd.leader),
    );
    if (!cluster.etcd.hasQuorum || member === undefined)
      throw new Transient('ETCD-002', 'etcdserver: request timed out');
    const objects = [...cluster.objects.objects.values()];
    return {
      member: member.name,
      etcdVersion: '3.4.13',
      revision: Math.max(0, ...objects.map(({ metadata }) => Number(metadata['resourceVersion'] ?? 0))),
      content: fileOf(JSON.stringify(objects)).toString('base64'),
    };
  }),
  'backup.list': reading(50, (fleet, { at }: { readonly at: BackupPlace }): BackupManifest[] => {
    requirePlace(fleet, at);
    return fleet.backups
      .filter(({ place }) => place === placeOf(at))
      .map(({ manifest }) => manifest)
      .sort((a, b) => (a.id < b.id ? 1 : -1));
  }),
  'backup.find': reading(
    50,
    (fleet, { at, key }: { readonly at: BackupPlace; readonly key: string }): BackupManifest | null => {
      requirePlace(fleet, at);
      return fleet.backups.find((each) => each.place === placeOf(at) && each.key === key)?.manifest ?? null;
    },
  ),
  'backup.open': reading(
    100,
    (fleet, { at, id }: { readonly at: BackupPlace; readonly id: string }): ModelBackup => {
      const found = fleet.backups.find(({ place, manifest }) => place === placeOf(at) && manifest.id === id);
      if (found !== undefined) return found;
      throw new Blocked('BACKUP-008', `There is no backup ${id} of this cluster at the model's store.`, {
        remedy: 'Choose one that is listed.',
      });
    },
  ),
  'backup.put': changing(
    500,
    (
      fleet,
      {
        at,
        request,
        taken,
        content,
      }: {
        readonly at: BackupPlace;
        readonly request: BackupRequest;
        readonly taken: Omit<EtcdSnapshot, 'data'>;
        readonly content: string;
      },
    ): BackupManifest => {
      requirePlace(fleet, at);
      const bytes = Buffer.from(content, 'base64');
      const digits = sha256(`${at.cluster.uid}\n${request.key}`).toString('hex').slice(0, 16);
      const time = `${request.at.replaceAll(/[-:]|\.\d+Z$/g, '')}Z`;
      const { member, etcdVersion, revision } = taken;
      const manifest: BackupManifest = {
        format: 1,
        id: `${time}-${digits}`,
        cluster: at.cluster,
        at: request.at,
        kubernetesVersion: request.kubernetesVersion,
        etcdVersion,
        revision,
        member,
        contains: ['etcd', 'keys'],
        snapshot: { bytes: bytes.length, sha256: sha256(bytes).toString('hex') },
        file: { bytes: bytes.length, sha256: sha256(bytes).toString('hex') },
      };
      fleet.births.push(`backup ${request.key}`);
      fleet.backups.push({ place: placeOf(at), key: request.key, manifest, content });
      return manifest;
    },
  ),
  'backup.remove': changing(50, (fleet, { at, id }: { readonly at: BackupPlace; readonly id: string }) => {
    const index = fleet.backups.findIndex(
      ({ place, manifest }) => place === placeOf(at) && manifest.id === id,
    );
    if (index < 0) return null;
    fleet.backups.splice(index, 1);
    fleet.halfRemovedBackups.add(id);
    return null;
  }),
  'backup.removeFile': changing(50, (fleet, { id }: { readonly at: BackupPlace; readonly id: string }) => {
    fleet.halfRemovedBackups.delete(id);
    return null;
  }),
};
