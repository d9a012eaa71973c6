import type Database from 'better-sqlite3';
import type { Instant } from '../../provisioners/contract/time.ts';
import { optional } from './columns.ts';

/** What somebody holds for getting into a cluster. */
export interface CredentialRecord {
  readonly id: string;
  /** uid of the cluster. */
  readonly cluster: string;
  readonly clusterName: string;
  readonly principal: string;
  readonly kind: 'kubeconfig' | 'token';
  /** Group in the cluster that a token was given for. */
  readonly group?: string;
  readonly issuedAt: Instant;
  readonly expiresAt?: Instant;
  readonly lastUsedAt?: Instant;
  /** Until when the last certificate signed for it is good. */
  readonly validUntil?: Instant;
  readonly revokedAt?: Instant;
  readonly revokedBy?: string;
}

interface Row {
  readonly id: string;
  readonly cluster: string;
  readonly cluster_name: string;
  readonly principal: string;
  readonly kind: CredentialRecord['kind'];
  readonly issued_at: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
  readonly valid_until: string | null;
  readonly revoked_at: string | null;
  readonly revoked_by: string | null;
  readonly group_name: string | null;
}

const recordOf = (row: Row): CredentialRecord => ({
  id: row.id,
  cluster: row.cluster,
  clusterName: row.cluster_name,
  principal: row.principal,
  kind: row.kind,
  issuedAt: row.issued_at,
  ...optional('expiresAt', row.expires_at),
  ...optional('lastUsedAt', row.last_used_at),
  ...optional('validUntil', row.valid_until),
  ...optional('revokedAt', row.revoked_at),
  ...optional('revokedBy', row.revoked_by),
  ...optional('group', row.group_name),
});

const select =
  'SELECT credentials.*, clusters.name AS cluster_name FROM credentials JOIN clusters ON uid = cluster';

/** Credentials for clusters, without their secrets. */
export class Credentials {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  add(record: Omit<CredentialRecord, 'clusterName'>): void {
    this.#database
      .prepare(
        `INSERT INTO credentials (id, cluster, principal, kind, issued_at, expires_at, group_name)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        record.id,
        record.cluster,
        record.principal,
        record.kind,
        record.issuedAt,
        record.expiresAt ?? null,
        record.group ?? null,
      );
  }

  get(id: string): CredentialRecord | undefined {
    const row = this.#database.prepare<[string], Row>(`${select} WHERE id = ?`).get(id);
    return row && recordOf(row);
  }

  /** Those of a cluster (uid), of one principal or of all, newest first. */
  list(cluster: string, principal?: string): readonly CredentialRecord[] {
    return this.#database
      .prepare<[string, string | null], Row>(
        `${select} WHERE cluster = ? AND principal = coalesce(?, principal) ORDER BY issued_at DESC`,
      )
      .all(cluster, principal ?? null)
      .map(recordOf);
  }

  /** A certificate was signed for it. */
  use(id: string, at: Instant, validUntil: Instant): void {
    this.#database
      .prepare('UPDATE credentials SET last_used_at = ?, valid_until = ? WHERE id = ?')
      .run(at, validUntil, id);
  }

  /** Answers whether there was one that was not revoked yet. */
  revoke(id: string, at: Instant, by: string): boolean {
    return (
      this.#database
        .prepare('UPDATE credentials SET revoked_at = ?, revoked_by = ? WHERE id = ? AND revoked_at IS NULL')
        .run(at, by, id).changes === 1
    );
  }
}
