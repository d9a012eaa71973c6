import type { BackupManifest, BackupPlace, BackupRequest } from '../backup.ts';
import type { EtcdSnapshot } from './etcd.ts';

/** Backups of a cluster, encrypted, outside of it. Files of other clusters are never touched. */
export interface BackupPort {
  /** Finished backups, newest first. Blocked or Transient when the destination cannot be used just now. */
  list(at: BackupPlace): Promise<readonly BackupManifest[]>;
  /** The finished backup that was made under this key. */
  find(at: BackupPlace, key: string): Promise<BackupManifest | undefined>;
  /**
   * Writes a snapshot and the cluster's sealed keys, reads back what was written, opens and compares it, and only then
   * counts it as a backup. Whatever goes wrong leaves nothing that looks like one. A finished one under the same key is
   * returned as it is.
   */
  take(
    at: BackupPlace,
    request: BackupRequest,
    snapshot: () => Promise<EtcdSnapshot>,
  ): Promise<BackupManifest>;
  /** Removes a backup; one that is gone is success. */
  remove(at: BackupPlace, id: string): Promise<void>;
  /**
   * Opens a backup and gives its snapshot, to be read once. It throws at its end when the encrypted file is not the one
   * with this SHA-256 (UserProblem: another is to be chosen), or the snapshot in it is not whole: what was read before is worth nothing then.
   */
  open(at: BackupPlace, id: string, fileSha256: string): Promise<OpenedBackup>;
}

/** A backup that is being read. */
export interface OpenedBackup {
  readonly manifest: BackupManifest;
  readonly data: AsyncIterable<Uint8Array>;
}
