import { z } from 'zod';
import type { MachineRef } from './machine.ts';
import type { Instant } from './time.ts';

/**
 * Name of one restore on the machines: folders, data that was set aside and the new cluster's token bear it, so that
 * whoever comes again finds what was begun, and two restores never take each other's files for their own.
 */
export const restoreKeySchema = z.string().regex(/^[0-9a-f]{8,32}$/);

/** What a snapshot or a database of etcd holds, as etcd's own tool reads it. */
export interface EtcdDataStatus {
  /** Revision of the newest key in it. */
  readonly revision: number;
  readonly keys: number;
  readonly bytes: number;
}

/** What became of a restore on the machine that holds the data now. */
export interface RestoredData extends EtcdDataStatus {
  readonly at: Instant;
  /**
   * Whether all revisions were raised beyond everything that clients may have seen, and marked as compacted: then
   * whoever watches notices by himself (etcdutl from 3.5.10 on). Else everything that watches is to be started again.
   */
  readonly isBumped: boolean;
}

/** What lies on a master as far as one restore is concerned. */
export interface EtcdDataState {
  /** A data directory is where etcd would start it. */
  readonly hasData: boolean;
  /** Its size, bytes. */
  readonly dataBytes: number;
  /** Free on the file system where etcd's data lies, and where snapshots are laid down, bytes. */
  readonly freeBytes: number;
  /** SHA-256 (hexadecimal) of the snapshot that was laid down whole. */
  readonly snapshot?: string;
  /** Whether the former data was moved aside for this restore, or there was none to move. */
  readonly isSetAside: boolean;
  /** Whether former data lies aside under the name of this restore. */
  readonly hasAside: boolean;
  readonly restored?: RestoredData;
}

/** From what the new data is made. */
export type RestoreSource =
  /** The snapshot that was laid down. */
  | 'snapshot'
  /** The database of the data that was set aside on this very machine. */
  | 'aside';

/**
 * The data of a master's etcd member while its process is stopped. Every call may be repeated, by whomever, at any
 * moment; long ones run on the machine as transient units. Nothing of the former data is ever deleted.
 */
export interface EtcdDataPort {
  look(machine: MachineRef, restore: string): Promise<EtcdDataState>;
  /**
   * Lays a snapshot down beside etcd's data. It counts when `data` came to its end without throwing; a snapshot of the
   * same SHA-256 that is there already is kept.
   */
  place(
    machine: MachineRef,
    restore: string,
    snapshot: { readonly sha256: string; readonly data: AsyncIterable<Uint8Array> },
  ): Promise<void>;
  /** What etcd's own tool says of the snapshot, after checking it. Transient with its words when it does not like it. */
  status(machine: MachineRef, restore: string): Promise<EtcdDataStatus>;
  /**
   * Moves the data directory to where nothing starts it, under the name of the restore; none is success. Where an
   * earlier restore came to nothing after that, what it had set aside is taken over.
   * @throws Blocked while an etcd process runs on it
   */
  setAside(machine: MachineRef, restore: string): Promise<void>;
  /**
   * Makes the data of a new cluster of this one member, with a token and ids of its own: no member of the old cluster
   * is ever taken for one of it. Done already is success.
   * @throws Blocked when data is there that was not set aside
   */
  restore(
    machine: MachineRef,
    restore: string,
    member: { readonly source: RestoreSource; readonly name: string; readonly peerURL: string },
  ): Promise<void>;
}
