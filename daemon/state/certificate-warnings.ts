import type Database from 'better-sqlite3';
import type { Instant } from '../../provisioners/contract/time.ts';

/** How near its end a certificate was when people were told of it last. */
export interface CertificateWarning {
  readonly machine: string;
  readonly name: string;
  /** Which one it was: a renewed certificate ends at another time. */
  readonly notAfter: Instant;
  readonly level: string;
}

/** Warnings that were told: each is told once, whatever is started anew in between. */
export class CertificateWarnings {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Those of a cluster (uid). */
  list(cluster: string): readonly CertificateWarning[] {
    return this.#database
      .prepare<[string], CertificateWarning>(
        'SELECT machine, name, not_after AS notAfter, level FROM certificate_warnings WHERE cluster = ?',
      )
      .all(cluster);
  }

  /** Keeps that it was told; what was told of an earlier one of the same name is forgotten. */
  put(cluster: string, { machine, name, notAfter, level }: CertificateWarning, at: Instant): void {
    this.#database
      .prepare(
        `INSERT INTO certificate_warnings (cluster, machine, name, not_after, level, at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (cluster, machine, name)
         DO UPDATE SET not_after = excluded.not_after, level = excluded.level, at = excluded.at`,
      )
      .run(cluster, machine, name, notAfter, level, at);
  }

  /** Forgets what was told of a certificate that is gone, or was renewed. */
  remove(cluster: string, { machine, name }: Pick<CertificateWarning, 'machine' | 'name'>): void {
    this.#database
      .prepare('DELETE FROM certificate_warnings WHERE cluster = ? AND machine = ? AND name = ?')
      .run(cluster, machine, name);
  }
}
