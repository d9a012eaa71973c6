import { join } from 'node:path';
import type { BackupPlace } from '../../../provisioners/contract/backup.ts';
import type { ClusterIdentity } from '../../../provisioners/contract/machine.ts';
import type { BackupPort } from '../../../provisioners/contract/ports/backup.ts';
import type { SecretsPort } from '../../../provisioners/contract/ports.ts';
import { Blocked } from '../../../provisioners/contract/problem.ts';
import { BackupArchive } from '../backup/archive.ts';
import type { Destination } from '../backup/destination.ts';
import { FolderDestination } from '../backup/folder.ts';
import { S3Destination } from '../backup/s3.ts';
import { SftpDestination } from '../backup/sftp.ts';
import type { Reach } from '../outgoing/address.ts';
import type { Work } from '../work.ts';

/** What backups are made with. */
export interface BackupOptions {
  readonly work: Work;
  readonly secrets: SecretsPort;
  /** Text of the agent's age identity. */
  readonly identity: string;
  /** The agent's state folder, which lies on the state disk. */
  readonly stateFolder: string;
  readonly reach: Reach;
}

/** Backups as the agent makes them; a destination is opened for each call and closed after it. */
export function createBackupPort(options: BackupOptions): BackupPort {
  const { work, identity } = options;
  const archiveAt = ({ cluster }: BackupPlace, destination: Destination): BackupArchive =>
    new BackupArchive(destination, {
      cluster,
      identity,
      keys: () => sealedKeys(work),
      log: (text) => work.log(text),
      signal: () => work.signal,
    });
  const use = async <Result>(
    place: BackupPlace,
    act: (archive: BackupArchive) => Promise<Result>,
  ): Promise<Result> => {
    const destination = await openDestination(options, place);
    try {
      return await act(archiveAt(place, destination));
    } finally {
      await destination.close();
    }
  };
  return {
    list: (at) => use(at, (archive) => archive.list()),
    find: (at, key) => use(at, (archive) => archive.find(key)),
    take: (at, request, snapshot) => use(at, (archive) => archive.take(request, snapshot)),
    remove: (at, id) => use(at, (archive) => archive.remove(id)),
    open: async (at, id, fileSha256) => {
      const manifest = await use(at, (archive) => archive.known(id));
      // The destination is open as long as the snapshot is read.
      const data = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
        const destination = await openDestination(options, at);
        try {
          yield* archiveAt(at, destination).read(manifest, fileSha256);
        } finally {
          await destination.close();
        }
      };
      return { manifest, data: data() };
    },
  };
}

async function openDestination(options: BackupOptions, place: BackupPlace): Promise<Destination> {
  const { work, secrets, stateFolder, reach } = options;
  const { signal } = work;
  const { cluster, destination: at } = place;
  const folder = folderOf(cluster);
  switch (at.type) {
    case 'stateDisk':
      return FolderDestination.open({ path: join(stateFolder, 'backups'), folder, isOurs: true, signal });
    case 'path':
      return FolderDestination.open({ path: at.path, folder, mustBeMounted: at.mustBeMounted, signal });
    case 'ssh': {
      const privateKey = await secrets.value(at.credentials.secretRef, 'privateKey');
      return SftpDestination.open({ server: at, privateKey, folder, reach, signal });
    }
    default: {
      const { secretRef } = at.credentials;
      const credentials = {
        accessKeyId: await secrets.value(secretRef, 'accessKeyId'),
        secretAccessKey: await secrets.value(secretRef, 'secretAccessKey'),
      };
      return S3Destination.open({ bucket: at, credentials, folder, reach, signal });
    }
  }
}

/** The cluster's folder is named by its uid. @throws Error for a uid that could lead out of the destination. */
function folderOf({ uid }: ClusterIdentity): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(uid))
    throw new Error('the uid of the cluster is no name of a folder');
  return uid;
}

/** @throws Blocked BACKUP-007: without its keys a cluster that was lost cannot be made again as itself. */
function sealedKeys({ context }: Work): string {
  if (context.keys !== undefined) return context.keys;
  throw new Blocked('BACKUP-007', `The sealed keys of ${context.cluster.name} did not come with the work.`, {
    remedy: 'Plan the operation again; if it happens again, report it.',
  });
}
