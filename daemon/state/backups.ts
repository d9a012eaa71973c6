import type Database from 'better-sqlite3';
import { type BackupDestination, backupDestinationSchema } from '../../provisioners/contract/backup.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { z } from 'zod';

/** What the journal says of a backup that was made here: the receipt of its step. */
export interface BackupReceipt {
  /** As it is called at its destination. */
  readonly id: string;
  readonly destination: BackupDestination;
  /** SHA-256 of the encrypted file as it was written and read back, hexadecimal. */
  readonly fileSha256: string;
  /** Of the snapshot in it, hexadecimal. */
  readonly sha256: string;
  /** Of the snapshot. */
  readonly bytes: number;
  /** Every write up to this revision of etcd is in it. */
  readonly revision: number;
  /** Member of etcd that gave it. */
  readonly member: string;
  /** With the `v`. */
  readonly kubernetesVersion: string;
  /** When it was finished. */
  readonly at: Instant;
  /** Id of the operation that made it. */
  readonly operation: string;
}

const inputSchema = z.object({ destination: backupDestinationSchema, kubernetesVersion: z.string() });
const factsSchema = z.object({
  id: z.string(),
  fileSha256: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  revision: z.int(),
  member: z.string(),
});

interface Row {
  readonly operation: string;
  readonly input: string;
  readonly facts: string;
  readonly ended_at: string;
}

/** Kind of the step whose receipts these are. */
const kind = 'etcd.snapshot';

/**
 * Backups as the journal knows them: what the agent answered once the file was written, opened and compared. This is the
 * one place to ask what a backup has to be like. Whatever lies at a destination may have been put there or changed by
 * anybody who can write there: `backup list` says so, and a restore hands the digest from here to the agent, which
 * compares the file with it before anything of it is used. Read from the receipts of the steps; nothing is kept twice.
 */
export class Backups {
  readonly #list: Database.Statement<[string, string, number], Row>;
  readonly #find: Database.Statement<[string, string, string], Row>;
  readonly #newest: Database.Statement<[string, string], { readonly at: string | null }>;

  constructor(database: Database.Database) {
    const receipts = `FROM operations JOIN attempts ON attempts.operation = operations.id
      WHERE operations.cluster = ? AND attempts.kind = ? AND attempts.outcome ->> 'state' = 'succeeded'`;
    const columns = `SELECT attempts.operation, attempts.input, attempts.outcome ->> 'facts' AS facts, attempts.ended_at`;
    this.#list = database.prepare(`${columns} ${receipts} ORDER BY attempts.ended_at DESC LIMIT ?`);
    this.#find = database.prepare(
      `${columns} ${receipts} AND attempts.outcome -> 'facts' ->> 'id' = ? ORDER BY attempts.ended_at LIMIT 1`,
    );
    this.#newest = database.prepare(
      `SELECT max(attempts.ended_at) AS at ${receipts} AND NOT EXISTS (SELECT 1 FROM backup_removals
         WHERE backup_removals.cluster = operations.cluster
           AND backup_removals.backup = attempts.outcome -> 'facts' ->> 'id')`,
    );
  }

  /** Backups of a cluster (uid) that were made here, wherever they went, newest first; also those removed since. */
  list(cluster: string, limit: number): readonly BackupReceipt[] {
    return this.#list.all(cluster, kind, limit).flatMap((row) => receiptOf(row) ?? []);
  }

  /** The backup of this id; undefined when this journal never made it: then nothing is known of what it should be. */
  find(cluster: string, id: string): BackupReceipt | undefined {
    const row = this.#find.get(cluster, kind, id);
    return row && receiptOf(row);
  }

  /** When the newest backup of a cluster (uid) was finished that nobody had removed by hand. */
  lastSuccess(cluster: string): Instant | undefined {
    return this.#newest.get(cluster, kind)?.at ?? undefined;
  }
}

/** Undefined where the agent could not read any more what it had written: then nothing is known of that backup. */
function receiptOf(row: Row): BackupReceipt | undefined {
  const { destination, kubernetesVersion } = inputSchema.parse(JSON.parse(row.input));
  const facts = factsSchema.safeParse(JSON.parse(row.facts)).data;
  return facts && { ...facts, destination, kubernetesVersion, at: row.ended_at, operation: row.operation };
}
