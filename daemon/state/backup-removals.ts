import type Database from 'better-sqlite3';
import { type BackupDestination, backupDestinationSchema } from '../../provisioners/contract/backup.ts';
import type { Instant } from '../../provisioners/contract/time.ts';

/** A backup that somebody had removed by hand. */
export interface BackupRemoval {
  /** uid of the cluster. */
  readonly cluster: string;
  readonly backup: string;
  readonly destination: BackupDestination;
  readonly principal: string;
  /** Also when no other backup is left that could be restored. */
  readonly mayBeLast: boolean;
}

interface Row {
  readonly cluster: string;
  readonly backup: string;
  readonly destination: string;
  readonly principal: string;
  readonly may_be_last: number;
}

/** Removals by hand: a backup that is missing because of one is not missed. */
export class BackupRemovals {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Before anything is removed; once more is the same. */
  ask({ cluster, backup, destination, principal, mayBeLast }: BackupRemoval, at: Instant): void {
    this.#database
      .prepare(
        `INSERT INTO backup_removals (cluster, backup, destination, principal, asked_at, may_be_last)
         VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (cluster, backup) DO UPDATE
         SET destination = excluded.destination, done_at = NULL, may_be_last = excluded.may_be_last`,
      )
      .run(cluster, backup, JSON.stringify(destination), principal, at, Number(mayBeLast));
  }

  /** Those of clusters that are there that were asked for and have not come to their end, oldest first. */
  unfinished(): BackupRemoval[] {
    return this.#database
      .prepare<[], Row>(
        `SELECT cluster, backup, destination, principal, may_be_last FROM backup_removals
         JOIN clusters ON clusters.uid = backup_removals.cluster
         WHERE done_at IS NULL AND clusters.deleted_at IS NULL ORDER BY asked_at, backup`,
      )
      .all()
      .map(({ destination, may_be_last: mayBeLast, ...rest }) => ({
        ...rest,
        destination: backupDestinationSchema.parse(JSON.parse(destination)),
        mayBeLast: mayBeLast === 1,
      }));
  }

  /** It is gone. */
  setDone(cluster: string, backup: string, at: Instant): void {
    this.#database
      .prepare('UPDATE backup_removals SET done_at = ? WHERE cluster = ? AND backup = ?')
      .run(at, cluster, backup);
  }

  /** Where it lay, when somebody asked for its removal, whether or not that came to its end. */
  destinationOf(cluster: string, backup: string): BackupDestination | undefined {
    const row = this.#database
      .prepare<[string, string], { readonly destination: string }>(
        'SELECT destination FROM backup_removals WHERE cluster = ? AND backup = ?',
      )
      .get(cluster, backup);
    return row && backupDestinationSchema.parse(JSON.parse(row.destination));
  }
}
