import type Database from 'better-sqlite3';
import type { Instant } from '../../provisioners/contract/time.ts';
import { optional } from './columns.ts';

/** A role in one cluster, for a principal or for a group of a directory. */
export interface GrantRecord {
  readonly id: string;
  /** uid of the cluster. */
  readonly cluster: string;
  readonly clusterName: string;
  readonly principal?: string;
  readonly group?: string;
  readonly role: string;
  readonly grantedBy: string;
  readonly at: Instant;
}

interface Row {
  readonly id: string;
  readonly cluster: string;
  readonly cluster_name: string;
  readonly principal: string | null;
  readonly group_name: string | null;
  readonly role: string;
  readonly granted_by: string;
  readonly at: string;
}

const recordOf = (row: Row): GrantRecord => ({
  id: row.id,
  cluster: row.cluster,
  clusterName: row.cluster_name,
  role: row.role,
  grantedBy: row.granted_by,
  at: row.at,
  ...optional('principal', row.principal),
  ...optional('group', row.group_name),
});

const select = 'SELECT grants.*, clusters.name AS cluster_name FROM grants JOIN clusters ON uid = cluster';

/** Roles in clusters. */
export class Grants {
  readonly #database: Database.Database;
  readonly #ofPrincipal: Database.Statement<[string, string], Row>;

  constructor(database: Database.Database) {
    this.#database = database;
    // A cluster that is gone still has a history to read, until another takes its name.
    this.#ofPrincipal = database.prepare(
      `${select} WHERE (principal = ? OR group_name IN (SELECT value FROM json_each(?)))
       AND NOT EXISTS (SELECT 1 FROM clusters AS newer WHERE newer.name = clusters.name
                       AND newer.created_at > clusters.created_at)`,
    );
  }

  /** What a principal and the groups it is in were given. */
  ofPrincipal(principal: string, groups: readonly string[]): readonly GrantRecord[] {
    return this.#ofPrincipal.all(principal, JSON.stringify(groups)).map(recordOf);
  }

  /** Those of one cluster, by uid. */
  ofCluster(uid: string): readonly GrantRecord[] {
    return this.#database
      .prepare<[string], Row>(`${select} WHERE cluster = ? ORDER BY at`)
      .all(uid)
      .map(recordOf);
  }

  /** Adds one; given again for the same cluster and principal or group, the role is replaced. */
  put(grant: Omit<GrantRecord, 'clusterName'>): GrantRecord {
    const { id, cluster, principal = null, group = null, role, grantedBy, at } = grant;
    const known = this.#database
      .prepare<[string, string | null, string | null], { id: string }>(
        'SELECT id FROM grants WHERE cluster = ? AND principal IS ? AND group_name IS ?',
      )
      .get(cluster, principal, group);
    if (known)
      this.#database
        .prepare('UPDATE grants SET role = ?, granted_by = ?, at = ? WHERE id = ?')
        .run(role, grantedBy, at, known.id);
    else
      this.#database
        .prepare('INSERT INTO grants VALUES (?, ?, ?, ?, ?, ?, ?)')
        .run(id, cluster, principal, group, role, grantedBy, at);
    return this.#get(known?.id ?? id);
  }

  /** Answers whether that cluster had such a grant. */
  remove(cluster: string, id: string): boolean {
    return (
      this.#database.prepare('DELETE FROM grants WHERE cluster = ? AND id = ?').run(cluster, id).changes === 1
    );
  }

  #get(id: string): GrantRecord {
    const row = this.#database.prepare<[string], Row>(`${select} WHERE id = ?`).get(id);
    if (!row) throw new Error(`the grant ${id} is gone`);
    return recordOf(row);
  }
}
